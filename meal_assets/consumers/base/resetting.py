"""Moving a consumer to another place of the log."""

from dataclasses import dataclass

from psycopg.errors import LockNotAvailable

from meal_assets.contracts.system import ConsumerReset
from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.checkpoints import lock_checkpoint, move_checkpoint
from meal_assets.event_store.database import fetch_row

from .attempts import forget_attempts
from .consumer import Consumer
from .heard import heard_types

PATIENCE_SECONDS = 30
"""How long a reset waits for whoever runs the consumer to come to the end of it."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Where the consumer stood and where it stands; `events`: what lies between and is for it."""

    before: int
    after: int
    events: int


def reset(consumer: Consumer, store: EventStore, to: int, origin: Origin, reason: str | None = None) -> Reset:
    """Let the consumer go on after position `to`; the move is an event, in one transaction with it.

    Back: it handles those events again. What it said stays, also where it would say something else now; only what it
    has not said is said. What was set aside is left to its dead letter. Forward: it never handles what lies between,
    unless it is set back again.
    Raises `Invalid` for a position that is not in the log, `Unavailable` while a process is at work on it.
    """
    head = store.head()
    if not 0 <= to <= head:
        raise Invalid("to", f"{to} is not in the log, which goes to {head}; 0 is before its first event")
    with store.database.dedicated() as held:
        held.execute("SELECT set_config('lock_timeout', %s, false)", (f"{PATIENCE_SECONDS}s",))
        try:
            held.execute("SELECT pg_advisory_lock(hashtext(%s))", (f"consumer/{consumer.name}",))
        except LockNotAvailable:
            raise Unavailable(
                f"{consumer.name} is at work, and was so for {PATIENCE_SECONDS} s:"
                f" `meals pause {consumer.name}`, then try again"
            ) from None
        with store.database.transaction() as db:
            at = lock_checkpoint(db, consumer.name)
            before = at.position if at else 0
            if before != to:
                said = ConsumerReset(consumer=consumer.name, from_position=before, to_position=to, reason=reason)
                store.append(said.stream_in(origin.household), [said], origin=origin, within=db)
                move_checkpoint(db, consumer.name, to, consumer.version)
                forget_attempts(db, consumer.name, head)
            (events,) = fetch_row(
                db,
                "SELECT count(*) FROM log.events WHERE type = ANY(%s) AND position > %s AND position <= %s",
                ([t.type_name for t in heard_types(consumer)], min(before, to), max(before, to)),
            )
    return Reset(before, to, events)
