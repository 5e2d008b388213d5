"""Where a consumer's answers go, and which checkpoint moves: into the log, or beside it while it only shadows."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Protocol

from psycopg.types.json import Jsonb

from meal_assets.contracts import Event
from meal_assets.contracts.system import ConsumerReset, DeadLetterHandled, DeadLetterWaiting
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import NOTE, lock_checkpoint, move_checkpoint, noted
from meal_assets.event_store.database import fetch_row

from .consumer import Act, Consumer
from .heard import Heard


class Voice(Protocol):
    """`subscriber` is the name under which it keeps its checkpoint, its attempts and its letters."""

    subscriber: str

    def position(self) -> int:
        """Where it stands; written down at the very start."""

    def repeats_until(self) -> int:
        """The last position that may come for the second time; 0 for one that was never set back."""

    def say(self, cause: Heard, event: Event, key: str, within: Connection | None = None) -> bool:
        """Answer the cause with the event; the same key again says nothing new. Whether that moved us on."""

    def act(self, cause: Heard, act: Act, key: str) -> None:
        """Do it, or not."""

    def moved(self, db: Connection, after: int, to: int, said: Mapping[str, int], seconds: float) -> None:
        """Move the checkpoint, and report what was done."""


class Aloud:
    """Into the log."""

    def __init__(self, consumer: Consumer, store: EventStore) -> None:
        self._consumer, self._store = consumer, store
        self.subscriber = consumer.name

    def position(self) -> int:
        with self._store.database.transaction() as db:
            return _live_position(db, self._consumer)

    def repeats_until(self) -> int:
        with self._store.database.transaction() as db:
            (position,) = fetch_row(
                db,
                "SELECT coalesce(max((payload->>'from_position')::bigint), 0) FROM log.events"
                " WHERE type = %s AND payload->>'consumer' = %s",
                (ConsumerReset.type_name, self._consumer.name),
            )
        return int(position)

    def say(self, cause: Heard, event: Event, key: str, within: Connection | None = None) -> bool:
        appended = self._store.append(
            event.stream_in(cause.household),
            [event],
            origin=cause.origin_of_reaction(actor_of(self._consumer.name)),
            once=once_key(self._consumer.name, cause.position, key),
            within=within,
        )
        return not appended.said_before

    def act(self, cause: Heard, act: Act, key: str) -> None:
        act.do(once_key(self._consumer.name, cause.position, key))

    def moved(self, db: Connection, after: int, to: int, said: Mapping[str, int], seconds: float) -> None:
        move_checkpoint(db, self.subscriber, to, self._consumer.version)
        types = _counts(db, self._consumer.listens_to, after, to)
        version = self._consumer.version
        db.execute(NOTE, noted(self.subscriber, version, after, to, seconds, types, said=dict(said)))


class Aside:
    """Beside the log: a shadow begins where the live consumer stands, and anew when the consumer's version is new."""

    def __init__(self, consumer: Consumer, store: EventStore) -> None:
        self._consumer, self._store = consumer, store
        self.subscriber = shadow_of(consumer.name)

    def position(self) -> int:
        name, version = self._consumer.name, self._consumer.version
        with self._store.database.transaction() as db:
            at = lock_checkpoint(db, self.subscriber)
            if at is not None and at.version == version:
                return at.position
            position = _live_position(db, self._consumer)
            move_checkpoint(db, self.subscriber, position, version)
            db.execute(
                "INSERT INTO log.shadows VALUES (%s, %s)"
                " ON CONFLICT (consumer) DO UPDATE SET after_position = excluded.after_position",
                (name, position),
            )
            db.execute("DELETE FROM log.shadow_says WHERE consumer = %s", (name,))
            db.execute("DELETE FROM log.set_aside WHERE consumer = %s", (self.subscriber,))
            db.execute(
                "INSERT INTO log.set_aside SELECT %s, position, stream, waiting FROM log.set_aside WHERE consumer = %s",
                (self.subscriber, name),
            )
        return position

    def repeats_until(self) -> int:
        return 0

    def say(self, cause: Heard, event: Event, key: str, within: Connection | None = None) -> bool:
        if isinstance(event, DeadLetterWaiting | DeadLetterHandled):
            return False  # book-keeping of the live consumer
        query = "INSERT INTO log.shadow_says VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"

        def keep(sealed: Sequence[Event], _keys: Sequence[str]) -> None:
            row = (self._consumer.name, cause.position, key, event.type_name, Jsonb(said_as(sealed[0])))
            with nullcontext(within) if within is not None else self._store.database.statement() as db:
                db.execute(query, row)

        self._store.personal.sealed_for(keep, [event.stream_in(cause.household)], [event], cause.household, within)
        return False

    def act(self, cause: Heard, act: Act, key: str) -> None:
        """A shadow touches nothing."""

    def moved(self, db: Connection, after: int, to: int, said: Mapping[str, int], seconds: float) -> None:  # noqa: ARG002  # nothing to report
        move_checkpoint(db, self.subscriber, to, self._consumer.version)


def _live_position(db: Connection, consumer: Consumer) -> int:
    at = lock_checkpoint(db, consumer.name)
    if at is None:
        move_checkpoint(db, consumer.name, 0, consumer.version)
    return at.position if at else 0


def _counts(db: Connection, types: Sequence[type[Event]], after: int, to: int) -> dict[str, int]:
    """Events by type, also those that were set aside because this program cannot read them."""
    rows = db.execute(
        "SELECT type, count(*) FROM log.events WHERE position > %s AND position <= %s AND type = ANY(%s)"
        " GROUP BY type ORDER BY type",
        (after, to, [t.type_name for t in types]),
    )
    return {str(name): int(count) for name, count in rows}


def shadow_of(consumer: str) -> str:
    """The name of its shadow's checkpoint."""
    return f"{consumer}@shadow"


def actor_of(consumer: str) -> str:
    """Who said it, in the envelope of its answers."""
    return f"consumer/{consumer}"


def once_key(consumer: str, position: int, key: str) -> str:
    """What makes a repeat of an answer say nothing new."""
    return f"{consumer}:{position}:{key}"


def said_as(event: Event) -> dict[str, object]:
    """The payload as the log would keep it."""
    return event.model_dump(mode="json", exclude_none=True)
