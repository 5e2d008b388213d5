"""What the stack promises of every remote: bounded attempts, a shared breaker, a shared budget, a shared cache."""

import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from meal_assets.clients.attempts import ATTEMPTS
from meal_assets.clients.breaker import FAILURES, Breaker, states
from meal_assets.clients.http import cache_key, client
from meal_assets.clients.remote import Remote, retry_after
from meal_assets.errors import RemoteFailed, RemoteRefused, Waiting
from meal_assets.event_store import Database

from .remote_server import Server, breaks_off, hangs_up, is_silent, says, serving

FINE = says(200, b'{"fine": true}')
DOWN = says(503)


def remote(server: Server, **more: object) -> Remote:
    return Remote("shop", server.url, **more)  # type: ignore[arg-type]


def time_passes(database: Database) -> None:
    """The breaker's pause, and the probe's lease, are over."""
    with database.transaction() as db:
        db.execute("UPDATE log.remotes SET retry_at = now() - interval '1 s', probe_until = now() - interval '1 s'")


def state(database: Database) -> str:
    return next((s.state for s in states(database) if s.remote == "shop"), "closed")


def fail_often(web: httpx.Client, times: int = FAILURES) -> None:
    for _ in range(times):
        with pytest.raises((RemoteFailed, Waiting)):
            web.get("/x")


@pytest.mark.parametrize("trouble", [DOWN, says(429), says(408), hangs_up, breaks_off])
def test_trouble_that_passes_is_not_seen(database: Database, trouble: object) -> None:
    with serving(trouble, trouble, FINE) as server, client(remote(server), database) as web:  # type: ignore[arg-type]
        assert web.get("/x").json() == {"fine": True}
        assert len(server.asked) == 3


def test_a_silent_remote_is_given_up_by_its_time_out(database: Database) -> None:
    with serving(is_silent, FINE) as server, client(remote(server, read_seconds=0.05), database) as web:
        assert web.get("/x").json() == {"fine": True}


