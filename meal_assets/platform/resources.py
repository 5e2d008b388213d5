"""The database, as Dagster's assets and sensors get it. Its URL never is run config: it comes from the environment."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings


class Log(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic over what it gives, which is itself
    """The event log."""

    _store: EventStore = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, _context: dg.InitResourceContext) -> Generator["Log", None, None]:
        with Database.open(Settings()) as database:
            self._store = EventStore(database)
            yield self

    @property
    def store(self) -> EventStore:
        return self._store
