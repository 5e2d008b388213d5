"""Links of the chain as they were noted outside of the log: one that was chained anew, or cut off, contradicts them.

The chain alone proves nothing against a hand that computes all hashes anew.
"""

from dataclasses import dataclass

from .database import Connection

STRETCH = 1_000
"""One link is kept for ever out of so many positions: the first that was noted."""

NOTE = "INSERT INTO log.witnesses (stretch, position, hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
# What lies before the first event there is was taken out of the log; whether rightly, its first link tells.
CONTRADICTED = """
    SELECT w.position, e.position IS NULL, w.by FROM (
        SELECT position, hash, 'noted ' || to_char(noted_at, 'YYYY-MM-DD HH24:MI:SS TZ') AS by FROM log.witnesses
        UNION ALL SELECT to_position, chain_head, 'taken in by ' || subscriber FROM log.outbox WHERE chain_head <> ''
        UNION ALL SELECT position, NULL, 'taken in by ' || subscriber FROM log.checkpoints
        UNION ALL SELECT last_position, NULL, 'appended once as ' || key FROM log.once
    ) AS w LEFT JOIN log.events e ON e.position = w.position
    WHERE (w.hash <> e.hash OR e.position IS NULL)
    AND NOT EXISTS (SELECT FROM log.archives a WHERE w.position BETWEEN a.first AND a.last)
    AND w.position >= greatest(1, (SELECT min(position) FROM log.events))
    ORDER BY w.position, w.by LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A position of which somebody noted something else than the log holds; `gone` where it holds none."""

    position: int
    gone: bool
    by: str


def note_link(db: Connection, position: int, link: bytes) -> None:
    """Keep this link, if it is the first of its stretch."""
    db.execute(NOTE, (position // STRETCH, position, link))


def link_at(db: Connection, position: int) -> bytes | None:
    """The hash of the event at a position; None where there is none."""
    row = db.execute("SELECT hash FROM log.events WHERE position = %s", (position,)).fetchone()
    return None if row is None else bytes(row[0])


def first_contradiction(db: Connection) -> Contradiction | None:
    """The first position where the log is not what subscribers, callers and earlier checks noted of it."""
    row = db.execute(CONTRADICTED).fetchone()
    return None if row is None else Contradiction(*row)
