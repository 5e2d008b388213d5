"""Who may do what: every route that there is, asked by everybody who must not be let in.

Routes are taken from the app itself: one that is new is in here, and fails without an example or a scope.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from meal_assets.api import create_app
from meal_assets.event_store import EventStore
from meal_assets.event_store.households import SeenDatabase, seen_by
from meal_assets.event_store.tokens import SCOPES
from meal_assets.read_models import READ_MODELS, catch_up, rebuild, undo_rebuild
from tests.conftest import copied
from tests.read_models.histories import HOUSEHOLDS, History

from .conftest import Api, served, settings_of
from .routes import BODIES, PUBLIC, Route, ask, routes_of

SEED = 5
EVENTS = 300


class _NoDatabase:
    """Routes are known without one."""

    url = ""


APP = create_app(settings_of(Path("none")), _NoDatabase())  # type: ignore[arg-type]
ROUTES = routes_of(APP)
GUARDED = [r for r in ROUTES if r.path not in PUBLIC]
QUERIES = [r for r in GUARDED if r.method == "GET"]
EVERY = pytest.mark.parametrize("route", GUARDED, ids=str)


@pytest.fixture(scope="module")
def full(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A log with a history of two households, that all read models have taken in; requests are answered from it."""
    home = tmp_path_factory.mktemp("home")
    with copied(server_url, "migrated") as url, served(settings_of(home), url) as api:
        History(api.store, SEED).append(EVENTS)
        keep_up(api)
        yield api


def keep_up(api: Api) -> None:
    for model in READ_MODELS.values():
        catch_up(model(), api.store)


def test_every_route_says_what_it_needs() -> None:
    assert {r.path for r in ROUTES if r.scope is None} == PUBLIC
    assert all(r.scope != "read" for r in ROUTES if r.method != "GET")
    assert {(r.method, r.path) for r in ROUTES if r.method != "GET"} == set(BODIES)
    described = APP.openapi()["paths"]
    assert {(m.upper(), path) for path, ways in described.items() for m in ways} == {
        (r.method, r.path.replace(":path", "")) for r in ROUTES if r.path != "/openapi.json"
    }


@EVERY
def test_nobody_gets_in_without_a_token_that_stands(full: Api, route: Route) -> None:
    for secret in (None, "meals_" + "A" * 43, "x", full.expired(), full.revoked()):
        full.app.state.shared.failed_logins._buckets.clear()
        head = full.store.head()
        answer = ask(full, route, secret)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert full.store.head() == head


@EVERY
def test_who_may_less_than_a_route_needs_is_refused(full: Api, route: Route) -> None:
    assert route.scope is not None
    for less in SCOPES[: SCOPES.index(route.scope)]:
        head = full.store.head()
        assert ask(full, route, full.secret(less)).status_code == 403
        assert full.store.head() == head


@EVERY
def test_what_concerns_the_installation_is_for_its_own_admin(full: Api, route: Route) -> None:
    for secret in (full.secret(household="next-door"), full.secret(person="ada")):
        if route.operates:
            assert ask(full, route, secret).status_code == 403


@EVERY
def test_a_person_is_refused_what_is_of_another(full: Api, route: Route) -> None:
    secret = full.secret(person="ben")
    if "{person}" in route.path:
        head = full.store.head()
        answer = ask(full, route, secret)
        assert (answer.status_code, answer.json()["field"]) == (403, "person")
        assert full.store.head() == head


@EVERY
def test_whatever_a_stranger_asks_stays_in_their_household(full: Api, route: Route) -> None:
    head = full.store.head()
    answer = ask(full, route, full.secret(household="next-door"))
    assert answer.status_code < 500
    assert {r.household for r in full.store.read(head)} <= {"next-door"}
    assert not foreign(answer.json() if "json" in answer.headers["Content-Type"] else None, "next-door")


@pytest.mark.parametrize("route", QUERIES, ids=str)
def test_a_query_shows_the_callers_own_and_nothing_else(full: Api, route: Route) -> None:
    if not route.path.startswith("/read-models/"):
        return
    shown = {h: ask(full, route, full.secret("read", household=h)).json()["rows"] for h in (*HOUSEHOLDS, "nobody")}
    assert shown["nobody"] == [] or route.path.endswith("/flags"), "flags for everybody are everybody's"
    for household, rows in shown.items():
        assert not foreign(rows, household)
    own = ask(full, route, full.secret("read", person="ben")).json()["rows"]
    assert {row["person"] for row in own if "person" in row} <= {"ben", ""}


@pytest.mark.parametrize("route", QUERIES, ids=str)
def test_looking_back_shows_no_more(full: Api, route: Route) -> None:
    if not route.path.startswith("/read-models/"):
        return
    keep_up(full)
    with full.client(full.secret("read", household="next-door")) as client:
        then = client.get(route.url, params={"as_of": full.store.head()})
        now = client.get(route.url)
    assert not foreign(then.json()["rows"], "next-door")
    assert len(then.json()["rows"]) == len(now.json()["rows"])


def test_events_of_others_are_neither_listed_nor_found(full: Api) -> None:
    theirs = next(r for r in full.store.read() if r.household == "home")
    with full.client(full.secret("read", household="next-door")) as client:
        page = client.get("/events", params={"after": 0, "limit": 500}).json()["events"]
        assert page
        assert {e["household"] for e in page} == {"next-door"}
        assert client.get("/events", params={"stream": theirs.stream}).json()["events"] == []
        assert client.get("/events", params={"correlation": str(theirs.correlation_id)}).json()["events"] == []
        assert client.get(f"/commands/{theirs.correlation_id}").status_code == 404
    with full.client(full.secret("read", person="ben")) as client:
        page = client.get("/events", params={"after": 0, "limit": 500}).json()["events"]
        assert {e["data"].get("person", "ben") for e in page} == {"ben"}


