"""The one connection of this process that listens to the log, and all the streams that it wakes."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import psycopg

from meal_assets.errors import Unavailable
from meal_assets.event_store import Database
from meal_assets.event_store.folds import FOLDED

from .problems import later

MAX_STREAMS = 64
MAX_STREAMS_OF_ONE = 8
"""Of one token."""
BEAT_SECONDS = 15.0
"""A stream with nothing to say says so, that nobody on the way believes it dead."""
LISTEN_SECONDS = 1.0
AGAIN_SECONDS = 1.0


@dataclass(eq=False)
class Woken:
    """One stream: set whenever the log may have grown, or a read model taken in more of it."""

    loop: asyncio.AbstractEventLoop
    signal: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> bool:
        """True as soon as the log may have grown, False after so long without."""
        try:
            await asyncio.wait_for(self.signal.wait(), BEAT_SECONDS)
        except TimeoutError:
            return False
        self.signal.clear()
        return True


class Tail:
    """Listens while there are streams. A notification only wakes: each stream reads the log itself, where it is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._streams: set[Woken] = set()
        self._of: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    @asynccontextmanager
    async def stream(self, whose: str) -> AsyncIterator[Woken]:
        """Raises a 503 where there are too many."""
        woken = Woken(asyncio.get_running_loop())
        with self._lock:
            if len(self._streams) >= MAX_STREAMS or self._of[whose] >= MAX_STREAMS_OF_ONE:
                raise later(
                    f"{MAX_STREAMS_OF_ONE} streams a token and {MAX_STREAMS} in all are what there is: close one."
                )
            self._streams.add(woken)
            self._of[whose] += 1
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._listen, name="tail", daemon=True)
                self._thread.start()
        try:
            yield woken
        finally:
            with self._lock:
                self._streams.discard(woken)
                self._of[whose] -= 1
                if not self._of[whose]:
                    del self._of[whose]

    def close(self) -> None:
        self._closed = True
        self._wake()

    @property
    def closed(self) -> bool:
        return self._closed

    def _listen(self) -> None:
        while not self._closed and self._streams:
            try:
                with self._database.dedicated() as db:
                    db.execute("LISTEN meals_log")
                    db.execute(f"LISTEN {FOLDED}")  # pages wait for what read models made of it
                    self._wake()  # what was appended before there was anybody to tell
                    while not self._closed and self._streams:
                        for _ in db.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                            self._wake()
            except (psycopg.Error, Unavailable):
                threading.Event().wait(AGAIN_SECONDS)  # streams look by themselves meanwhile, at each beat

    def _wake(self) -> None:
        with self._lock:
            for woken in self._streams:
                woken.loop.call_soon_threadsafe(woken.signal.set)
