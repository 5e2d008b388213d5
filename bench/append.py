"""Appends of single events: lock, version check, hash chain and notification, beside the peer and a bare INSERT.

The peer is pyeventsourcing's PostgreSQL recorder with its database functions, which neither chains nor serialises.
"""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg

from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin

from .figures import Figure, rates
from .peer import recorder, stored_events
from .scratch import scratch_store

EVENTS = 600
EVENT = WeightRecorded.model_validate(WeightRecorded.examples[0])


def run() -> list[Figure]:
    return [_figure(1), _figure(4)]


def _figure(writers: int) -> Figure:
    with scratch_store() as store, recorder(store.database.url) as peer:
        with store.database.dedicated() as connection:
            connection.execute("RESET ROLE")
            connection.execute("CREATE TABLE bare (LIKE log.events_1 INCLUDING ALL)")
            connection.execute("CREATE SEQUENCE bare_position")
        ours, theirs, bare = rates(
            EVENTS,
            lambda: _together(writers, lambda n: _append(store, n)),
            lambda: _together(writers, lambda n: _peer(peer, n)),
            lambda: _together(writers, lambda n: _insert(store.database.url, n)),
        )
    return Figure(
        f"append, {writers} writer{'s' if writers > 1 else ''}",
        ours,
        "events/s",
        "≥ 1.5× the peer, ≥ 0.7 of INSERT",
        ours >= 1.5 * theirs and ours >= 0.7 * bare,
        peer=theirs,
        peer_name="pyeventsourcing",
        limit=bare,
        limit_name="INSERT + COMMIT",
    )


def _together(writers: int, write: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=write, args=(EVENTS // writers,)) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _append(store: EventStore, count: int) -> None:
    stream, origin = f"home/body/{uuid.uuid4().hex}", Origin("home", "bench")
    for _ in range(count):
        store.append(stream, [EVENT], origin=origin)


def _peer(peer: Any, count: int) -> None:
    for event in stored_events(uuid.uuid4(), count, EVENT.model_dump_json().encode()):
        peer.insert_events([event])


def _insert(url: str, count: int) -> None:
    """One row of the log's shape with the log's indexes, and nothing else."""
    with psycopg.connect(url, autocommit=True) as connection:
        stream = uuid.uuid4().hex
        for version in range(count):
            connection.execute(
                "INSERT INTO bare VALUES (nextval('bare_position'), %s, %s, %s, 'body.WeightRecorded', 1, %s::jsonb,"
                " 'home', 'bench', %s, NULL, now(), now(), sha256(''))",
                (uuid.uuid4(), stream, version, EVENT.model_dump_json(), uuid.uuid4()),
            )
