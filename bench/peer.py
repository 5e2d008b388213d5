"""pyeventsourcing on the same server, as its own documentation sets it up for speed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID


@contextmanager
def recorder(url: str, **options: str) -> Iterator[Any]:
    """Its PostgreSQL application recorder, with its database functions."""
    from eventsourcing.postgres import PostgresFactory
    from eventsourcing.utils import Environment

    factory = PostgresFactory(Environment("bench", environment(url) | options))
    try:
        yield factory.application_recorder()
    finally:
        factory.close()


def environment(url: str) -> dict[str, str]:
    """Its settings for this server."""
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parse_qs(parts.query)["host"][0],
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": parts.password or "x",
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    }


def stored_events(originator: UUID, count: int, state: bytes) -> Iterator[Any]:
    """Events as its recorder takes them: already encoded."""
    from eventsourcing.persistence import StoredEvent

    for version in range(1, count + 1):
        yield StoredEvent(originator, version, "bench:Event", state)
