"""Events that a consumer could not handle, and what became of them."""

from meal_assets.contracts.system import DeadLetterDiscarded, DeadLettered, DeadLetterRetried
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel


class DeadLetters(ReadModel):
    """One row an event and consumer: open, retried (it opens again if it fails again) or discarded."""

    listens_to = (DeadLettered, DeadLetterRetried, DeadLetterDiscarded)
    tables = {
        "dead_letters": """
            consumer text, position bigint, state text NOT NULL, event_type text, error text, attempts bigint,
            reason text, since timestamptz NOT NULL, PRIMARY KEY (consumer, position)"""
    }
    shows = "SELECT consumer, position, state, event_type, error, attempts, since FROM dead_letters ORDER BY since DESC"

    def apply(self, db: Connection, recorded: Recorded) -> None:
        row: tuple[str, str | None, str | None, int | None, str | None]
        match recorded.event:
            case DeadLettered() as letter:
                row = ("open", letter.event_type, letter.error, letter.attempts, None)
            case DeadLetterRetried() as letter:
                row = ("retried", None, None, None, None)
            case DeadLetterDiscarded() as letter:
                row = ("discarded", None, None, None, letter.reason)
            case _:
                return
        db.execute(
            "INSERT INTO dead_letters AS d (consumer, position, state, event_type, error, attempts, reason, since)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (consumer, position) DO UPDATE SET"
            " state = excluded.state, event_type = coalesce(excluded.event_type, d.event_type),"
            " error = coalesce(excluded.error, d.error), attempts = coalesce(excluded.attempts, d.attempts),"
            " reason = excluded.reason, since = excluded.since",
            (letter.consumer, letter.position, *row, recorded.recorded_at),
        )


def open_letters(db: Connection) -> list[tuple[str, int, str, str, int]]:
    """(consumer, position, event type, error, attempts) of each letter nobody has decided about, oldest first."""
    if db.execute("SELECT to_regclass('read.dead_letters')").fetchone() == (None,):
        return []
    rows = db.execute(
        "SELECT consumer, position, event_type, error, attempts FROM read.dead_letters"
        " WHERE state = 'open' ORDER BY since, consumer, position"
    )
    return rows.fetchall()
