"""Consumers that have something to do, side by side: one that hangs or fails costs the others nothing."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Signal
from types import TracebackType
from typing import Self

from meal_assets.clients.outside import Outside
from meal_assets.consumers import CONSUMERS, Consumed, Consumer, consume
from meal_assets.consumers.base import failed_attempts, is_busy, is_too_new
from meal_assets.event_store import EventStore

from .standing import DECISIONS, Standing, beat_idle, standings

FOR_CONSUMERS = {e.type_name for c in CONSUMERS.values() for e in c.listens_to} | {e.type_name for e in DECISIONS}
"""Names of the types that some consumer hears."""


def ready_consumers(store: EventStore) -> Iterator[tuple[Standing, int]]:
    """Those that have something to do, are not at it and are not backing off, with their failed attempts.

    A consumer before an event of a newer program is left alone: this one could only fail.
    """
    every = [s for s in standings(store) if issubclass(s.subscriber, Consumer)]
    beat_idle(store, every)
    behind = [s for s in every if s.due]
    tried = failed_attempts(store) if behind else {}
    for standing in behind:
        name = standing.subscriber.name
        failed = tried.get(name)
        if (failed and failed.backing_off) or is_busy(name, store):
            continue
        if standing.stopped_at and is_too_new(CONSUMERS[name](), store, standing.position):
            continue
        yield standing, failed.attempts if failed else 0


class Reactor:
    """A thread for each consumer that has something to do. Close it, or use `with`."""

    def __init__(self, store: EventStore, outside: Outside) -> None:
        self._store, self._outside = store, outside
        self._threads = ThreadPoolExecutor(max(len(CONSUMERS), 1), thread_name_prefix="consume")
        self._running: dict[str, Future[Consumed]] = {}
        self._closed = Signal()

    def react(self) -> tuple[dict[str, Consumed], dict[str, Exception]]:
        """Begin what there is to do, and wait for none of it; what ended since the last call, and what failed."""
        done, failures = {}, {}
        for name, future in [(n, f) for n, f in self._running.items() if f.done()]:
            del self._running[name]
            error = future.exception()
            if isinstance(error, Exception):
                failures[name] = error
            else:
                done[name] = future.result()
        for standing, _ in ready_consumers(self._store):
            name = standing.subscriber.name
            if name not in self._running:
                self._running[name] = self._threads.submit(
                    consume, CONSUMERS[name](self._outside), self._store, stop=self._closed.is_set
                )
        return done, failures

    def close(self) -> None:
        """Let each end with its event; none is waited for."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
