"""A file of events into the log: exactly as it was where the log is empty or its beginning, else as new events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from meal_assets.consumers import CONSUMERS
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.personal import SEALED as SEALED_TEXT
from meal_assets.contracts.system import PersonForgotten
from meal_assets.errors import Invalid, Transient
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import move_checkpoint
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.personal import Personal, texts_of

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
FORGOTTEN = f"""
    SELECT household, body->'data'->>'person' FROM arriving
    WHERE position > %s AND position <= %s AND type = '{PersonForgotten.type_name}'
"""  # noqa: S608 - SQL made of our own constants
KEYS = f"""
    SELECT DISTINCT household, body->'data'->>'person', body->>'personkey' FROM arriving AS a
    WHERE position > %s AND position <= %s AND body ? 'personkey' AND NOT EXISTS (
        SELECT FROM arriving AS later WHERE later.type = '{PersonForgotten.type_name}' AND later.position > a.position
        AND later.household = a.household AND later.body->'data'->'person' = a.body->'data'->'person')
"""  # noqa: S608 - SQL made of our own constants
"""A file that was gone on with after somebody was forgotten still carries their key."""
PERSONAL = """
    SELECT a.line, a.type, a.version, a.stream, a.household, coalesce(a.opened, a.body->'data')
    FROM arriving a LEFT JOIN log.events e USING (event_id)
    WHERE a.line > %(after)s AND a.line <= %(upto)s AND a.type = ANY(%(types)s)
    AND e.payload IS DISTINCT FROM a.body->'data'
"""
SEALED = "UPDATE arriving SET today = coalesce(today, opened, body->'data') || %s WHERE line = %s"
HEAD = "SELECT position, hash FROM log.head()"
ENDS = "SELECT min(position), max(position) FROM arriving"
CONTINUES = f"SELECT hash = log.link(%s, {ROW}) FROM arriving WHERE position = %s"  # noqa: S608 - our own constant
SHARES = "SELECT hash = %s FROM arriving WHERE position = %s"


def bring(
    store: EventStore, path: Path, *, as_new: bool = False, progress: Progress = lambda _doing, _n, _of: None
) -> Brought:
    """Check the whole file, then write it, a chunk a transaction; interrupted, the same call goes on.

    An exact restore says that consumers have reacted to what is restored, for their answers are in the file too; to
    events appended as new ones they react. Texts of persons are restored with their keys, which our wrapping key must
    fit; in new events they are encrypted anew. With `as_new` all events are new ones.
    Raises `Invalid` for the first bad line, before anything is written.
    """
    with store.database.dedicated() as db:
        read = stage(db, lines_of(path), lambda n: progress("Checking", n, None))
        restored = None if as_new else _continues(db)
        if restored is None:
            return _append(db, store.personal, read, progress)
        return Brought(True, read, _restore(db, store.personal, restored, progress), [])


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


def _restore(db: Connection, personal: Personal, head: int, progress: Progress) -> int:
    _, last = fetch_row(db, ENDS)
    for after in range(head, last, CHUNK):
        upto = min(after + CHUNK, last)
        try:
            with db.transaction():
                db.execute("SELECT log.restore(%s, %s)", (after, upto))
                for household, person in db.execute(FORGOTTEN, (after, upto)).fetchall():
                    personal.forget(db, household, person)
                for household, person, key in db.execute(KEYS, (after, upto)).fetchall():
                    personal.bring(db, household, person, key)
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


def _seal(db: Connection, personal: Personal, lines: dict[str, int]) -> None:
    """Encrypt what is to be appended under the keys of this log; the caller holds the append lock."""
    types = [e.type_name for e in EVENTS.values() if e.personal]
    for line, type_name, version, stream, household, data in db.execute(PERSONAL, {**lines, "types": types}).fetchall():
        event = EVENTS[type_name].from_stored(version, data)
        names = {name for name in event.personal if name in data}
        if any(map(SEALED_TEXT.fullmatch, texts_of(event))):
            raise Invalid(f"line {line}, data", "holds a text as another log encrypted it: export that log anew")

        def patch(sealed: Sequence[Event], _keys: Sequence[str], line: int = line, names: set[str] = names) -> None:
            (one,) = sealed
            db.execute(SEALED, (Jsonb(one.model_dump(mode="json", include=names, exclude_none=True)), line))

        personal.sealed_for(patch, [stream], [event], household, db)


def _append(db: Connection, personal: Personal, read: int, progress: Progress) -> Brought:
    written, conflicts = 0, list[Conflict]()
    (last,) = fetch_row(db, "SELECT coalesce(max(line), 0) FROM arriving")
    for after in range(0, last, CHUNK):
        lines = {"after": after, "upto": after + CHUNK}
        with db.transaction():
            db.execute("SELECT log.begin_append(NULL, NULL)")  # an id that is not there now stays so until we are done
            _seal(db, personal, lines)
            conflicts += [Conflict(*row) for row in db.execute(CONFLICTS, lines).fetchall()]
            db.execute(THERE, lines)
            written += fetch_row(db, APPEND, lines)[0]
        progress("Appending", min(after + CHUNK, last), last)
    return Brought(False, read, written, conflicts)
