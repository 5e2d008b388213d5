"""Parts of the log that lie in files: what the database still knows of them, and that nobody reads over the gap.

Where a partition was, one stands that holds only what is looked up however old it is. What a stream's version and an
event's id were is kept for the others, for appends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql

from meal_assets.contracts import EVENTS
from meal_assets.errors import ArchivedEvents

from .database import Connection, fetch_row

LOCK_SECONDS = 5
"""The exchange of a partition waits no longer for those who read the log, because others then wait for it."""

COLUMNS = "first, last, before, hash, file, archived_at, gone"


@dataclass(frozen=True, slots=True)
class Archive:
    """Positions `first` to `last`; the hashes of the event before and of the last; `gone`: type -> how many left."""

    first: int
    last: int
    before: bytes
    hash: bytes
    file: str
    archived_at: datetime
    gone: dict[str, int]


def archives(db: Connection) -> list[Archive]:
    """All there are, in the order of the log."""
    query = sql.SQL("SELECT {} FROM log.archives ORDER BY first").format(sql.SQL(COLUMNS))
    return [Archive(*row) for row in db.execute(query).fetchall()]


def refuse_archived(
    db: Connection, after: int, upto: int | None, types: Sequence[str] = (), days: Sequence[str] | None = None
) -> None:
    """Raises `ArchivedEvents` when events of these types, or any, with `after` < position <= `upto` lie in a file.

    With `days` only where one whose field `day` is among them does.

    To be called after the log was read, in the same transaction: nothing of it is archived before that ends.
    """
    for first, last, file in _holding(db, after, upto, types, days):
        raise _archived(f"positions {first:,} to {last:,}", file)


def files_with(
    db: Connection, after: int, types: Sequence[str] = (), days: Sequence[str] | None = None, ids: Sequence[UUID] = ()
) -> list[str]:
    """The files in which events that `refuse_archived` would refuse lie, or those with these ids."""
    held = [file for _, _, file in _holding(db, after, None, types, days)]
    query = (
        "SELECT DISTINCT file FROM log.archived_ids JOIN log.archives ON position BETWEEN first AND last"
        " WHERE event_id = ANY(%s)"
    )
    return sorted({*held, *(str(file) for (file,) in db.execute(query, (list(ids),)))})


def _holding(
    db: Connection, after: int, upto: int | None, types: Sequence[str], days: Sequence[str] | None
) -> list[tuple[int, int, str]]:
    return db.execute(
        "SELECT first, last, file FROM log.archives WHERE last > %s AND first <= coalesce(%s, last)"
        " AND CASE WHEN %s::text[] = '{}' THEN gone <> '{}' ELSE gone ?| %s END"
        " AND coalesce(days && %s::text[], true) ORDER BY first",
        (after, upto, list(types), list(types), None if days is None else list(days)),
    ).fetchall()


def refuse_archived_stream(db: Connection, stream: str, until: int | None) -> None:
    """Raises `ArchivedEvents` when events of the stream up to this position lie in a file."""
    row = db.execute(
        "SELECT file FROM log.archived_streams JOIN log.archives USING (first)"
        " WHERE stream = %s AND first <= coalesce(%s, first) ORDER BY first LIMIT 1",
        (stream, until),
    ).fetchone()
    if row is not None:
        raise _archived(f"events of {stream}", row[0])


def _archived(what: str, file: str) -> ArchivedEvents:
    return ArchivedEvents(f"{what} are needed and lie in {file}: `meals events restore {file}` brings them back")


def link_before(db: Connection, position: int) -> bytes:
    """The hash that the event at a position is chained to, also where it was archived; b"" at the very beginning."""
    (link,) = fetch_row(
        db,
        "SELECT coalesce((SELECT hash FROM log.archives WHERE last = %(before)s),"
        " (SELECT hash FROM log.events WHERE position = %(before)s), '')",
        {"before": position - 1},
    )
    return bytes(link)


KEPT = "sha256(coalesce(string_agg(log.record(e) || e.hash, '' ORDER BY e.position), ''))"
"""The digest of what stayed: with the events between gone, their chain tells nothing."""


def first_false_archive(db: Connection) -> int | None:
    """The first position of an archive whose neighbours, or whose events that stayed, are not those it was made of."""
    for one in archives(db):
        query = sql.SQL("SELECT {} = (SELECT kept FROM log.archives WHERE first = {}) FROM log.events e {}").format(
            sql.SQL(KEPT), one.first, sql.SQL("WHERE position BETWEEN {} AND {}").format(one.first, one.last)
        )
        (as_kept,) = fetch_row(db, query)
        if not as_kept or link_before(db, one.first) != one.before:
            return one.first
    return None


def full_partitions(db: Connection, until: int) -> list[tuple[int, int]]:
    """First and last position of each partition up to `until` that can be archived: the head of the log stays."""
    return db.execute(
        "SELECT first, last FROM log.partitions p WHERE last <= %s AND last < (SELECT position FROM log.head())"
        " AND NOT EXISTS (SELECT FROM log.archives a WHERE a.first = p.first) ORDER BY first",
        (until,),
    ).fetchall()


def put_away(db: Connection, first: int, last: int, *, before: bytes, link: bytes, file: str) -> None:
    """Take a partition that lies in `file` out of the log, in the owner's transaction `db`."""
    names = {"old": sql.Identifier("log", f"events_{first}"), "new": sql.Identifier("log", f"events_{first}_kept")}
    stay = [name for name, event in EVENTS.items() if event.stays]
    db.execute("SELECT log.new_partition(%s)", (f"events_{first}_kept",))
    db.execute(sql.SQL("INSERT INTO {new} SELECT * FROM {old} WHERE type = ANY(%s)").format(**names), (stay,))
    db.execute(
        sql.SQL(
            "INSERT INTO log.archives (first, last, before, hash, gone, days, kept, file) SELECT %s, %s, %s, %s,"
            " coalesce((SELECT jsonb_object_agg(type, n) FROM (SELECT type, count(*) AS n FROM {old}"
            " WHERE type <> ALL(%s) GROUP BY type) AS by_type), '{{}}'),"
            " ARRAY(SELECT DISTINCT payload->>'day' FROM {old} WHERE type <> ALL(%s) AND payload ? 'day'),"
            " (SELECT {kept} FROM log.events e"
            " WHERE position BETWEEN %s AND %s AND type = ANY(%s)), %s"
        ).format(**names, kept=sql.SQL(KEPT)),
        (first, last, before, link, stay, stay, first, last, stay, file),
    )
    db.execute(
        sql.SQL(
            "INSERT INTO log.archived_streams SELECT stream, %s, max(stream_version) FROM {old}"
            " WHERE type <> ALL(%s) GROUP BY stream"
        ).format(**names),
        (first, stay),
    )
    db.execute(
        sql.SQL("INSERT INTO log.archived_ids SELECT event_id, position FROM {old} WHERE type <> ALL(%s)").format(
            **names
        ),
        (stay,),
    )
    _exchange(db, first, last, "kept")


