"""What is too much is refused in time, and a database that is gone is told as that; nothing accepted is lost."""

import threading
from pathlib import Path

import httpx
import psycopg
import pytest

from meal_assets.api import create_app, limits, state
from meal_assets.event_store import Database
from meal_assets.event_store.tokens import create_token
from tests.faults.server import server

from .conftest import GOAL, PATIENCE_SECONDS, Api, served, served_app, settings_of


def test_a_database_that_is_gone_is_a_503_and_a_command_survives_it(tmp_path: Path) -> None:
    key = {"Idempotency-Key": "once"}
    with server() as own:
        url = own.new_database()
        with Database.open(settings_of(tmp_path, database_url=url)) as database:
            secret = create_token(database, "home", "write", name="test")[0]
        with served(settings_of(tmp_path), url) as api, api.client(secret) as client:
            first = client.put("/persons/ada/goal", json=GOAL, headers=key)
            assert first.status_code == 202
            own.kill()
            for answer in (client.get("/read-models/targets"), client.put("/persons/ada/goal", json=GOAL)):
                assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
                assert int(answer.headers["Retry-After"]) > 0
            assert client.get("/livez").status_code == 200
            assert client.get("/readyz").status_code == 503
            own.up()
            again = _until_answered(client, key)
            assert again.json() == first.json()
            assert len(api.store.read_stream("home/profile/ada")) == 1


def _until_answered(client: httpx.Client, key: dict[str, str]) -> httpx.Response:
    answer = client.put("/persons/ada/goal", json=GOAL, headers=key)
    for _ in range(20):  # connections of before the crash are found out one by one
        if answer.status_code != 503:
            break
        answer = client.put("/persons/ada/goal", json=GOAL, headers=key)
    return answer


def test_a_command_whose_answer_was_lost_is_found_in_the_log(api: Api, admin: httpx.Client) -> None:
    key = {"Idempotency-Key": "lost"}
    first = admin.put("/persons/lea/goal", json=GOAL, headers=key).json()
    with psycopg.connect(api.store.database.url, autocommit=True) as owner:
        owner.execute("UPDATE log.requests SET answer = NULL WHERE key = 'lost'")
    again = admin.put("/persons/lea/goal", json=GOAL, headers=key).json()
    assert {k: again[k] for k in ("command_id", "position", "stream_version")} == {
        k: first[k] for k in ("command_id", "position", "stream_version")
    }
    assert len(api.store.read_stream("home/profile/lea")) == 1


def test_one_that_is_at_work_is_not_done_a_second_time_before_it_must_be_dead(api: Api, admin: httpx.Client) -> None:
    key, change = {"Idempotency-Key": "working"}, "UPDATE log.requests SET {} WHERE key = 'working'"
    admin.put("/persons/noa/goal", json=GOAL, headers=key)
    with psycopg.connect(api.store.database.url, autocommit=True) as owner:
        owner.execute(change.format("answer = NULL, correlation_id = gen_random_uuid()"))  # it has said nothing yet
        working = admin.put("/persons/noa/goal", json=GOAL, headers=key)
        assert (working.status_code, working.headers["Retry-After"]) == (409, "1")
        owner.execute(change.format("claimed_at = now() - interval '2 min'"))
    assert admin.put("/persons/noa/goal", json=GOAL, headers=key).status_code == 200


def test_an_answer_is_kept_for_a_day(api: Api, admin: httpx.Client) -> None:
    key = {"Idempotency-Key": "old"}
    first = admin.put("/persons/mia/goal", json=GOAL, headers=key).json()
    with psycopg.connect(api.store.database.url, autocommit=True) as owner:
        owner.execute("UPDATE log.requests SET claimed_at = now() - interval '25 h' WHERE key = 'old'")
    other = admin.put("/persons/mia/goal", json={**GOAL, "kcal": 2500}, headers=key)
    assert (other.status_code, other.json()["command_id"] != first["command_id"]) == (202, True)


def test_so_many_requests_are_at_work_at_once(
    server_url: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_AT_WORK", 1)
    settings = settings_of(tmp_path)
    held, go_on = threading.Event(), threading.Event()
    with Database(database_url, settings) as database:
        app = create_app(settings, database, open=True)

        @app.get("/held")
        def hold() -> None:
            held.set()
            go_on.wait(PATIENCE_SECONDS)

        with served_app(app) as url:
            slow = threading.Thread(target=httpx.get, args=(f"{url}/held",), kwargs={"timeout": PATIENCE_SECONDS})
            slow.start()
            assert held.wait(PATIENCE_SECONDS)
            refused = httpx.get(f"{url}/read-models")
            go_on.set()
            slow.join()
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert httpx.get(f"{url}/read-models").status_code == 200


def test_so_many_wait_and_look_back_at_once(api: Api, admin: httpx.Client) -> None:
    shared = api.app.state.shared
    position = admin.put("/persons/nia/goal", json=GOAL).json()["position"]
    for places, count, asked in (
        (shared.waits, state.WAITS_AT_ONCE, {"after": position}),
        (shared.as_of, state.AS_OF_AT_ONCE, {"as_of": position}),
    ):
        assert all(places.acquire(blocking=False) for _ in range(count))
        refused = admin.get("/read-models/targets", params=asked)
        for _ in range(count):
            places.release()
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)


def test_who_waits_for_what_never_happened_is_told(api: Api, admin: httpx.Client) -> None:
    answer = admin.get("/read-models/targets", params={"after": api.store.head() + 1})
    assert (answer.status_code, answer.json()["field"]) == (422, "after")
