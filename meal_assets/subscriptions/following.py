"""A follower as a process of its own: what Dagster's sensor does in its ticks, without Dagster.

Several followers, or one beside the sensor, do no harm: each batch is folded under the lock of its checkpoint, and a
consumer is at work in one process at a time.
"""

import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from meal_assets.clients.outside import Outside
from meal_assets.consumers import Consumed
from meal_assets.event_store import EventStore

from .folding import Folder
from .reacting import FOR_CONSUMERS, Reactor

FOLD_SECONDS = 0.25
"""A read model that takes longer goes on by itself, and the others are not kept."""
LOOK_SECONDS = 1.0
"""Without any news it is looked so often: a pause may have ended, a back-off may be over."""

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter from one that folds. Python's own 5 ms, at each answer of the database,
would be more than a fold takes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was done since the last look: events folded by model, consumers that came to an end, what failed."""

    folded: dict[str, int]
    consumed: dict[str, Consumed] = field(default_factory=dict)
    failures: dict[str, Exception] = field(default_factory=dict)


def follow(store: EventStore, outside: Outside | None = None) -> Generator[Seen, None, None]:
    """React to every event at once, for ever, and tell after each look what was done; close it to end.

    Consumers react, too, where `outside` says whom they know there.

    Raises `psycopg.OperationalError` when the database is gone: begin anew, nothing is lost.
    """
    with ExitStack() as held:
        held.enter_context(quick_switches())
        wait = held.enter_context(store.listen())
        folder = held.enter_context(Folder(store))
        reactor = held.enter_context(Reactor(store, outside)) if outside else None
        looked = -LOOK_SECONDS
        while True:
            before = folder.events.copy()
            if time.monotonic() - looked >= LOOK_SECONDS or folder.busy:
                looked, heard = time.monotonic(), FOR_CONSUMERS
                failures = folder.fold(FOLD_SECONDS)
            else:
                heard, failures = folder.fold_new(FOLD_SECONDS)
            consumed: dict[str, Consumed] = {}
            if reactor is not None and heard & FOR_CONSUMERS:
                consumed, failed = reactor.react()
                failures |= failed
            yield Seen(dict(folder.events - before), consumed, failures)
            wait(FOLD_SECONDS if folder.busy else LOOK_SECONDS)


@contextmanager
def quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
