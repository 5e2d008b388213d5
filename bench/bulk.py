"""Bulk append with envelope, chain and validation, beside the peer's batches of 1,000 and a bare binary COPY."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg

from meal_assets.contracts import Event
from meal_assets.contracts.diary import MealLogged
from meal_assets.event_store import Origin
from meal_assets.event_store.bulk import append_bulk

from .figures import Figure, rates
from .peer import recorder, stored_events
from .scratch import scratch_store

EVENTS = 200_000
BATCH = 1_000
PERSONS = 50


def run(events: int = EVENTS) -> list[Figure]:
    with scratch_store() as store, recorder(store.database.url) as peer:
        append_bulk(store, diary_events(events), Origin("home", "bench"))
        rows = _binary(store.database.url, events)
        ours, theirs, copied = rates(
            events,
            lambda: append_bulk(store, diary_events(events), Origin("home", "bench")),
            lambda: _peer(peer, events),
            lambda: _copy(store.database.url, rows),
            rounds=3,
        )
    return [
        Figure(
            "bulk",
            ours,
            "events/s",
            "≥ 4× the peer, ≥ 0.5 of COPY",
            ours >= 4 * theirs and ours >= 0.5 * copied,
            peer=theirs,
            peer_name="pyeventsourcing, 1,000 a batch",
            limit=copied,
            limit_name="binary COPY with the same indexes",
        )
    ]


def diary_events(count: int) -> Iterator[tuple[str, Event]]:
    """Validated one by one, as an import does."""
    example = MealLogged.examples[1]
    for n in range(count):
        person, day = n % PERSONS, n // PERSONS % 336
        event = MealLogged.model_validate(
            example | {"entry": f"e{n}", "person": f"p{person}", "day": f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}"}
        )
        yield event.stream_in("home"), event


def _peer(peer: Any, events: int) -> None:
    state = MealLogged.model_validate(MealLogged.examples[1]).model_dump_json().encode()
    for _ in range(events // BATCH):
        peer.insert_events(list(stored_events(uuid.uuid4(), BATCH, state)))


def _binary(url: str, events: int) -> list[bytes]:
    """The first events of the log as COPY gives and takes them."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        query = f"COPY (SELECT * FROM log.events ORDER BY position LIMIT {events}) TO STDOUT (FORMAT BINARY)"
        with cursor.copy(query) as copy:
            return [bytes(data) for data in copy]


def _copy(url: str, rows: list[bytes]) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare (LIKE log.events_1 INCLUDING ALL)")
        cursor.execute("TRUNCATE bare")
        with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
            for data in rows:
                copy.write(data)
