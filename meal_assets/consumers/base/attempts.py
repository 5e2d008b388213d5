"""How often the event a consumer stands before was tried in vain, and when it may be tried again.

An attempt may end without a word: its process was killed, or crashed. So each call of `consume` leaves a mark until it
ends, and one that finds a mark counts its attempts before it makes them, until it has said something new.

Waiting for a remote that is left alone is no attempt: an event is not to blame for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.database import fetch_row

MAX_ATTEMPTS = 5
BACK_OFF = timedelta(seconds=5)
"""Before the second attempt; doubled before each further one."""


UNMARK = "DELETE FROM log.attempts WHERE consumer = %s AND attempts = 0 AND error = ''"
"""A mark has neither attempts nor an error; who waits has an error and no attempts."""


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
            "SELECT consumer, attempts, error, next_at > now()"
            " AND (attempts = 0 OR next_at <= now() + %s * power(2, attempts - 1)), first_at FROM log.attempts"
            " WHERE attempts > 0 OR error <> '' ORDER BY position DESC",
            (BACK_OFF,),  # one that is further off was noted before the clock went back
        )
        return {str(name): Tried(*rest) for name, *rest in rows}


def note_attempt(
    store: EventStore, consumer: str, position: int, error: str, *, counted: bool = False
) -> tuple[int, datetime, datetime]:
    """Count a failed attempt, or one that begins; how many there were, when the first was and when this one.

    `counted`: it was when it began.
    """
    with store.database.transaction() as db:
        attempts, first, last = fetch_row(
            db,
            "INSERT INTO log.attempts AS a VALUES (%(consumer)s, %(position)s, 1, %(error)s, now() + %(wait)s, now())"
            " ON CONFLICT (consumer, position) DO UPDATE SET attempts = a.attempts + %(more)s, error = excluded.error,"
            " next_at = now() + %(wait)s * power(2, a.attempts + %(more)s - 1) RETURNING attempts, first_at, now()",
            {"consumer": consumer, "position": position, "error": error, "wait": BACK_OFF, "more": int(not counted)},
        )
    return attempts, first, last


def begin_work(store: EventStore, consumer: str, position: int) -> bool:
    """Mark that somebody is at work from that position on; whether a mark of somebody who never ended was there.

    The mark outlives our process, which is all it is for: nobody waits for the disk.
    """
    with store.database.transaction() as db:
        db.execute("SET LOCAL synchronous_commit = off")
        found = db.execute(
            "DELETE FROM log.attempts WHERE consumer = %s AND attempts = 0 AND error = ''", (consumer,)
        ).rowcount
        db.execute(
            "INSERT INTO log.attempts VALUES (%s, %s, 0, '', now(), now()) ON CONFLICT DO NOTHING", (consumer, position)
        )
    return found > 0


def end_work(store: EventStore, consumer: str) -> None:
    """It came to its end."""
    with store.database.transaction() as db:
        db.execute("SET LOCAL synchronous_commit = off")
        db.execute(UNMARK, (consumer,))


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
        db.execute("UPDATE log.attempts SET next_at = now() WHERE attempts = 0 AND error <> ''")


def forget_attempts(db: Connection, consumer: str, position: int) -> None:
    """The consumer got past that position."""
    db.execute(
        "DELETE FROM log.attempts WHERE consumer = %s AND position <= %s AND (attempts > 0 OR error <> '')",
        (consumer, position),
    )
