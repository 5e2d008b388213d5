"""Appends that meet share a transaction, and each still gets its own answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from meal_assets.errors import OnceConflict, StaleVersion
from meal_assets.event_store import Appended, Database, EventStore, Origin

from .material import LIST, ticks, until_blocked

MANY = 8


def meeting(store: EventStore, database_url: str, *appends: Callable[[], Appended]) -> list[Appended | Exception]:
    """Answers of appends that all come while another connection holds the append lock, so that they share a commit."""

    def answer(append: Callable[[], Appended]) -> Appended | Exception:
        try:
            return append()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(appends) + 1) as threads, psycopg.connect(database_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(7236835, 1)")
        leader = threads.submit(store.append, "home/first", ticks("first"), origin=Origin("home", "test"))
        until_blocked(database_url, leader)
        together = Barrier(len(appends) + 1)
        answers = [threads.submit(lambda a=append: (together.wait(), answer(a))[1]) for append in appends]
        together.wait()
        holder.commit()
        leader.result()
        return [a.result() for a in answers]


def test_many_at_once_are_all_there_once_and_in_order(store: EventStore, database_url: str, origin: Origin) -> None:
    said = [lambda n=n: store.append(f"home/x/{n}", ticks(str(n)), origin=origin) for n in range(MANY)]
    answers = meeting(store, database_url, *said)
    positions = sorted(a.first for a in answers if isinstance(a, Appended))
    assert positions == list(range(2, MANY + 2))
    for n, answer in enumerate(answers):
        assert isinstance(answer, Appended)
        (recorded,) = store.read(answer.first - 1, limit=1)
        assert (recorded.stream, recorded.event) == (f"home/x/{n}", ticks(str(n))[0])
    assert store.first_broken_link() is None


def test_one_that_is_refused_costs_the_others_nothing(store: EventStore, database_url: str, origin: Origin) -> None:
    store.append(LIST, ticks("a"), origin=origin, once="taken")
    answers = meeting(
        store,
        database_url,
        lambda: store.append("home/good/1", ticks("b"), origin=origin),
        lambda: store.append(LIST, ticks("c"), origin=origin, expected_version=7),
        lambda: store.append(LIST, ticks("d"), origin=origin, once="taken"),
        lambda: store.append("home/good/2", ticks("e"), origin=origin),
    )
    assert [type(a) for a in answers] == [Appended, StaleVersion, OnceConflict, Appended]
    assert store.head() == 4
    assert store.first_broken_link() is None


def test_the_same_key_twice_in_a_group_is_said_once(store: EventStore, database_url: str, origin: Origin) -> None:
    twice = [lambda: store.append(LIST, ticks("a"), origin=origin, once="key")] * 2
    answers = meeting(store, database_url, *twice)
    assert {a.first for a in answers if isinstance(a, Appended)} == {2}
    assert sorted(a.said_before for a in answers if isinstance(a, Appended)) == [False, True]


def test_text_that_needs_escaping_comes_through_a_group_unchanged(
    store: EventStore, database_url: str, origin: Origin
) -> None:
    odd = ['"quoted"', "back\\slash", "new\nline", "日本語 🍲", "{}"]
    answers = meeting(
        store,
        database_url,
        *(lambda t=text: store.append(f"home/{t}", ticks(t), origin=Origin('ho"me', "te\\st")) for text in odd),
    )
    assert all(isinstance(a, Appended) for a in answers), answers
    found = {r.stream: (r.event, r.household, r.actor) for r in store.read(1)}
    assert found == {f"home/{text}": (ticks(text)[0], 'ho"me', "te\\st") for text in odd}


def test_after_a_lost_connection_the_next_append_goes_through(
    database: Database, store: EventStore, database_url: str, origin: Origin
) -> None:
    with database.statement() as connection:
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        store.append(LIST, ticks("lost"), origin=origin)
    assert store.append(LIST, ticks("found"), origin=origin).first == 1
