"""The next events for a consumer, also those that this program cannot read: one such event must not stop the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg

from meal_assets.contracts import Event
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLetterRetried
from meal_assets.errors import Unavailable, UnknownEvent
from meal_assets.event_store import EventStore, Origin, Recorded
from meal_assets.event_store.database import fetch_row

from .consumer import Consumer

PAGE = 100
"""Events read ahead."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The envelope of an event that this program cannot read, and why not."""

    position: int
    event_id: UUID
    stream: str
    household: str
    correlation_id: UUID
    type_name: str
    error: Exception

    def origin_of_reaction(self, actor: str) -> Origin:
        """What an event said in answer to this one carries."""
        return Origin(self.household, actor, self.correlation_id, self.event_id)


Heard = Recorded | Unreadable


def heard_types(consumer: Consumer) -> tuple[type[Event], ...]:
    """What it listens to, and what people decide about its dead letters."""
    return (*consumer.listens_to, DeadLetterRetried, DeadLetterDiscarded)


def type_of(heard: Heard) -> str:
    return heard.type_name if isinstance(heard, Unreadable) else heard.event.type_name


def next_heard(consumer: Consumer, store: EventStore, after: int, until: int | None = None) -> Sequence[Heard]:
    """The next events after a position, in order; the page ends where one cannot be read."""
    types = heard_types(consumer)
    try:
        return store.read(after, types, PAGE, until)
    except (psycopg.Error, Unavailable):
        raise
    except Exception:  # whatever an upcaster raises: one by one, only the event that cannot be read is set apart
        with store.database.transaction() as db:
            (position,) = fetch_row(
                db,
                "SELECT min(position) FROM log.events WHERE position > %s AND type = ANY(%s)",
                (after, [t.type_name for t in types]),
            )
        return [heard_at(store, position)]


def heard_at(store: EventStore, position: int) -> Heard:
    """The event at that position."""
    try:
        (recorded,) = store.read(position - 1, limit=1, until=position)
    except (psycopg.Error, Unavailable):
        raise
    except Exception as error:
        with store.database.transaction() as db:
            event_id, stream, household, correlation_id, type_name = fetch_row(
                db,
                "SELECT event_id, stream, household, correlation_id, type FROM log.events WHERE position = %s",
                (position,),
            )
        return Unreadable(position, event_id, stream, household, correlation_id, type_name, error)
    return recorded


def is_too_new(consumer: Consumer, store: EventStore, after: int) -> bool:
    """Whether the next event after a position is one that only a newer program can read."""
    heard = next_heard(consumer, store, after)
    return bool(heard) and isinstance(heard[0], Unreadable) and isinstance(heard[0].error, UnknownEvent)


def as_of(meant: Recorded, cause: Heard) -> Recorded:
    """The event as if it stood where the decision about it stands, so that what was mended since is seen."""
    return replace(meant, position=cause.position, event_id=cause.event_id)
