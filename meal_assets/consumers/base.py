"""How a consumer follows the log: in order, at least once, and a repeat says nothing new.

Permanent error -> dead letter, go on. Anything else -> stop before the event, to be tried again later, a bounded
number of times; then it becomes a dead letter too.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from pydantic import ValidationError

from meal_assets.contracts import Event
from meal_assets.contracts.system import DeadLettered, DeadLetterRetried
from meal_assets.discovery import snake
from meal_assets.errors import Permanent
from meal_assets.event_store import EventStore, Recorded
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import lock_checkpoint, move_checkpoint, note_done
from meal_assets.event_store.database import fetch_row

PAGE = 100
"""Events read ahead."""
MAX_ATTEMPTS = 5
BACK_OFF = timedelta(seconds=5)
"""Before the second attempt; doubled before each further one."""
MAX_ERROR_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class Said:
    """An event to append to its own stream. `key` tells it from what else the same event made the consumer say.

    Without a key it is the how-manieth it was; give one where a repeat could say things in another order.
    """

    event: Event
    key: str | None = None


class Consumer:
    """Subclass with a docstring, `listens_to`, `says` and `handle`; the rest is derived.

    `handle` may be called again for the same event: all it reads of the log must be as of that event's position.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    listens_to: ClassVar[tuple[type[Event], ...]]
    says: ClassVar[tuple[type[Event], ...]]

    def __init_subclass__(cls) -> None:
        cls.name = snake(cls.__name__)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said]:
        """What is to be said about this event. Raises `Permanent` if nothing ever can be, `Transient` if not now."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Consumed:
    """What one call did. `busy`: another process is at it. `failed`: why it stopped before an event."""

    position: int
    handled: int = 0
    set_aside: int = 0
    busy: bool = False
    failed: str | None = None


def consume(consumer: Consumer, store: EventStore, *, wait: bool = False) -> Consumed:
    """Hand the consumer all that is new, one event after the other.

    One process at a time: another one that is at it is waited for, or left to it.
    """
    with _alone(consumer.name, store, wait=wait) as alone:
        if not alone:
            return Consumed(position=0, busy=True)
        round_ = _Round(consumer, store, _position(consumer, store))
        while events := store.read(round_.position, (*consumer.listens_to, DeadLetterRetried), PAGE):
            for recorded in events:
                failed = round_.take(recorded)
                if failed is not None:
                    return Consumed(round_.position, round_.handled, round_.set_aside, failed=failed)
            round_.move()
        return Consumed(round_.position, round_.handled, round_.set_aside)


@contextmanager
def _alone(name: str, store: EventStore, *, wait: bool) -> Iterator[bool]:
    """True while no other process runs this consumer; the lock falls with the connection if this one dies."""
    lock = "SELECT pg_advisory_lock(hashtext(%s)) IS NOT NULL" if wait else "SELECT pg_try_advisory_lock(hashtext(%s))"
    with store.database.dedicated() as connection:
        yield connection.execute(lock, (f"consumer/{name}",)).fetchone() == (True,)


def is_busy(name: str, store: EventStore) -> bool:
    """Whether some process runs this consumer now."""
    with _alone(name, store, wait=False) as alone:
        return not alone


def _position(consumer: Consumer, store: EventStore) -> int:
    with store.database.transaction() as db:
        at = lock_checkpoint(db, consumer.name)
        if at is None:
            move_checkpoint(db, consumer.name, 0, consumer.version)
    return at.position if at else 0


class _Round:
    """One call of `consume`. The checkpoint moves when something was said, and at the end of each page."""

    def __init__(self, consumer: Consumer, store: EventStore, position: int) -> None:
        self.consumer = consumer
        self.store = store
        self.position = self.moved = position
        self.handled = self.set_aside = 0
        self.said = Counter[str]()
        self.began = time.perf_counter()

    def take(self, recorded: Recorded) -> str | None:
        """Handle one event and go past it; or the error that keeps us before it."""
        meant = self._meant(recorded)
        attempts, letter = 1, None
        try:
            for n, what in enumerate(self.consumer.handle(meant, self.store) if meant else ()):
                self._say(recorded, what.event, str(n) if what.key is None else what.key)
        except (Permanent, ValidationError) as error:
            letter = _text(error)
        except Exception as error:  # a bug too is tried again, bounded, and never stops the others for ever
            letter = _text(error)
            attempts = _note_attempt(self.consumer.name, self.store, recorded.position, letter)
            if attempts < MAX_ATTEMPTS:
                self.move()
                return letter
        if letter is not None and meant is not None:
            self.set_aside += 1
            self._set_aside(recorded, meant, letter, attempts)
        elif meant is not None:
            self.handled += 1
        self.position = recorded.position
        if self.said:
            self.move()
        return None

    def move(self) -> None:
        """Write down how far we are, and what that said."""
        if self.position == self.moved:
            return
        name = self.consumer.name
        with self.store.database.transaction() as db:
            move_checkpoint(db, name, self.position, self.consumer.version)
            db.execute("DELETE FROM log.attempts WHERE consumer = %s AND position <= %s", (name, self.position))
            note_done(
                db,
                Batch(db, self.consumer.listens_to, self.moved, self.position),
                subscriber=name,
                version=self.consumer.version,
                seconds=time.perf_counter() - self.began,
                said=self.said,
            )
        self.moved, self.began = self.position, time.perf_counter()
        self.said.clear()

    def _meant(self, recorded: Recorded) -> Recorded | None:
        """The event to handle: itself, or the one that is to be tried again; None when that is not for us.

        It is tried again as of now, so that what was mended since is seen.
        """
        event = recorded.event
        if not isinstance(event, DeadLetterRetried):
            return recorded
        if event.consumer != self.consumer.name:
            return None
        (meant,) = self.store.read(event.position - 1, limit=1)
        return replace(meant, position=recorded.position, event_id=recorded.event_id)

    def _say(self, cause: Recorded, event: Event, key: str) -> None:
        self.store.append(
            event.stream_in(cause.household),
            [event],
            origin=cause.origin_of_reaction(f"consumer/{self.consumer.name}"),
            once=f"{self.consumer.name}:{cause.position}:{key}",
        )
        self.said[event.type_name] += 1

    def _set_aside(self, recorded: Recorded, meant: Recorded, error: str, attempts: int) -> None:
        retried = recorded.event
        letter = DeadLettered(
            consumer=self.consumer.name,
            position=retried.position if isinstance(retried, DeadLetterRetried) else recorded.position,
            event_type=meant.event.type_name,
            error=error,
            attempts=attempts,
        )
        self._say(recorded, letter, "dead")


def _note_attempt(consumer: str, store: EventStore, position: int, error: str) -> int:
    """Count a failed attempt; how many there were."""
    with store.database.transaction() as db:
        (attempts,) = fetch_row(
            db,
            "INSERT INTO log.attempts AS a VALUES (%(consumer)s, %(position)s, 1, %(error)s, now() + %(wait)s)"
            " ON CONFLICT (consumer, position) DO UPDATE SET attempts = a.attempts + 1, error = excluded.error,"
            " next_at = now() + %(wait)s * power(2, a.attempts) RETURNING attempts",
            {"consumer": consumer, "position": position, "error": error, "wait": BACK_OFF},
        )
    return int(attempts)


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_ERROR_LENGTH]


@dataclass(frozen=True, slots=True)
class Tried:
    """How often the event a consumer stands before was tried in vain; `backing_off` while it is too soon for more."""

    attempts: int
    error: str
    backing_off: bool


def failed_attempts(store: EventStore) -> dict[str, Tried]:
    """Consumer -> what keeps it where it is."""
    with store.database.transaction() as db:
        rows = db.execute("SELECT consumer, attempts, error, next_at > now() FROM log.attempts ORDER BY position DESC")
        return {str(name): Tried(*rest) for name, *rest in rows}
