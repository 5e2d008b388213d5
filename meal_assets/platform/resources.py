"""The database and the services outside, as Dagster's assets and sensors get them.

No URL and no token ever is run config: they come from the environment.
"""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr

from meal_assets.clients.outside import Outside
from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings


class Log(dg.ConfigurableResource):  # type: ignore[type-arg]  # generic over what it gives, which is itself
    """The event log, and whom its consumers know outside."""

    _store: EventStore = PrivateAttr()
    _outside: Outside = PrivateAttr()
    _zone: str = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, _context: dg.InitResourceContext) -> Generator["Log", None, None]:
        settings = Settings()
        with Database.open(settings) as database:
            self._store, self._outside = EventStore(database), Outside.of(settings)
            self._zone = settings.zone.key
            yield self

    @property
    def store(self) -> EventStore:
        return self._store

    @property
    def outside(self) -> Outside:
        return self._outside

    @property
    def zone(self) -> str:
        """IANA name of the household's time zone."""
        return self._zone
