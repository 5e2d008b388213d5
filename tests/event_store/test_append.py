"""An append is all or nothing, at the version the caller saw, and said once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meal_assets.contracts.shopping import ItemTicked
from meal_assets.errors import Invalid, OnceConflict, StaleVersion
from meal_assets.event_store import Appended, Connection, Database, EventStore, Origin
from meal_assets.event_store.records import uuid7

from .material import LIST, PATIENCE, WEEK, ticks, until_blocked


def items(store: EventStore, stream: str = LIST) -> list[str]:
    return [r.event.item for r in store.read_stream(stream) if isinstance(r.event, ItemTicked)]


def test_positions_count_from_one_without_a_gap(store: EventStore, origin: Origin) -> None:
    assert store.head() == 0
    assert store.append(LIST, ticks("oats"), origin=origin) == Appended(1, 1, 1, said_before=False)
    assert store.append("home/other", ticks("a", "b", "c"), origin=origin) == Appended(2, 4, 3, said_before=False)
    assert store.append(LIST, ticks("salt", "milk"), origin=origin) == Appended(5, 6, 3, said_before=False)
    assert [(r.position, r.stream, r.stream_version) for r in store.read()] == [
        (1, LIST, 1),
        (2, "home/other", 1),
        (3, "home/other", 2),
        (4, "home/other", 3),
        (5, LIST, 2),
        (6, LIST, 3),
    ]
    assert store.head() == 6


def test_an_event_comes_back_with_its_envelope(store: EventStore) -> None:
    cause, command = uuid7(), uuid7()
    origin = Origin("home", "ada", correlation_id=command, causation_id=cause)
    happened = datetime(2026, 11, 23, 18, 30, 15, 123456, tzinfo=UTC)
    (tick,) = ticks("rote Linsen, 300 g – „bio“ 🌱")
    store.append(LIST, [tick], origin=origin, occurred_at=happened)
    (recorded,) = store.read()
    assert recorded.event == tick
    assert (recorded.household, recorded.actor) == ("home", "ada")
    assert (recorded.correlation_id, recorded.causation_id) == (command, cause)
    assert recorded.occurred_at == happened
    assert abs(recorded.recorded_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_is_said_in_answer_carries_the_command_and_its_cause(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("oats"), origin=origin)
    (recorded,) = store.read()
    assert recorded.origin_of_reaction("consumer/x") == Origin(
        "home", "consumer/x", origin.correlation_id, recorded.event_id
    )


def test_without_a_moment_of_its_own_an_event_happened_now(store: EventStore, origin: Origin) -> None:
    before = datetime.now(UTC)
    store.append(LIST, ticks("oats", "salt"), origin=origin)
    assert all(before <= r.occurred_at <= datetime.now(UTC) for r in store.read())


def test_event_ids_are_uuids_of_version_7_in_the_order_of_time() -> None:
    stamps = [uuid7().int >> 80 for _ in range(100)]
    assert stamps == sorted(stamps)
    one = uuid7()
    assert (one.version, one.variant) == (7, UUID(int=0x8 << 60).variant)
    assert abs((one.int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5


def test_an_append_of_nothing_is_a_mistake_of_the_caller(store: EventStore, origin: Origin) -> None:
    with pytest.raises(ValueError, match="at least one event"):
        store.append(LIST, [], origin=origin)


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_a_stream_that_moved_on_refuses_and_says_where_it_is(store: EventStore, origin: Origin, expected: int) -> None:
    store.append(LIST, ticks("oats", "salt"), origin=origin, expected_version=0)
    with pytest.raises(StaleVersion, match="is at version 2, not") as refused:
        store.append(LIST, ticks("milk"), origin=origin, expected_version=expected)
    assert (refused.value.stream, refused.value.expected, refused.value.actual) == (LIST, expected, 2)
    assert items(store) == ["oats", "salt"]


def test_the_version_that_was_seen_is_accepted(store: EventStore, origin: Origin) -> None:
    assert store.append(LIST, ticks("oats"), origin=origin, expected_version=0).stream_version == 1
    assert store.append(LIST, ticks("salt"), origin=origin, expected_version=1).stream_version == 2


def test_a_version_is_counted_in_each_stream(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("oats", "salt"), origin=origin)
    assert store.append("home/other", ticks("milk"), origin=origin, expected_version=0).stream_version == 1


def test_one_event_that_cannot_be_stored_keeps_out_the_whole_append(store: EventStore, origin: Origin) -> None:
    with pytest.raises(Invalid, match="NUL"):
        store.append(LIST, ticks("oats", "sa\x00lt"), origin=origin, once="key")
    assert store.head() == 0
    assert store.append(LIST, ticks("milk"), origin=origin, once="key") == Appended(1, 1, 1, said_before=False)


def test_an_append_within_a_transaction_goes_with_it(database: Database, store: EventStore, origin: Origin) -> None:
    with database.transaction() as db:
        store.append(LIST, ticks("oats"), origin=origin, once="key", within=db)
        raise psycopg.Rollback
    assert store.read() == []
    with database.transaction() as db:
        assert store.append(LIST, ticks("salt"), origin=origin, once="key", within=db).first == 1
        assert store.append(LIST, ticks("milk"), origin=origin, within=db).first == 2
        assert store.head() == 0
    assert items(store) == ["salt", "milk"]


def test_a_repeat_gets_the_first_answer_and_says_nothing_new(store: EventStore, origin: Origin) -> None:
    first = store.append(LIST, ticks("oats", "salt"), origin=origin, once="key", expected_version=0)
    store.append(LIST, ticks("milk"), origin=origin)
    again = store.append(LIST, ticks("oats", "salt"), origin=Origin("home", "x"), once="key", expected_version=0)
    assert (again.first, again.last, again.stream_version) == (first.first, first.last, first.stream_version)
    assert (first.said_before, again.said_before) == (False, True)
    assert items(store) == ["oats", "salt", "milk"]


@pytest.mark.parametrize(("stream", "what"), [(LIST, ("salt",)), (LIST, ("oats", "oats")), ("home/other", ("oats",))])
def test_a_key_stands_for_what_was_said_with_it(
    store: EventStore, origin: Origin, stream: str, what: tuple[str, ...]
) -> None:
    store.append(LIST, ticks("oats"), origin=origin, once="key")
    with pytest.raises(OnceConflict, match="'key' stands for other events: use another key"):
        store.append(stream, ticks(*what), origin=origin, once="key")
    assert store.head() == 1


def test_the_same_words_with_another_key_are_said_again(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("oats"), origin=origin, once="monday")
    assert store.append(LIST, ticks("oats"), origin=origin, once="tuesday").first == 2


@pytest.fixture
def pair(database: Database) -> Iterator[list[Connection]]:
    """Two open connections, so that a race is between appends and not between connects."""
    with ExitStack() as stack:
        yield [stack.enter_context(database.dedicated()) for _ in range(2)]


def test_of_two_that_saw_the_same_version_exactly_one_wins(
    store: EventStore, pair: list[Connection], origin: Origin
) -> None:
    rounds = 25
    meet = Barrier(2, timeout=PATIENCE)

    def race(connection: Connection) -> list[Appended | StaleVersion]:
        answers: list[Appended | StaleVersion] = []
        for seen in range(rounds):
            meet.wait()
            try:
                with connection.transaction():
                    answers.append(
                        store.append(LIST, ticks("x"), origin=origin, expected_version=seen, within=connection)
                    )
            except StaleVersion as stale:
                answers.append(stale)
        return answers

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(race, pair)
    for seen, answers in enumerate(zip(one, two, strict=True)):
        (won,) = (a for a in answers if isinstance(a, Appended))
        (lost,) = (a for a in answers if isinstance(a, StaleVersion))
        assert (won.stream_version, lost.expected, lost.actual) == (seen + 1, seen, seen + 1)
    assert store.head() == rounds


def test_who_waited_for_another_is_told_that_the_stream_moved_on(
    database_url: str, store: EventStore, origin: Origin
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with store.database.transaction() as db:
            store.append(LIST, ticks("oats"), origin=origin, expected_version=0, within=db)
            second = threads.submit(store.append, LIST, ticks("salt"), origin=origin, expected_version=0)
            until_blocked(database_url, second)
        with pytest.raises(StaleVersion, match="is at version 1, not 0"):
            second.result(PATIENCE)


@pytest.mark.parametrize("commits", [True, False])
def test_who_waited_to_say_the_same_says_it_only_if_the_other_did_not(
    database_url: str, store: EventStore, origin: Origin, commits: bool
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with store.database.transaction() as db:
            store.append(LIST, ticks("oats"), origin=origin, once="key", within=db)
            second = threads.submit(store.append, LIST, ticks("oats"), origin=origin, once="key")
            until_blocked(database_url, second)
            if not commits:
                raise psycopg.Rollback
        assert second.result(PATIENCE) == Appended(1, 1, 1, said_before=commits)
    assert items(store) == ["oats"]


def test_many_who_say_the_same_at_once_append_it_once(
    store: EventStore, pair: list[Connection], origin: Origin
) -> None:
    rounds = 25
    meet = Barrier(2, timeout=PATIENCE)

    def race(connection: Connection) -> list[Appended]:
        answers = []
        for n in range(rounds):
            meet.wait()
            with connection.transaction():
                answers.append(store.append(LIST, ticks(f"{n}"), origin=origin, once=f"key {n}", within=connection))
        return answers

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(race, pair)
    assert items(store) == [f"{n}" for n in range(rounds)]
    for a, b in zip(one, two, strict=True):
        assert (a.first, a.last) == (b.first, b.last)
        assert {a.said_before, b.said_before} == {True, False}


words = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=40)


@settings(max_examples=50, deadline=None)
@given(batches=st.lists(st.lists(words, min_size=1, max_size=3), min_size=1, max_size=3))
def test_whatever_is_said_comes_back_in_order_letter_for_letter(library: EventStore, batches: list[list[str]]) -> None:
    with library.database.transaction() as db:
        head = library.head()
        at = [library.append(LIST, ticks(*b), origin=Origin("home", "x"), within=db) for b in batches]
        rows = db.execute("SELECT position, payload FROM log.events WHERE position > %s ORDER BY 1", (head,)).fetchall()
        raise psycopg.Rollback
    said = [item for batch in batches for item in batch]
    assert [(p, ItemTicked.from_stored(1, x)) for p, x in rows] == [
        (head + n, ItemTicked(week=WEEK, item=item)) for n, item in enumerate(said, start=1)
    ]
    assert [a.last - a.first + 1 for a in at] == [len(b) for b in batches]
