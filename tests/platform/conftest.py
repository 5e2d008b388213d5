"""A Dagster instance and our definitions, over the test's own database."""

from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest

from meal_assets.contracts import EVENTS
from meal_assets.event_store import Database, EventStore, Origin


@pytest.fixture
def instance(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance of its own; what runs in it finds the test's database by the environment, as in production."""
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def history(store: EventStore, origin: Origin) -> int:
    """One event of each type; the head they reach."""
    for event in EVENTS.values():
        said = event.from_stored(event.version, event.examples[0])
        store.append(said.stream_in("home"), [said], origin=origin)
    return store.head()


@pytest.fixture
def superuser(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that may do anything."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        yield connection
