"""Bulk appends: the same log as one by one, resumable, and refused whole where a key stands for something else."""

import pytest

from meal_assets.contracts import EVENTS, Event
from meal_assets.errors import OnceConflict
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk

from .material import LIST, ticks

PAIRS: list[tuple[str, Event]] = [
    (said.stream_in("home"), said)
    for event in EVENTS.values()
    for said in [event.from_stored(event.version, example) for example in event.examples]
]


def told(store: EventStore) -> list[tuple[object, ...]]:
    return [(r.position, r.stream, r.stream_version, r.household, r.actor, r.event) for r in store.read()]


def test_it_is_the_log_that_single_appends_make(store: EventStore, origin: Origin, server_url: str) -> None:
    assert append_bulk(store, PAIRS, origin, chunk=7) == len(PAIRS)
    in_bulk = told(store)
    singles = [
        (p, stream, version, "home", "test", event)
        for p, (stream, version, event) in enumerate(_versions(PAIRS), start=1)
    ]
    assert in_bulk == singles
    assert store.first_broken_link() is None


def _versions(pairs: list[tuple[str, Event]]) -> list[tuple[str, int, Event]]:
    at: dict[str, int] = {}
    found = []
    for stream, event in pairs:
        at[stream] = at.get(stream, 0) + 1
        found.append((stream, at[stream], event))
    return found


def test_streams_go_on_where_they_stood(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a", "b"), origin=origin)
    append_bulk(store, [(LIST, ticks("c")[0]), ("home/other", ticks("x")[0]), (LIST, ticks("d")[0])], origin)
    assert [r.stream_version for r in store.read_stream(LIST)] == [1, 2, 3, 4]
    assert store.append(LIST, ticks("e"), origin=origin, expected_version=4).first == 6
    assert store.first_broken_link() is None


def test_interrupted_and_begun_again_it_says_only_what_is_missing(store: EventStore, origin: Origin) -> None:
    def stopped(at: int) -> list[tuple[str, Event]]:
        return PAIRS[:at]

    append_bulk(store, stopped(10), origin, once="import", chunk=5)
    assert append_bulk(store, PAIRS, origin, once="import", chunk=5) == len(PAIRS)
    assert store.head() == len(PAIRS)
    assert [r.event for r in store.read()] == [event for _, event in PAIRS]


def test_a_key_that_stands_for_other_events_refuses_the_chunk(store: EventStore, origin: Origin) -> None:
    append_bulk(store, PAIRS[:5], origin, once="import", chunk=5)
    with pytest.raises(OnceConflict):
        append_bulk(store, PAIRS[1:6], origin, once="import", chunk=5)
    assert store.head() == 5


def test_progress_is_told_after_each_chunk(store: EventStore, origin: Origin) -> None:
    seen: list[int] = []
    append_bulk(store, PAIRS[:10], origin, chunk=4, progress=seen.append)
    assert seen == [4, 8, 10]


def test_nothing_to_append_is_nothing_appended(store: EventStore, origin: Origin) -> None:
    assert append_bulk(store, [], origin) == 0
    assert store.head() == 0
