"""What only the store's tests need: a superuser's hands, and one database that holds every example."""

from collections.abc import Iterator

import psycopg
import pytest

from meal_assets.contracts import EVENTS
from meal_assets.event_store import Connection, EventStore, Origin

from .material import shared_store


@pytest.fixture
def superuser(database_url: str) -> Iterator[Connection]:
    """The owner of everything, who can do what the application cannot."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="package")
def library(server_url: str) -> Iterator[EventStore]:
    """A log with all examples of all events, an append each, for tests that only read."""
    with shared_store(server_url, "library") as store:
        for event in EVENTS.values():
            for example in event.examples:
                said = event.model_validate(example)
                store.append(said.stream_in("home"), [said], origin=Origin("home", "test"))
        yield store
