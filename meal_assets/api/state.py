"""What all requests of one process share, and how a route gets at it."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Annotated

from fastapi import Depends, Request

from meal_assets.clients.outside import Outside
from meal_assets.event_store import Database, EventStore
from meal_assets.settings import Settings

from .limits import FAILED_LOGINS_A_MINUTE, Rate
from .tail import Tail

WAITS_AT_ONCE = 16
"""Requests that wait for a read model; each holds a connection."""
AS_OF_AT_ONCE = 2
"""Read models built as of an earlier position; each reads the whole log."""


MAX_HELD = 10_000


class Recent:
    """The newest things that were added to it, so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, one: tuple[str, str]) -> bool:
        return one in self._held

    def add(self, one: tuple[str, str]) -> None:
        with self._lock:
            self._held[one] = None
            while len(self._held) > self._most:
                self._held.popitem(last=False)

    def discard(self, one: tuple[str, str]) -> None:
        with self._lock:
            self._held.pop(one, None)


@dataclass(slots=True)
class Shared:
    """`open`: a demo on loopback, where whoever asks without a token is the household itself."""

    settings: Settings
    store: EventStore
    outside: Outside
    tail: Tail
    rate: Rate
    open: bool = False
    failed_logins: Rate = field(default_factory=lambda: Rate(FAILED_LOGINS_A_MINUTE))
    broken: Recent = field(default_factory=lambda: Recent(MAX_HELD))
    """Token and Idempotency-Key of commands that the database was lost over."""
    got_in: Recent = field(default_factory=lambda: Recent(MAX_HELD))
    """Hashes of tokens that stood when they were used last."""
    waits: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(WAITS_AT_ONCE))
    as_of: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AS_OF_AT_ONCE))

    @classmethod
    def of(cls, settings: Settings, database: Database, *, open: bool) -> "Shared":
        store = EventStore(database)
        rate = Rate(settings.api_requests_a_minute)
        return cls(settings, store, Outside.of(settings), Tail(database), rate, open)


def shared_of(request: Request) -> Shared:
    found = request.app.state.shared
    assert isinstance(found, Shared)
    return found


async def _shared(request: Request) -> Shared:  # without waiting for a thread
    return shared_of(request)


Here = Annotated[Shared, Depends(_shared)]