def bring_back(db: Connection, first: int, last: int) -> None:
    """Put what the caller's table `arriving` holds back into its place in the log, in the owner's transaction `db`."""
    db.execute("SELECT log.new_partition(%s)", (f"events_{first}_back",))
    db.execute(
        sql.SQL(
            "INSERT INTO {} SELECT position, event_id, stream, stream_version, type, version, body->'data', household,"
            " actor, correlation_id, causation_id, occurred_at, recorded_at, hash FROM arriving ORDER BY position"
        ).format(sql.Identifier("log", f"events_{first}_back"))
    )
    db.execute("DELETE FROM log.archived_ids WHERE position BETWEEN %s AND %s", (first, last))
    db.execute("DELETE FROM log.archives WHERE first = %s", (first,))
    _exchange(db, first, last, "back")


def _exchange(db: Connection, first: int, last: int, suffix: str) -> None:
    """Put the table with this suffix in the place of the partition, which is dropped: the one step that others feel.

    Its bounds are proven to the server before by a constraint, so that it need not read it all while they wait.
    """
    names = {
        "old": sql.Identifier("log", f"events_{first}"),
        "new": sql.Identifier("log", f"events_{first}_{suffix}"),
        "name": sql.Identifier(f"events_{first}"),
        "first": sql.Literal(first),
        "end": sql.Literal(last + 1),
    }
    (bounds,) = fetch_row(db, "SELECT log.bounds(%s, %s)", (first, last))
    for statement in (
        "ALTER TABLE {new} ADD CONSTRAINT bounds CHECK (position >= {first} AND position < {end})",
        "SELECT set_config('lock_timeout', '" + f"{LOCK_SECONDS}s" + "', true)",
        "ALTER TABLE log.events DETACH PARTITION {old}",
        "DROP TABLE {old}",
        "ALTER TABLE {new} RENAME TO {name}",
        "ALTER TABLE log.events ATTACH PARTITION {old} FOR VALUES {bounds}",
        "ALTER TABLE {old} DROP CONSTRAINT bounds",
    ):
        db.execute(sql.SQL(statement).format(**names, bounds=sql.SQL(bounds)))