def foreign(told: Any, household: str) -> list[Any]:
    """What in an answer names another household that there is."""
    others = [h for h in HOUSEHOLDS if h != household]
    match told:
        case dict():
            named = [v for k, v in told.items() if k == "household" and v in others]
            named += [v for k, v in told.items() if k in ("stream", "subject") and v.partition("/")[0] in others]
            return named + [f for v in told.values() for f in foreign(v, household)]
        case list():
            return [f for v in told for f in foreign(v, household)]
    return []


MODELS = pytest.mark.parametrize("model", READ_MODELS.values(), ids=lambda m: m.name)


def rows_seen(store: EventStore, table: str) -> int:
    with store.database.transaction() as db:
        row = db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("read", table))).fetchone()
    assert row is not None
    return int(row[0])


@MODELS
def test_the_database_itself_shows_a_household_its_rows_only(full: Api, model: Any) -> None:
    """Also where a query of ours forgot to say whose rows it wants; and after a rebuild, and after that was undone."""

    def seen() -> dict[tuple[str, str], int]:
        who = [*HOUSEHOLDS, "nobody"]
        return {(h, t): rows_seen(seen_by(full.store, h), t) for h in who for t in model.tables}

    keep_up(full)
    before = seen()
    for table in model.tables:
        everything = rows_seen(full.store, table)
        shared = before["nobody", table]
        assert shared == 0 or model.seen
        assert sum(before[h, table] for h in HOUSEHOLDS) - shared == everything or model.name == "dead_letters"
    rebuild(model(), full.store)
    assert seen() == before
    undo_rebuild(model(), full.store)
    assert seen() == before


def test_the_database_itself_shows_a_household_its_events_and_keys_only(full: Api) -> None:
    with SeenDatabase(full.store.database, "next-door").transaction() as db:
        for table in ("events", "person_keys"):
            query = sql.SQL("SELECT DISTINCT household FROM {}").format(sql.Identifier("log", table))
            assert db.execute(query).fetchall() == [("next-door",)]
    with SeenDatabase(full.store.database, "home", "ben").transaction() as db:
        assert {p for (p,) in db.execute("SELECT DISTINCT payload->>'person' FROM log.events")} == {"ben", None}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM log.tokens",
        "SELECT FROM log.connections",
        "SELECT FROM log.files",
        "SELECT FROM log.events_1",
        "SELECT FROM former.week_plan",
        "DELETE FROM read.week_plan",
        "INSERT INTO read.targets SELECT * FROM read.targets",
        "SELECT log.append('home/x', NULL, NULL, 'home', 'x', gen_random_uuid(), NULL, now(), '[]')",
        "CREATE TABLE read.mine ()",
    ],
)
def test_who_asks_for_a_household_may_only_read(full: Api, statement: str) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        SeenDatabase(full.store.database, "home").transaction() as db,
    ):
        db.execute(statement)


def test_a_table_that_says_nothing_of_households_is_seen_by_nobody(full: Api) -> None:
    with full.store.database.transaction() as db:
        db.execute("CREATE TABLE IF NOT EXISTS read.forgotten ()")
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        SeenDatabase(full.store.database, "home").transaction() as db,
    ):
        db.execute("SELECT FROM read.forgotten")


def test_failed_logins_are_throttled_and_who_got_in_before_is_not(full: Api) -> None:
    full.app.state.shared.failed_logins._buckets.clear()
    with full.client(full.secret()) as known, full.client("meals_" + "B" * 43) as guessing:
        assert known.get("/read-models").status_code == 200
        answers = [guessing.get("/read-models") for _ in range(12)]
        assert known.get("/read-models").status_code == 200, "who got in before shares an address with who guesses"
    with full.client(full.secret()) as new:
        assert new.get("/read-models").status_code == 429
    assert [a.status_code for a in answers] == [401] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    full.app.state.shared.failed_logins._buckets.clear()


def test_a_token_may_ask_so_often_a_minute(server_url: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path).model_copy(update={"api_requests_a_minute": 3})
    with (
        copied(server_url, "migrated") as url,
        served(settings, url) as api,
        api.client(api.secret()) as client,
        api.client(api.secret()) as other,
    ):
        answers = [client.get("/read-models") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 21
        assert other.get("/read-models").status_code == 200


@pytest.fixture(scope="module")
def opened(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    home = tmp_path_factory.mktemp("home")
    with copied(server_url, "migrated") as url, served(settings_of(home), url, open=True) as api:
        yield api


def test_a_demo_is_open_to_programs_of_this_machine(opened: Api) -> None:
    with opened.client() as client:
        assert client.get("/read-models/targets").status_code == 200
        assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Authorization": "Bearer meals_none"}],
    ids=str,
)
def test_and_not_to_pages_of_others_in_its_browser(opened: Api, headers: dict[str, str]) -> None:
    with opened.client() as client:
        assert client.get("/read-models/targets", headers=headers).status_code == 401
        assert client.put("/persons/ada/goal", json={}, headers=headers).status_code == 401


def test_every_answer_has_the_security_headers(full: Api) -> None:
    with full.client() as client:
        for path in ("/livez", "/nowhere", "/read-models"):
            answer = client.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "server" not in answer.headers


def test_tokens_are_kept_by_their_hash_only(full: Api) -> None:
    secret = full.secret()
    with psycopg.connect(full.store.database.url) as owner:
        (rows,) = owner.execute("SELECT json_agg(t)::text FROM log.tokens AS t").fetchone() or ("",)
    assert secret.removeprefix("meals_") not in rows
