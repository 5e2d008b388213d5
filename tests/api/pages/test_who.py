"""Who gets to see which page, and whose forms are taken: asked of every route that the pages have."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.routing import APIRoute

from meal_assets.api.pages.visitor import SESSION_LIFE
from meal_assets.event_store.tokens import LINK, Scope, create_token, find_token, tokens_of

from ..conftest import Api
from ..test_who import APP
from .conftest import Browser, enter, monday, settings_today, text_of

PUBLIC = {"/", "/login"}
PATHS = {
    "week": str(monday()),
    "day": str(settings_today()),
    "meal": "dinner",
    "recipe": "overnight-oats-blueberries",
    "kind": "weight",
    "person": "ada",
}
PAGES = next(route.app for route in APP.routes if getattr(route, "path", "") == "/app")


def walked(routes: Any) -> list[APIRoute]:
    found = []
    for route in routes:
        if isinstance(route, APIRoute):
            found.append(route)
        elif inner := getattr(route, "original_router", None):
            found += walked(inner.routes)
        else:
            assert route.path == "/static", f"{route}: how is it guarded?"
    return found


ROUTES = [(m, r.path) for r in walked(PAGES.routes) for m in sorted(r.methods)]
GUARDED = [pytest.param(m, "/app" + p.format(**PATHS), id=f"{m} {p}") for m, p in ROUTES if p not in PUBLIC]
FORMS = [p for p in GUARDED if p.values[0] == "POST"]
SEEN = [p for p in GUARDED if p.values[0] == "GET" and not str(p.values[1]).endswith("/live")]


def csrf_in(html: str) -> str:
    return html.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_sees_or_does_anything_without_a_session(kitchen: Api, method: str, path: str) -> None:
    head = kitchen.store.head()
    for cookie in ({}, {"meals": "meals_" + "A" * 43}, {"meals": kitchen.revoked()}, {"meals": kitchen.expired()}):
        kitchen.app.state.shared.failed_logins._buckets.clear()
        with kitchen.client(cookies=cookie) as client:
            answer = client.request(method, path, headers={"Accept": "text/html"})
            if method == "GET":
                assert answer.status_code == 303
                assert parse_qs(urlsplit(answer.headers["Location"]).query)["next"] == [path]
            else:
                assert answer.status_code == 401
    assert kitchen.store.head() == head


@pytest.mark.parametrize(("method", "path"), FORMS)
def test_a_form_of_another_site_or_session_is_refused(kitchen: Api, browser: Browser, method: str, path: str) -> None:
    head, token = kitchen.store.head(), csrf_in(browser.page("today"))
    client = browser.client
    for data, headers in (
        ({}, {}),
        ({"csrf": "0" * 64}, {}),
        ({"csrf": csrf_in(enter(kitchen).page("today"))}, {}),
        ({"csrf": token}, {"Origin": "https://elsewhere.example"}),
        ({"csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        assert client.request(method, path, data=data, headers=headers).status_code == 403
    assert kitchen.store.head() == head


@pytest.mark.parametrize(("method", "path"), FORMS)
def test_a_reader_changes_nothing(kitchen: Api, method: str, path: str) -> None:
    if path == "/app/logout":
        return
    reader, head = enter(kitchen, "read"), kitchen.store.head()
    token = csrf_in(reader.page("yours"))
    assert reader.client.request(method, path, data={"csrf": token}).status_code == 403
    assert kitchen.store.head() == head


@pytest.mark.parametrize(("method", "path"), SEEN)
def test_a_page_shows_nothing_of_another_household(kitchen: Api, method: str, path: str) -> None:
    stranger = enter(kitchen, household="next-door")
    answer = stranger.client.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code in (200, 303, 404)
    shown = answer.text
    for word in ("Ada", "Hazelnut", "porridge", "home/"):
        assert word not in shown, word


def test_a_persons_session_speaks_for_nobody_else(kitchen: Api) -> None:
    ben = enter(kitchen, "write", person="ben")
    html = ben.page("today")
    assert "Ada" not in text_of(html)
    head = kitchen.store.head()
    form = {"csrf": csrf_in(html), "person": "ada", "day": str(settings_today()), "meal": "dinner", "food": "x"}
    for path in ("planned", "food", "close", "undo", "again"):
        answer = ben.client.post(f"/app/log/{path}", data={**form, "kcal": "1", "entry": "x", "from": form["day"]})
        assert answer.status_code == 403
    assert ben.client.get("/app/yours/ada.json").status_code == 403
    assert ben.client.post("/app/trends/weigh", data={**form, "weight_kg": "60"}).status_code == 403
    assert kitchen.store.head() == head


def test_a_session_is_a_token_of_its_own_that_logging_out_ends(kitchen: Api) -> None:
    with kitchen.client() as client:
        token = kitchen.secret("read")
        answer = client.post("/app/login", data={"token": token, "next": "/app/week"})
        cookie = answer.headers["Set-Cookie"]
        assert (answer.status_code, answer.headers["Location"]) == (303, "/app/week")
        assert token not in cookie
        assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        session = find_token(kitchen.store.database, client.cookies["meals"])
        assert session is not None
        assert (session.scope, session.name, session.expires_at - session.created_at) == (
            "read",
            "browser",
            SESSION_LIFE,
        )
        page = client.get("/app/today", headers={"Accept": "text/html"})
        assert "token" not in page.headers.get("Referrer-Policy", "")
        held = client.cookies["meals"]
        assert client.post("/app/logout", data={"csrf": csrf_in(page.text)}).status_code == 303
    with kitchen.client(cookies={"meals": held}) as client:
        assert client.get("/app/today").status_code != 200


@pytest.mark.parametrize("where", ["https://elsewhere.example/", "//elsewhere.example", "/app/\\elsewhere", "/events"])
def test_a_login_leads_to_no_other_site(kitchen: Api, where: str) -> None:
    with kitchen.client() as client:
        answer = client.post("/app/login", data={"token": kitchen.secret(), "next": where})
    assert answer.headers["Location"] == "/app/today"


def test_a_link_logs_in_once(kitchen: Api) -> None:
    secret, _ = create_token(kitchen.store.database, "home", "write", name=LINK)
    with kitchen.client() as client:
        assert secret in client.get("/app/login", params={"token": secret}).text
        assert client.post("/app/login", data={"token": secret}).status_code == 303
    with kitchen.client() as client:
        assert client.post("/app/login", data={"token": secret}).status_code == 401


def test_logins_are_throttled(kitchen: Api) -> None:
    kitchen.app.state.shared.failed_logins._buckets.clear()
    with kitchen.client() as client:
        told = [client.post("/app/login", data={"token": "meals_" + "B" * 43}).status_code for _ in range(12)]
    kitchen.app.state.shared.failed_logins._buckets.clear()
    assert told[0] == 401
    assert told[-1] == 429


def test_pages_run_no_foreign_and_no_inline_script(browser: Browser) -> None:
    answer = browser.client.get("/app/week", follow_redirects=True, headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert " onclick" not in answer.text


def test_the_address_of_a_calendar_opens_the_calendar_only(kitchen: Api, browser: Browser) -> None:
    shown = browser.client.post("/app/yours/calendar", data={"csrf": csrf_in(browser.page("yours"))}).text
    secret = shown.partition("token=")[2].partition("<")[0]
    with kitchen.client() as client:
        feed = client.get("/app/calendar.ics", params={"token": secret})
        assert (feed.status_code, feed.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
        assert feed.text.count("BEGIN:VEVENT") >= 28
        assert client.get("/app/calendar.ics", params={"token": "meals_" + "C" * 43}).status_code == 401
        assert client.get("/events", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
        assert client.post("/app/login", data={"token": secret}).status_code == 403
    with kitchen.client(cookies={"meals": secret}) as client:
        assert client.get("/app/today").status_code == 403
    assert {t.scope for t in tokens_of(kitchen.store.database, "home") if t.name == "calendar feed"} == {"calendar"}


def test_everything_of_a_person_comes_as_files(kitchen: Api, browser: Browser) -> None:
    told = browser.client.get("/app/yours/ben.json").json()
    assert told["read_models"]["targets"][0]["name"] == "Ben"
    assert {e["data"]["person"] for e in told["events"]} == {"ben"}
    own = [r for r in kitchen.store.read() if getattr(r.event, "person", None) == "ben"]
    assert len(told["events"]) == len(own)
    assert browser.client.get("/app/yours/ben.zip").content[:2] == b"PK"
    assert browser.client.get("/app/yours/nobody.json").status_code == 404


SCOPES: tuple[Scope, ...] = ("read", "write")


@pytest.mark.parametrize("scope", SCOPES)
def test_only_an_admin_decides_about_dead_letters_and_pauses(kitchen: Api, scope: Scope) -> None:
    some = enter(kitchen, scope)
    token = csrf_in(some.page("yours"))
    for path in ("letters/retry", "letters/discard", "subscribers"):
        assert some.client.post(f"/app/system/{path}", data={"csrf": token, "name": "week_plan"}).status_code == 403
    stranger = enter(kitchen, household="next-door")
    form = {"csrf": csrf_in(stranger.page("yours")), "name": "week_plan", "what": "pause"}
    assert stranger.client.post("/app/system/subscribers", data=form).status_code == 403
