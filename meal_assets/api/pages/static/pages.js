// What a page can do more with JavaScript: forms answer in place, and panels follow what happens elsewhere.
// Without it every form and link works as it stands in the page.

const said = document.getElementById("said");
const PAUSE = 250; // ms between two looks at the same panel

function say(text) {
  said.textContent = text;
  if (text) setTimeout(() => { if (said.textContent === text) said.textContent = ""; }, 6000);
}

function swapMain(html, url) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const main = page.getElementById("main");
  if (!main) return location.assign(url);
  const held = document.activeElement?.closest("[id]")?.id;
  document.getElementById("main").replaceWith(main);
  document.title = page.title;
  if (url.split("?")[0] === location.href.split("?")[0]) history.replaceState(null, "", clean(url));
  else { history.pushState(null, "", clean(url)); scrollTo(0, 0); }
  (held && document.getElementById(held)?.querySelector("h2") ? null : main)?.focus({ preventScroll: true });
}

function clean(url) {
  const there = new URL(url);
  there.searchParams.delete("after");
  return there.href;
}

addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.method !== "post" || "plain" in form.dataset) return;
  event.preventDefault();
  const button = event.submitter;
  if (button?.hasAttribute("aria-busy")) return;
  button?.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form, button));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const html = await answer.text();
    if (answer.ok) return swapMain(html, answer.url);
    const page = new DOMParser().parseFromString(html, "text/html");
    say(page.getElementById("problem")?.textContent || `That did not work (${answer.status}).`);
    if (answer.status === 401) location.assign("/app/login?next=" + encodeURIComponent(location.pathname + location.search));
  } catch {
    say("The server does not answer. Nothing of what you wrote is lost: try again.");
  } finally {
    button?.removeAttribute("aria-busy");
  }
});

addEventListener("popstate", () => location.reload());

const busy = new Map();

function isWrittenIn(panel) {
  return [...panel.querySelectorAll("input:not([type=hidden]), textarea")].some((i) => i === document.activeElement || i.value !== i.defaultValue);
}

async function look(name) {
  const panel = document.getElementById(name);
  if (!panel || busy.get(name) === "again") return;
  if (busy.has(name)) return busy.set(name, "again");
  if (isWrittenIn(panel)) return panel.addEventListener("focusout", () => setTimeout(() => look(name), PAUSE), { once: true });
  busy.set(name, "looking");
  try {
    const there = new URL(location.href);
    there.searchParams.delete("after");
    there.searchParams.set("panel", name);
    const answer = await fetch(there, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const held = document.createElement("template");
      held.innerHTML = (await answer.text()).trim();
      const fresh = held.content.firstElementChild;
      const now = document.getElementById(name);
      if (fresh && now && !isWrittenIn(now) && stripped(fresh) !== stripped(now)) {
        const open = [...now.querySelectorAll("details")].map((d) => d.open);
        now.replaceWith(fresh);
        fresh.querySelectorAll("details").forEach((d, n) => { d.open = open[n] ?? d.open; });
        fresh.classList.add("is-new");
      }
    }
  } catch { /* the stream comes again, and with it the next look */ }
  await new Promise((done) => setTimeout(done, PAUSE));
  const again = busy.get(name) === "again";
  busy.delete(name);
  if (again) look(name);
}

function stripped(panel) {
  return panel.outerHTML.replace(/name="key" value="[^"]*"/g, "").replace(/ is-new/g, "").replace(/ open=""/g, "");
}

const live = document.body.dataset.live;
if (live) {
  const after = document.getElementById("main").dataset.position || "0";
  let stream;
  const listen = () => {
    stream = new EventSource(`${live}?after=${after}`);
    stream.addEventListener("message", (event) => {
      const changed = new Set(event.data.split(" "));
      for (const panel of document.querySelectorAll("[data-panel]")) {
        const wanted = panel.dataset.models.split(" ");
        if (wanted.some((model) => model && changed.has(model))) look(panel.dataset.panel);
      }
    });
    stream.addEventListener("unauthorized", () => { stream.close(); say("Your session has ended: log in again."); });
    stream.addEventListener("open", () => { document.body.dataset.listening = "yes"; });
  };
  listen();
  addEventListener("pagehide", () => stream.close());
  addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
}
