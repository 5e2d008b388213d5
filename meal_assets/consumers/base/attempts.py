"""How often the event a consumer stands before was tried in vain, and when it may be tried again.

Waiting for a remote that is left alone is no attempt: an event is not to blame for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.database import fetch_row

MAX_ATTEMPTS = 5
BACK_OFF = timedelta(seconds=5)
"""Before the second attempt; doubled before each further one."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How often the event a consumer stands before was tried in vain, and since when.

    `backing_off` while it is too soon for more. No attempts: it waits for something outside.
    """

    attempts: int
    error: str
    backing_off: bool
    since: datetime


def failed_attempts(store: EventStore) -> dict[str, Tried]:
    """Consumer -> what keeps it where it is."""
    with store.database.transaction() as db:
        rows = db.execute(
            "SELECT consumer, attempts, error, next_at > now(), first_at FROM log.attempts ORDER BY position DESC"
        )
        return {str(name): Tried(*rest) for name, *rest in rows}


def note_attempt(store: EventStore, consumer: str, position: int, error: str) -> tuple[int, datetime, datetime]:
    """Count a failed attempt; how many there were, when the first was and when this one."""
    with store.database.transaction() as db:
        attempts, first, last = fetch_row(
            db,
            "INSERT INTO log.attempts AS a VALUES (%(consumer)s, %(position)s, 1, %(error)s, now() + %(wait)s, now())"
            " ON CONFLICT (consumer, position) DO UPDATE SET attempts = a.attempts + 1, error = excluded.error,"
            " next_at = now() + %(wait)s * power(2, a.attempts) RETURNING attempts, first_at, now()",
            {"consumer": consumer, "position": position, "error": error, "wait": BACK_OFF},
        )
    return attempts, first, last


def note_wait(store: EventStore, consumer: str, position: int, error: str, until: datetime) -> None:
    """Nothing can be done before `until`; attempts are counted anew from there."""
    with store.database.transaction() as db:
        db.execute(
            "INSERT INTO log.attempts AS a VALUES (%s, %s, 0, %s, %s, now())"
            " ON CONFLICT (consumer, position) DO UPDATE SET attempts = 0, error = excluded.error,"
            " next_at = excluded.next_at",
            (consumer, position, error, until),
        )


def try_at_once(store: EventStore) -> None:
    """Let those who wait for something outside try now."""
    with store.database.transaction() as db:
        db.execute("UPDATE log.attempts SET next_at = now() WHERE attempts = 0")


def forget_attempts(db: Connection, consumer: str, position: int) -> None:
    """The consumer got past that position."""
    db.execute("DELETE FROM log.attempts WHERE consumer = %s AND position <= %s", (consumer, position))
