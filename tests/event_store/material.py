"""Events to append, the log as another program would write it, and two sides of a race made to meet."""

import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from meal_assets.contracts.shopping import ItemTicked
from meal_assets.event_store import Connection, Database, EventStore
from meal_assets.event_store.records import uuid7

WEEK = date(2026, 11, 23)
LIST = "home/shopping/2026-11-23"
PATIENCE = 10.0
"""Seconds after which a thread that should have come back never will."""


def ticks(*items: str) -> list[ItemTicked]:
    return [ItemTicked(week=WEEK, item=item) for item in items]


@contextmanager
def shared_store(server_url: str, name: str) -> Iterator[EventStore]:
    """A log in a database of its own, for tests that leave it as they found it."""
    name = f"{name}_{uuid7().hex[-12:]}"  # a worker may come back to a folder, and to its fixtures
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY file_copy")
    with Database(server_url.replace("/postgres?", f"/{name}?", 1)) as database:
        yield EventStore(database)


def append_stored(db: Connection, stream: str, type_name: str, version: int, payload: dict[str, Any]) -> int:
    """Append one event as a program of another age would have; its position."""
    row = db.execute(
        "SELECT first_position FROM log.append_one(%s, NULL, NULL, 'home', 'test', %s, NULL, %s, %s, %s, %s, now())",
        (stream, uuid7(), uuid7(), type_name, version, Jsonb(payload)),
    ).fetchone()
    assert row is not None
    return int(row[0])


def small_partitions(owner: Connection, size: int) -> None:
    """Make an empty log one of partitions of so many positions."""
    owner.execute(
        f"CREATE OR REPLACE FUNCTION log.partition_size() RETURNS bigint LANGUAGE sql AS 'SELECT {size}::bigint';"
        " ALTER TABLE log.events DETACH PARTITION log.events_1;"
        f" ALTER TABLE log.events ATTACH PARTITION log.events_1 FOR VALUES FROM (MINVALUE) TO ({size + 1});"
        f" UPDATE log.partitions SET last = {size}, next_at = {size - size // 2}"
    )


def until_blocked(database_url: str, future: Future[Any]) -> None:
    """Return when one connection to the database waits for another; fail when the work ends without that."""
    with psycopg.connect(database_url, autocommit=True) as look:
        for _ in range(1_000):
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            if look.execute(query + " AND cardinality(pg_blocking_pids(pid)) > 0").fetchone() == (1,):
                return
            with suppress(TimeoutError):
                raise AssertionError(f"did not wait, but came back with {future.result(timeout=0.01)!r}")
    raise AssertionError("nobody waits, and nobody came back")


def environment(**settings: str) -> dict[str, str]:
    """The environment of a child process: this one's, without its settings but the key to texts, with these."""
    return {k: v for k, v in os.environ.items() if k == "MEALS_KEY" or not k.startswith("MEALS_")} | settings
