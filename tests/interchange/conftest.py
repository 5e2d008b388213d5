"""A log to carry events from, and an empty one to carry them to."""

from collections.abc import Iterator

import pytest

from meal_assets.contracts import EVENTS
from meal_assets.event_store import EventStore
from tests.event_store.material import shared_store

from .material import Drunk, fill


@pytest.fixture(autouse=True)
def _drunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event with an old version is among the known ones."""
    monkeypatch.setitem(EVENTS, Drunk.type_name, Drunk)


@pytest.fixture(scope="session")
def full(server_url: str) -> Iterator[EventStore]:
    """A log with everything that is hard to carry, for tests that only read it."""
    with shared_store(server_url, "hard_to_carry") as store:
        fill(store)
        yield store


@pytest.fixture
def other(server_url: str) -> Iterator[EventStore]:
    """An empty log in another database."""
    with shared_store(server_url, "other") as store:
        yield store
