"""Killing each part of a running `meals up`, and runs, BENCH_KILLS times each while events keep coming.

How long until all of it works again; and what is lost, doubled, divergent or left over after it?
"""

import json
import os
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import psutil

from meal_assets.cli.services import FORK_MODULE
from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.notification import NotificationFailed
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.read_models import READ_MODELS, rebuild
from meal_assets.settings import Settings
from meal_assets.subscriptions import Standing, standings
from tests.consumers.test_notifications import Post
from tests.flow.conftest import commands
from tests.flow.test_up import read_until, up

from .figures import SEED, Figure
from .latency import quantile
from .platforms import wait_for

KILLS = 20
SERVICES = ("code server", "daemon", "web server", "fork server")
VICTIMS = (*SERVICES, "run")
PATIENCE = 180.0
A_SECOND = 10
"""Weigh-ins. Each of the others comes once in so many of them."""
RECIPES_EVERY, MAILS_EVERY = 50, 100
MOST_DEATHS, DEATH_SECONDS = 3, 61.0
"""So often in so short a time a service may die of itself: one more, and `meals up` would give up on it."""
BENCH = Origin("home", "bench")
AIM = "0"


@dataclass(slots=True)
class Load:
    """Appends without a pause, in a thread, and keeps what it was answered."""

    store: EventStore
    weighed: list[tuple[int, WeightRecorded]] = field(default_factory=list)
    """The position that was answered, and what was said."""
    files: list[str] = field(default_factory=list)
    """SHA-256 of each file of one recipe that was asked for."""
    mails: list[str] = field(default_factory=list)
    """The title of each message that was asked for."""
    failed: list[BaseException] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        try:
            number = 0
            while not self.over.wait(1 / A_SECOND):
                number += 1
                self.weigh(number)
                if number % RECIPES_EVERY == 0:
                    self.ask(f"soup-{number}")
                if number % MAILS_EVERY == 0:
                    self.tell(number)
        except BaseException as error:
            self.failed.append(error)

    def weigh(self, number: int) -> None:
        said = WeightRecorded(person=f"person-{number % 10}", day=_day(number // 10), weight_kg=60 + number % 100 / 10)
        self.weighed.append((self.store.append(said.stream_in("home"), [said], origin=BENCH).last, said))

    def ask(self, title: str) -> int:
        """The position of the request."""
        recipe = json.dumps({"title": title, "ingredients": ["1 leek"]}).encode() + b"\n"
        said = request_recipes(self.store, f"{title}.jsonl", recipe, Origin("home", "bench"))
        self.files.append(title)
        return said.position

    def tell(self, number: int) -> None:
        title = f"Message {number}"
        wanted = NotificationRequested(
            person="ada", kind="daily_summary", period=str(_day(number)), title=title, text="As it was said."
        )
        self.store.append(wanted.stream_in("home"), [wanted], origin=BENCH)
        self.mails.append(title)


def run() -> list[Figure]:
    kills = int(os.environ.get("BENCH_KILLS", KILLS))
    print(f"seed {SEED}, {kills} kills of each of {', '.join(VICTIMS)}", file=sys.stderr)
    post = Post()
    post.server.start()
    recovered: dict[str, list[float]] = defaultdict(list)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="meals-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        home.mkdir()
        (home / "meals.toml").write_text(f"[notify_urls]\nada = {json.dumps(post.address('ada').get_secret_value())}\n")
        with _cleared(home), up(home) as process, Database.open(Settings(home=home)) as database:
            read_until(process, "Ctrl-C")
            load = Load(EventStore(database))
            thread = threading.Thread(target=load.work)
            thread.start()
            try:
                with suppress(KeyboardInterrupt):  # Ctrl-C proves what there is so far
                    for victim in schedule(Random(SEED), kills):
                        recovered[victim].append(kill(victim, home, load))
                        print(f"{victim}: {recovered[victim][-1]:.1f} s", file=sys.stderr, flush=True)
            finally:
                load.over.set()
                thread.join()
            wait_for(lambda: not [s for s in standings(load.store) if s.behind], PATIENCE)
            wait_for(lambda: not _runs(home), PATIENCE)
            found = prove(load, post)
            commands(home)("down")
            found["orphans"] = [" ".join(p.cmdline()) for p in processes_of(home)]
    post.server.stop()
    size = f"{len(load.weighed) + len(load.files) + len(load.mails)} appends, {time.perf_counter() - began:.0f} s"
    print(size, *(f"{name}: {line}" for name, lines in found.items() for line in lines), sep="\n", file=sys.stderr)
    return [
        *(
            Figure(f"kills: {victim}, {len(times)} times, works again, p50", statistics.median(times), "s",
                   "by itself", True, limit=quantile(times, 1), limit_name="longest")
            for victim, times in recovered.items()
        ),
        *(Figure(f"kills: {name}", len(what), "findings", AIM, not what) for name, what in found.items()),
    ]  # fmt: skip


@contextmanager
def _cleared(home: Path) -> Iterator[None]:
    try:
        yield
    finally:
        commands(home)("down")


def schedule(chance: Random, kills: int) -> Iterator[str]:
    """Everybody once, in any order, so often."""
    for _ in range(kills):
        yield from chance.sample(VICTIMS, len(VICTIMS))


def kill(victim: str, home: Path, load: Load) -> float:
    """Seconds from its death until a request made after it is answered, shown, and seen on the web."""
    deaths = _deaths[victim]
    if victim in SERVICES and len(deaths) >= MOST_DEATHS:
        time.sleep(max(0.0, deaths[-MOST_DEATHS] + DEATH_SECONDS - time.monotonic()))
    pid = _kill_run(home) if victim == "run" else int(_up(home)["processes"][victim][0])
    if victim != "run":
        os.kill(pid, signal.SIGKILL)
    began = time.monotonic()
    deaths.append(began)
    position = load.ask(f"after-{victim.replace(' ', '-')}-{len(deaths)}")
    steps: dict[str, Callable[[], object]] = {
        "it is started again": lambda: victim == "run" or _up(home)["processes"].get(victim, [pid])[0] != pid,
        "its request is answered": lambda: _answered(load.store, position),
        "nobody is behind it": lambda: not _behind(load.store, position),
        "the web server shows our code": lambda: _shows(str(_up(home)["url"])),
    }
    for what, true in steps.items():
        try:
            wait_for(true, PATIENCE, look=0.05)
        except TimeoutError:
            stand = "; ".join(map(str, _behind(load.store, position)))
            raise TimeoutError(f"{victim}: not so after {PATIENCE:g} s: {what}; behind: {stand}") from None
    return time.monotonic() - began


_deaths: dict[str, list[float]] = defaultdict(list)


def _kill_run(home: Path) -> int:
    """Kill a run at work; who it was."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for child in _runs(home):
            with suppress(psutil.NoSuchProcess):
                child.kill()
                return child.pid
        time.sleep(0.005)
    raise TimeoutError("no run is at work")


def _runs(home: Path) -> list[psutil.Process]:
    """Children of a fork server: that of `meals up`, or one that a launcher started while it was dead."""
    return [p for p in processes_of(home) if FORK_MODULE in _command(p) and FORK_MODULE in _command(p.parent())]


def _command(process: psutil.Process | None) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline() if process else []
    return []


def _behind(store: EventStore, position: int) -> list[Standing]:
    return [s for s in standings(store) if s.position < position <= s.head]


def _answered(store: EventStore, position: int) -> bool:
    (request,) = store.read(position - 1, limit=1)
    return any(r.causation_id == request.event_id for r in store.read(position, types=(RecipesFetched,)))


def _shows(url: str) -> bool:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        answer = httpx.post(f"{url}/graphql", json={"query": query}, timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return bool((answer.get("data") or {}).get("repositoriesOrError", {}).get("nodes"))


def prove(load: Load, post: Post) -> dict[str, list[str]]:
    """What was lost, was done twice, or differs. Nobody may append meanwhile."""
    store = load.store
    lost = [repr(error) for error in load.failed]
    doubled: list[str] = []
    divergent: list[str] = []
    weighed = {r.position: r.event for r in _all(store, WeightRecorded)}
    lost += [f"{said} is not at {position}" for position, said in load.weighed if weighed.get(position) != said]
    if more := len(weighed) - len(load.weighed):
        (doubled if more > 0 else lost).append(f"{more} weigh-ins beside those that were acknowledged")
    with store.database.transaction() as db:
        asked = db.execute(
            "SELECT q.payload->>'sha256', count(a.position) FROM log.events q LEFT JOIN log.events a"
            " ON a.causation_id = q.event_id AND a.type = 'recipe.RecipesFetched'"
            " WHERE q.type = 'recipe_request.RecipesRequested' GROUP BY q.position, 1"
        ).fetchall()
        twice = db.execute(
            "SELECT type, array_agg(position) FROM log.events WHERE actor LIKE 'consumer/%'"
            " GROUP BY causation_id, actor, type, payload HAVING count(*) > 1"
        ).fetchall()
    lost += [f"file {sha} has no answer" for sha, answers in asked if answers == 0]
    lost += [f"{len(load.files) - len(asked)} requests are gone"] if len(asked) != len(load.files) else []
    doubled += [f"file {sha} has {answers} answers" for sha, answers in asked if answers > 1]
    doubled += [f"{kind} is at {there}" for kind, there in twice]
    lost += [f"{r.event.consumer}:{r.event.position} is set aside: {r.event.error}" for r in _all(store, DeadLettered)]
    arrived = Counter(mail["Subject"] for mail in post.inbox.mails)
    open_ended = {r.event.period for r in _all(store, NotificationFailed)}
    doubled += [f"{title} arrived {times} times" for title, times in arrived.items() if times > 1]
    numbers = [int(title.rpartition(" ")[2]) for title in load.mails]
    lost += [f"message {n}" for n in numbers if not arrived[f"Message {n}"] and str(_day(n)) not in open_ended]
    if (broken := store.first_broken_link()) is not None:
        divergent.append(f"the chain is broken at {broken}")
    for name, model in READ_MODELS.items():
        if (difference := rebuild(model(), store).difference).differing:
            divergent.append(f"{name} differs from a rebuild: {difference}")
    known = f"{len(arrived)} of {len(load.mails)} messages arrived, {len(open_ended)} may have"
    print(f"{store.head()} events, {len(asked)} files answered, {known}", file=sys.stderr)
    return {"lost": lost, "doubled": doubled, "divergent": divergent}


def _all(store: EventStore, kind: Any) -> list[Any]:
    found: list[Any] = []
    while some := store.read(found[-1].position if found else 0, types=(kind,)):
        found += some
    return found


def processes_of(home: Path) -> list[psutil.Process]:
    """Whatever still works for this home, but the database, which this process uses, too."""
    found = []
    for process in psutil.process_iter(["name", "status"]):
        if process.pid == os.getpid() or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        with suppress(psutil.Error):
            if process.environ().get("MEALS_HOME") == str(home) and not process.info["name"].startswith("postgres"):
                found.append(process)
    return found


def _up(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "up.json").read_text())
    return found


def _day(number: int) -> date:
    return date(2000, 1, 1) + timedelta(days=number)
