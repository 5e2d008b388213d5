"""When each subscriber last looked at the log, and why one stopped: written outside the transaction that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .database import Connection, without_password

BEAT_SECONDS = 1.0
"""A heartbeat younger than this is not written again."""
MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When it last looked; since when it stopped and why, None while it goes on."""

    looked_at: datetime
    stopped_at: datetime | None
    stopped_because: str | None


def beat(db: Connection, subscribers: Sequence[str]) -> None:
    """They look now, and nothing keeps them. One that is just writing its own heartbeat is not waited for.

    One in the future was written before the clock went back, and says nothing of now.
    """
    db.execute(
        "WITH old AS (SELECT subscriber FROM log.heartbeats WHERE subscriber = ANY(%(names)s)),"
        " due AS (SELECT subscriber FROM log.heartbeats WHERE subscriber = ANY(%(names)s) AND (stopped_at IS NOT NULL"
        "  OR looked_at NOT BETWEEN clock_timestamp() - make_interval(secs => %(seconds)s) AND clock_timestamp())"
        " FOR UPDATE SKIP LOCKED),"
        " beaten AS (UPDATE log.heartbeats h SET looked_at = clock_timestamp(), stopped_at = NULL,"
        "  stopped_because = NULL FROM due WHERE h.subscriber = due.subscriber)"
        " INSERT INTO log.heartbeats (subscriber) SELECT name FROM unnest(%(names)s::text[]) AS name"
        " WHERE name NOT IN (SELECT subscriber FROM old) ON CONFLICT DO NOTHING",
        {"names": list(subscribers), "seconds": BEAT_SECONDS},
    )


GOES_ON = (
    "UPDATE log.heartbeats SET stopped_at = NULL, stopped_because = NULL"
    " WHERE subscriber = %(subscriber)s AND stopped_at IS NOT NULL"
)
"""What is true of a subscriber once it got past where it had stopped."""


def note_stop(db: Connection, subscriber: str, error: BaseException) -> None:
    """It looked and could not go on; `stopped_at` stays the first time until it goes on."""
    db.execute(
        "INSERT INTO log.heartbeats AS h (subscriber, stopped_at, stopped_because) VALUES (%s, clock_timestamp(), %s)"
        " ON CONFLICT (subscriber) DO UPDATE SET looked_at = clock_timestamp(),"
        " stopped_at = coalesce(h.stopped_at, excluded.stopped_at), stopped_because = excluded.stopped_because",
        (subscriber, reason(error)),
    )


def drop_heartbeat(db: Connection, subscriber: str) -> None:
    db.execute("DELETE FROM log.heartbeats WHERE subscriber = %s", (subscriber,))


def reason(error: BaseException) -> str:
    """An error as one line without passwords: its kind and the first line of its text.

    PostgreSQL's further lines quote rows, and rows are about persons.
    """
    first = str(error).strip().partition("\n")[0]
    text = without_password("".join(c if c.isprintable() else " " for c in f"{type(error).__name__}: {first}"))
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"


def heartbeats(db: Connection) -> dict[str, Heartbeat]:
    """Subscriber -> its heartbeat; one that never looked is left out."""
    rows = db.execute("SELECT subscriber, looked_at, stopped_at, stopped_because FROM log.heartbeats")
    return {str(name): Heartbeat(*rest) for name, *rest in rows}
