"""An event whose id the caller gives is appended once, whoever repeats it and whenever."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from meal_assets.contracts import Event
from meal_assets.contracts.shopping import ItemUnticked
from meal_assets.errors import IdConflict, StaleVersion
from meal_assets.event_store import Appended, Connection, EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.records import uuid7

from .material import LIST, PATIENCE, WEEK, small_partitions, ticks, until_blocked

HOME = Origin("home", "test")


def new(count: int) -> list[UUID]:
    return [uuid7() for _ in range(count)]


def again(said: Appended) -> Appended:
    return Appended(said.first, said.last, said.stream_version, True)


@pytest.mark.parametrize("count", [1, 3])
def test_a_repeat_gets_the_first_answer(store: EventStore, count: int) -> None:
    store.append(LIST, ticks("before"), origin=HOME)
    ids, events = new(count), ticks(*"abc"[:count])
    said = store.append(LIST, events, origin=HOME, event_ids=ids, expected_version=1)
    assert said == Appended(2, 1 + count, 1 + count, False)
    assert [r.event_id for r in store.read(after=1)] == ids
    store.append(LIST, ticks("after"), origin=HOME)
    repeated = store.append(LIST, events, origin=Origin("home", "again"), event_ids=ids, expected_version=1)
    assert repeated == again(said)
    assert store.head() == count + 2
    with pytest.raises(StaleVersion):
        store.append(LIST, events, origin=HOME, event_ids=new(count), expected_version=1)


@pytest.mark.parametrize("count", [1, 3])
def test_other_events_under_the_same_ids_are_a_conflict(store: EventStore, count: int) -> None:
    ids, events = new(count), ticks(*"abc"[:count])
    store.append(LIST, events, origin=HOME, event_ids=ids)
    others: list[tuple[str, list[Event]]] = [
        (LIST, [*events[:-1], *ticks("z")]),
        ("home/shopping/other", [*events]),
        (LIST, [*events[:-1], ItemUnticked(week=WEEK, item="a")]),
    ]
    for stream, other in others:
        with pytest.raises(IdConflict, match="stand for other events, from position 1: give new events new ids"):
            store.append(stream, other, origin=HOME, event_ids=ids)
    assert store.head() == count


def test_some_of_them_or_another_order_are_a_conflict(store: EventStore) -> None:
    ids = new(4)
    store.append(LIST, ticks(*"aaa"), origin=HOME, event_ids=ids[:3])
    for other in (ids, ids[1:], [ids[1], ids[0], ids[2]]):
        with pytest.raises(IdConflict):
            store.append(LIST, ticks(*["a"] * len(other)), origin=HOME, event_ids=other)
    assert store.append(LIST, ticks("a", "a"), origin=HOME, event_ids=ids[1:3]).first == 2, "a part, in order, is there"
    assert store.head() == 3


def test_an_id_that_the_store_made_is_taken_too(store: EventStore) -> None:
    store.append(LIST, ticks("a"), origin=HOME)
    (recorded,) = store.read()
    with pytest.raises(IdConflict):
        store.append(LIST, ticks("b"), origin=HOME, event_ids=[recorded.event_id])


def test_an_id_is_found_in_a_former_partition(store: EventStore, superuser: Connection) -> None:
    small_partitions(superuser, 10)
    ids = new(2)
    said = store.append(LIST, ticks("a", "b"), origin=HOME, event_ids=ids)
    append_bulk(store, [(LIST, one) for one in ticks(*map(str, range(30)))], HOME)
    assert store.append(LIST, ticks("a", "b"), origin=HOME, event_ids=ids) == again(said)
    with pytest.raises(IdConflict):
        store.append(LIST, ticks("b"), origin=HOME, event_ids=ids[:1])


def test_a_key_goes_before_ids(store: EventStore) -> None:
    said = store.append(LIST, ticks("a"), origin=HOME, event_ids=new(1), once="key")
    assert store.append(LIST, ticks("a"), origin=HOME, event_ids=new(1), once="key") == again(said)
    assert store.head() == 1


@pytest.mark.parametrize("ids", [[], new(1), [UUID(int=1)] * 2])
def test_each_event_has_an_id_of_its_own(store: EventStore, ids: list[UUID]) -> None:
    with pytest.raises(ValueError, match="an id of its own for each event"):
        store.append(LIST, ticks("a", "b"), origin=HOME, event_ids=ids)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("commits", [True, False])
def test_of_two_at_once_one_appends(store: EventStore, count: int, commits: bool) -> None:
    ids, events = new(count), ticks("a", "b")[:count]

    def append() -> Appended:
        return store.append(LIST, events, origin=HOME, event_ids=ids)

    with ThreadPoolExecutor(1) as other, store.database.transaction() as db:
        said = store.append(LIST, events, origin=HOME, event_ids=ids, within=db)
        second = other.submit(append)
        until_blocked(store.database.url, second)
        if not commits:
            raise psycopg.Rollback
    assert second.result(PATIENCE) == (again(said) if commits else said)
    assert store.head() == count


def test_many_at_once_share_one_answer(store: EventStore) -> None:
    ids = new(10)

    def repeat(n: int) -> Callable[[], Appended]:
        return lambda: store.append(LIST, ticks(f"item {n % 10}"), origin=HOME, event_ids=[ids[n % 10]])

    with ThreadPoolExecutor(8) as threads:
        said = [f.result(PATIENCE) for f in [threads.submit(repeat(n)) for n in range(80)]]
    assert store.head() == 10
    for n in range(10):
        assert len({one.first for one in said[n::10]}) == 1
        assert [one.said_before for one in said[n::10]].count(False) == 1
