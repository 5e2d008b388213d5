"""Events that a consumer could not handle, and what became of them."""

from dataclasses import dataclass
from datetime import datetime

from meal_assets.contracts import Event
from meal_assets.contracts.system import (
    DeadLetterDiscarded,
    DeadLettered,
    DeadLetterHandled,
    DeadLetterRetried,
    DeadLetterWaiting,
)
from meal_assets.event_store import Connection, Recorded

from .base import SEEN_HOUSEHOLD, SEEN_PERSON, ReadModel

MAX_SHOWN = 1_000


class DeadLetters(ReadModel):
    """One row an event and consumer: open, waiting behind another of its stream, retried, handled or discarded."""

    listens_to = (DeadLettered, DeadLetterWaiting, DeadLetterRetried, DeadLetterHandled, DeadLetterDiscarded)
    tables = {
        "dead_letters": """
            consumer text, position bigint, state text NOT NULL, event_type text, event_stream text, error_class text,
            message text, traceback text, attempts bigint, first_tried_at timestamptz, last_tried_at timestamptz,
            reason text, since timestamptz NOT NULL, PRIMARY KEY (consumer, position)"""
    }
    shows = (
        "SELECT consumer, position, state, event_type, error_class, message, attempts, first_tried_at, last_tried_at"
        " FROM dead_letters ORDER BY since DESC, consumer, position"
    )

    seen = f"split_part(event_stream, '/', 1) = {SEEN_HOUSEHOLD} AND {SEEN_PERSON} IS NULL"

    def apply(self, db: Connection, recorded: Recorded) -> None:
        row = {name: getattr(recorded.event, name, None) for name in COLUMNS}
        row |= {"state": STATES[type(recorded.event)], "since": recorded.recorded_at}
        db.execute(UPSERT, row)


STATES: dict[type[Event], str] = {
    DeadLettered: "open",
    DeadLetterWaiting: "waiting",
    DeadLetterRetried: "retried",
    DeadLetterHandled: "handled",
    DeadLetterDiscarded: "discarded",
}
COLUMNS = (
    *("consumer", "position", "event_type", "event_stream", "error_class", "message", "traceback"),
    *("attempts", "first_tried_at", "last_tried_at", "reason"),
)
UPSERT = """
    INSERT INTO dead_letters AS d
    VALUES (%(consumer)s, %(position)s, %(state)s, %(event_type)s, %(event_stream)s, %(error_class)s, %(message)s,
            %(traceback)s, %(attempts)s, %(first_tried_at)s, %(last_tried_at)s, %(reason)s, %(since)s)
    ON CONFLICT (consumer, position) DO UPDATE SET
        state = excluded.state, reason = excluded.reason, since = excluded.since,
        event_type = coalesce(excluded.event_type, d.event_type),
        event_stream = coalesce(excluded.event_stream, d.event_stream),
        error_class = coalesce(excluded.error_class, d.error_class),
        message = coalesce(excluded.message, d.message),
        traceback = coalesce(excluded.traceback, d.traceback),
        attempts = coalesce(d.attempts + excluded.attempts, excluded.attempts, d.attempts),
        first_tried_at = least(d.first_tried_at, excluded.first_tried_at),
        last_tried_at = greatest(d.last_tried_at, excluded.last_tried_at)
"""
"""Attempts add up and the first time stays the first over all retries."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter that is not settled: `state` is open, retried or waiting; `behind` is what it waits for."""

    consumer: str
    position: int
    state: str
    event_type: str
    error_class: str | None
    message: str | None
    traceback: str | None
    attempts: int | None
    first_tried_at: datetime | None
    last_tried_at: datetime | None
    behind: int | None

    @property
    def error(self) -> str:
        """What a person reads: the class and the message, or what it waits for."""
        return f"waits behind {self.behind}" if self.state == "waiting" else f"{self.error_class}: {self.message}"


def unsettled_letters(db: Connection, limit: int = MAX_SHOWN) -> list[Letter]:
    """At most `limit` letters that were neither handled nor discarded, oldest event first."""
    if not _is_there(db):
        return []
    rows = db.execute(
        "SELECT consumer, position, state, event_type, error_class, message, traceback, attempts, first_tried_at,"
        " last_tried_at, CASE WHEN state = 'waiting' THEN (SELECT min(position) FROM read.dead_letters AS first"
        "  WHERE first.consumer = d.consumer AND first.event_stream = d.event_stream"
        "  AND first.state IN ('open', 'retried')) END"
        " FROM read.dead_letters AS d WHERE state IN ('open', 'retried', 'waiting') AND event_type IS NOT NULL"
        " ORDER BY position, consumer LIMIT %s",
        (limit,),
    )
    return [Letter(*row) for row in rows.fetchall()]


def open_letters(db: Connection) -> list[tuple[str, int, str, str, int]]:
    """(consumer, position, event type, error, attempts) of each letter nobody has decided about, oldest first."""
    if not _is_there(db):
        return []
    rows = db.execute(
        "SELECT consumer, position, event_type, error_class || ': ' || message, attempts FROM read.dead_letters"
        " WHERE state = 'open' ORDER BY since, consumer, position"
    )
    return rows.fetchall()


def _is_there(db: Connection) -> bool:
    return db.execute("SELECT to_regclass('read.dead_letters')").fetchone() != (None,)
