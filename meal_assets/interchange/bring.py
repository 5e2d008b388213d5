"""A file of events into the log: exactly as it was where the log is empty or its beginning, else as new events."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from meal_assets.consumers import CONSUMERS
from meal_assets.errors import Transient
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import move_checkpoint
from meal_assets.event_store.database import fetch_row

from .arriving import ROW, is_chain, stage
from .lines import lines_of

CHUNK = 5_000
"""Events of one transaction; other writers wait while it is committed."""

Progress = Callable[[str, int, int | None], None]
"""Told what is done, how many are through, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A line whose event id stands in the log for something else."""

    line: int
    event_id: UUID
    position: int


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a file: `exact` where positions, times and hashes are as they were."""

    exact: bool
    read: int
    written: int
    conflicts: list[Conflict]

    @property
    def there_already(self) -> int:
        return self.read - self.written - len(self.conflicts)


# One and the same where both programs write it alike, or where the line is one that this program would write so.
SAME = """
    (e.stream, e.type, e.version, e.household, e.actor, e.correlation_id, e.occurred_at)
    = (a.stream, a.type, a.version, a.household, a.actor, a.correlation_id, a.occurred_at)
    AND e.causation_id IS NOT DISTINCT FROM a.causation_id
    AND (e.payload = a.body->'data' OR e.payload = a.today)
"""
CONFLICTS = f"""
    SELECT a.line, a.event_id, e.position FROM arriving a JOIN log.events e USING (event_id)
    WHERE a.line > %(after)s AND a.line <= %(upto)s AND NOT ({SAME}) ORDER BY a.line
"""  # noqa: S608 - SQL made of our own constants
# A statement of its own: the append may make a partition, which it could not while its own statement reads the log.
THERE = """
    DELETE FROM arriving a WHERE a.line > %(after)s AND a.line <= %(upto)s AND (
        EXISTS (SELECT FROM log.events e WHERE e.event_id = a.event_id)
        OR EXISTS (SELECT FROM log.archived_ids e WHERE e.event_id = a.event_id))
"""
APPEND = """
    SELECT count(*) FROM (
        SELECT * FROM arriving a WHERE a.line > %(after)s AND a.line <= %(upto)s ORDER BY a.line
    ) AS a CROSS JOIN LATERAL log.append_one(
        a.stream, NULL, NULL, a.household, a.actor, a.correlation_id, a.causation_id, a.event_id, a.type, a.version,
        coalesce(a.today, a.body->'data'), a.occurred_at) AS appended
"""
HEAD = "SELECT position, hash FROM log.head()"
ENDS = "SELECT min(position), max(position) FROM arriving"
CONTINUES = f"SELECT hash = log.link(%s, {ROW}) FROM arriving WHERE position = %s"  # noqa: S608 - our own constant
SHARES = "SELECT hash = %s FROM arriving WHERE position = %s"


def bring(store: EventStore, path: Path, *, progress: Progress = lambda _doing, _n, _of: None) -> Brought:
    """Check the whole file, then write it, a chunk a transaction; interrupted, the same call goes on.

    An exact restore says that consumers have reacted to what is restored, for their answers are in the file too;
    to events appended as new ones they react. Raises `Invalid` for the first bad line, before anything is written.
    """
    with store.database.dedicated() as db:
        read = stage(db, lines_of(path), lambda n: progress("Checking", n, None))
        restored = _continues(db)
        if restored is None:
            return _append(db, read, progress)
        return Brought(True, read, _restore(db, restored, progress), [])


def _continues(db: Connection) -> int | None:
    """The head of the log, where the file holds that very head or goes on right after it; None where it does not."""
    if not is_chain(db):
        return None
    head, head_hash = fetch_row(db, HEAD)
    first, last = fetch_row(db, ENDS)
    if first <= head <= last:
        (continues,) = fetch_row(db, SHARES, (head_hash, head))
    elif first == head + 1:
        (continues,) = fetch_row(db, CONTINUES, (head_hash, first))
    else:
        return None
    return int(head) if continues else None


def _restore(db: Connection, head: int, progress: Progress) -> int:
    _, last = fetch_row(db, ENDS)
    for after in range(head, last, CHUNK):
        upto = min(after + CHUNK, last)
        try:
            with db.transaction():
                db.execute("SELECT log.restore(%s, %s)", (after, upto))
                for consumer in CONSUMERS.values():
                    move_checkpoint(db, consumer.name, upto, consumer.version)
        except psycopg.DatabaseError as error:
            if error.sqlstate == "ME003":
                raise Transient(
                    f"somebody appended to the log while it was restored up to position {after}: import the file"
                    " again, and what is missing is appended as new events"
                ) from error
            raise
        progress("Restoring", upto - head, last - head)
    return int(last) - head


def _append(db: Connection, read: int, progress: Progress) -> Brought:
    written, conflicts = 0, list[Conflict]()
    (last,) = fetch_row(db, "SELECT coalesce(max(line), 0) FROM arriving")
    for after in range(0, last, CHUNK):
        lines = {"after": after, "upto": after + CHUNK}
        with db.transaction():
            db.execute("SELECT log.begin_append(NULL, NULL)")  # an id that is not there now stays so until we are done
            conflicts += [Conflict(*row) for row in db.execute(CONFLICTS, lines).fetchall()]
            db.execute(THERE, lines)
            written += fetch_row(db, APPEND, lines)[0]
        progress("Appending", min(after + CHUNK, last), last)
    return Brought(False, read, written, conflicts)
