"""Single appends with lock, version check, hash chain and notification, beside a bare INSERT of the same row."""

import psycopg

from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin

from .figures import Figure, rates
from .scratch import scratch_store

EVENTS = 500


def run() -> list[Figure]:
    with scratch_store() as store, psycopg.connect(store.database.url, autocommit=True) as bare:
        bare.execute("CREATE TABLE bare (LIKE log.events INCLUDING ALL)")
        ours, limit = rates(EVENTS, lambda: _append(store), lambda: _insert(bare))
    return [
        Figure(
            "append", ours, "events/s", "≥ 0.3× a bare INSERT", ours >= 0.3 * limit, limit=limit, limit_name="INSERT"
        )
    ]


def _append(store: EventStore) -> None:
    event = WeightRecorded.model_validate(WeightRecorded.examples[0])
    origin = Origin("home", "bench")
    for _ in range(EVENTS):
        store.append(event.stream_in("home"), [event], origin=origin)


def _insert(bare: "psycopg.Connection[tuple[object, ...]]") -> None:
    row = bare.execute("SELECT coalesce(max(position), 0) FROM bare").fetchone()
    first = int(str(row[0])) + 1 if row else 1
    for position in range(first, first + EVENTS):
        bare.execute(
            "INSERT INTO bare VALUES (%s, gen_random_uuid(), 's', %s, 'body.WeightRecorded', 1, %s::jsonb, 'home',"
            " 'bench', gen_random_uuid(), NULL, now(), now(), sha256(''))",
            (position, position, '{"person": "ada", "day": "2026-11-22", "weight_kg": 64.2}'),
        )