def test_trouble_that_stays_is_told_without_the_query(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        with pytest.raises(RemoteFailed, match=rf"^shop GET /x: HTTP 503 after {ATTEMPTS} attempts$"):
            web.get("/x", params={"token": "secret"})
        assert len(server.asked) == ATTEMPTS


def test_what_may_not_be_said_twice_is_tried_once(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        with pytest.raises(RemoteFailed, match=r"HTTP 503$"):
            web.post("/x")
        assert len(server.asked) == 1
        with pytest.raises(RemoteFailed):
            web.post("/x", extensions={"repeatable": True})
        assert len(server.asked) == 1 + ATTEMPTS


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_no_is_an_answer_and_trips_nothing(database: Database, status: int) -> None:
    with serving(says(status)) as server, client(remote(server), database) as web:
        for _ in range(FAILURES + 1):
            assert web.get("/x").status_code == status
        assert len(server.asked) == FAILURES + 1
    assert state(database) == "closed"


def test_a_redirect_is_never_followed(database: Database) -> None:
    elsewhere = says(302, headers={"Location": "/accounts/login/"})
    with serving(elsewhere) as server, client(remote(server), database) as web:
        assert web.get("/x").status_code == 302
        assert server.asked == [("GET", "/x")]


def test_an_endless_answer_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meal_assets.clients.attempts.MAX_BODY", 1_000)
    with (
        serving(says(200, b"x" * 1_001)) as server,
        client(remote(server), database) as web,
        pytest.raises(RemoteRefused, match="more than 1,000 bytes"),
    ):
        web.get("/x")


def test_the_breaker_opens_after_failures_in_a_row_and_spares_the_remote(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        fail_often(web, FAILURES - 1)
        with pytest.raises(Waiting):
            web.get("/x")
        asked = len(server.asked)
        assert asked == FAILURES * ATTEMPTS
        with pytest.raises(Waiting, match=r"shop is left alone until .* HTTP 503.*meals remotes reset shop") as waiting:
            web.get("/x")
        assert len(server.asked) == asked
    assert waiting.value.until > datetime.now(UTC)
    assert state(database) == "open"


def test_failures_that_are_not_in_a_row_do_not_open_it(database: Database) -> None:
    few = [DOWN] * ATTEMPTS * (FAILURES - 1)
    with serving(*few, FINE, *few, FINE) as server, client(remote(server), database) as web:
        for _ in range(2):
            fail_often(web, FAILURES - 1)
            web.get("/x")
    assert state(database) == "closed"


def test_failures_of_long_ago_do_not_open_it(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        fail_often(web, FAILURES - 1)
        with database.transaction() as db:
            db.execute("UPDATE log.remotes SET failures = ARRAY(SELECT f - interval '1 h' FROM unnest(failures) AS f)")
        fail_often(web, 1)
    assert state(database) == "closed"


def test_the_probe_that_succeeds_closes_it(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        fail_often(web)
        server.script[:] = [FINE]
        time_passes(database)
        assert web.get("/x").status_code == 200
        assert web.get("/x").status_code == 200
    assert state(database) == "closed"


def test_the_probe_that_fails_doubles_the_pause(database: Database) -> None:
    def pause() -> timedelta:
        (one,) = states(database)
        assert one.retry_at
        assert one.changed_at
        return one.retry_at - one.changed_at

    with serving(DOWN) as server, client(remote(server), database) as web:
        fail_often(web)
        first = pause()
        time_passes(database)
        fail_often(web, 1)
        assert pause().total_seconds() == pytest.approx(2 * first.total_seconds(), abs=0.1)


def test_one_process_probes_and_a_probe_that_died_is_replaced(database: Database) -> None:
    breaker = Breaker(database, "shop")
    breaker.trip(timedelta(seconds=-1), "for the test")
    assert breaker.admit() is True
    with pytest.raises(Waiting):
        Breaker(database, "shop").admit()
    time_passes(database)
    assert Breaker(database, "shop").admit() is True


def test_the_breaker_is_the_same_in_every_process(database: Database) -> None:
    with serving(DOWN) as server, client(remote(server), database) as web:
        fail_often(web)
        program = (
            "import sys\n"
            "from meal_assets.clients.http import client\n"
            "from meal_assets.clients.remote import Remote\n"
            "from meal_assets.event_store import Database\n"
            "with Database(sys.argv[1]) as d, client(Remote('shop', sys.argv[2]), d) as web:\n"
            "    web.get('/x')\n"
        )
        asked = len(server.asked)
        done = subprocess.run([sys.executable, "-c", program, database.url, server.url], capture_output=True, text=True)
        assert "Waiting: shop is left alone" in done.stderr
        assert len(server.asked) == asked


def test_it_is_tripped_and_reset_by_hand(database: Database) -> None:
    with serving(FINE) as server, client(remote(server), database) as web:
        Breaker(database, "shop").trip(timedelta(hours=1), "moving house")
        with pytest.raises(Waiting, match="moving house"):
            web.get("/x")
        Breaker(database, "shop").reset()
        assert web.get("/x").status_code == 200


def test_a_remote_that_asks_for_a_long_pause_gets_it_at_once(database: Database) -> None:
    with serving(says(429, headers={"Retry-After": "600"})) as server, client(remote(server), database) as web:
        for _ in range(2):
            with pytest.raises(Waiting) as waiting:
                web.get("/x")
        assert len(server.asked) == 1
    assert timedelta(minutes=9) < waiting.value.until - datetime.now(UTC) <= timedelta(minutes=10)


def test_the_budget_of_a_day_holds_for_all_and_begins_anew(database: Database) -> None:
    with serving(FINE) as server:
        for _ in range(2):
            with client(remote(server, calls_a_day=2), database) as web:
                web.get("/x")
        with client(remote(server, calls_a_day=2), database) as web:
            with pytest.raises(Waiting, match="the 2 calls a day of shop are used up") as waiting:
                web.get("/x")
            assert (waiting.value.until.hour, waiting.value.until.minute) == (0, 0)
            with database.transaction() as db:
                db.execute("UPDATE log.remotes SET day = day - 1")
            assert web.get("/x").status_code == 200
        assert len(server.asked) == 3
    assert [s.used_today for s in states(database)] == [1]


def test_calls_keep_their_distance(database: Database) -> None:
    """By the turns that were given out, not by a clock."""
    with serving(FINE) as server, client(remote(server, calls_a_second=50), database) as web:
        with database.transaction() as db:
            (began,) = db.execute("SELECT clock_timestamp()").fetchone() or ()
        for _ in range(6):
            web.get("/x")
        with database.transaction() as db:
            (next_at,) = db.execute("SELECT next_at FROM log.remotes").fetchone() or ()
    assert next_at - began >= timedelta(seconds=6 / 50)


def test_an_answer_is_kept_for_all_processes_until_it_is_old(database: Database) -> None:
    with serving(says(200, b"1"), says(200, b"2")) as server:
        for _ in range(2):
            with client(remote(server), database, cache_seconds=60) as web:
                assert web.get("/x", params={"a": "b"}).json() == 1
        assert len(server.asked) == 1
        with database.transaction() as db:
            db.execute("UPDATE log.http_cache SET expires_at = now()")
        with client(remote(server), database, cache_seconds=60) as web:
            assert web.get("/x", params={"a": "b"}).json() == 2


def test_what_is_kept_is_bounded_and_names_no_secret(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meal_assets.clients.caching.MOST_ENTRIES", 3)
    with serving(FINE) as server, client(remote(server), database, cache_seconds=60) as web:
        for n in range(5):
            web.get(f"/{n}", params={"token": "s3cret"}, headers={"Authorization": "Bearer s3cret"})
    with database.transaction() as db:
        rows = db.execute("SELECT h::text FROM log.http_cache AS h").fetchall()
    assert len(rows) == 3
    assert "s3cret" not in str(rows)


def test_a_no_is_not_kept(database: Database) -> None:
    with serving(says(404), FINE) as server, client(remote(server), database, cache_seconds=60) as web:
        assert web.get("/x").status_code == 404
        assert web.get("/x").status_code == 200


def test_a_call_may_say_under_which_key_it_is_kept(database: Database) -> None:
    with serving(FINE) as server, client(remote(server), database, cache_seconds=60) as web:
        for nonce in "ab":
            web.get("/x", params={"nonce": nonce}, extensions={"caching": {"key": cache_key("ada", "/x")}})
        assert len(server.asked) == 1


def test_no_url_is_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serving(FINE) as server, client(remote(server), database) as web:
        web.get("/x", params={"token": "s3cret"})
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("told", "seconds"), [("120", 120), ("", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_read_as_it_is_written(told: str, seconds: int | None) -> None:
    wait = retry_after(httpx.Response(503, headers={"Retry-After": told}))
    assert wait == (None if seconds is None else timedelta(seconds=seconds))
