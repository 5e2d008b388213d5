"""Which fields programs of other ages know: where one has added a field, an older one looks at every event twice.

SQL passes over a field that it does not name, so a fold would make rows of half an event without noticing.
"""

from typing import Any

from psycopg import Connection

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.fields import fields_of

MAX_REMEMBERED = 1_000
"""Answers of `unknown_since`, over all databases and subscribers of this process."""

NOTE = """
    INSERT INTO log.fields (type, version, field, since)
    SELECT type, version, field, (SELECT position FROM log.head())
    FROM unnest(%s::text[], %s::smallint[], %s::text[]) AS known (type, version, field)
    WHERE NOT EXISTS (SELECT FROM log.fields f WHERE (f.type, f.version, f.field)
                      = (known.type, known.version, known.field))
    ON CONFLICT DO NOTHING
"""
NOTED = "(SELECT count(*) FROM log.fields)"
"""As rows are only added, the same number means the same rows."""
UNKNOWN_SINCE = """
    SELECT min(since) FROM log.fields JOIN unnest(%s::text[], %s::smallint[]) AS known (type, version)
    USING (type, version) WHERE type || ' ' || field <> ALL(%s)
"""

_remembered: dict[tuple[object, ...], int | None] = {}


def note_fields(db: "Connection[tuple[Any, ...]]") -> None:
    """Say which fields this program writes, from the head of the log on; to be called before it appends anything."""
    known = [(e.type_name, e.version, field) for e in EVENTS.values() for field in fields_of(e)]
    db.execute(NOTE, [list(column) for column in zip(*known, strict=True)])


def unknown_since(db: "Connection[tuple[Any, ...]]", types: tuple[type[Event], ...], noted: int) -> int | None:
    """After which position events of these types may have a field that this program does not know; None when none may.

    `noted` is what `NOTED` says: the database is asked once for each such number.
    """
    key = (db.info.host, db.info.port, db.info.dbname, noted, types)
    if key not in _remembered:
        known = [f"{t.type_name} {field}" for t in types for field in fields_of(t)]
        row = db.execute(UNKNOWN_SINCE, ([t.type_name for t in types], [t.version for t in types], known)).fetchone()
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[key] = row[0] if row else None
    return _remembered[key]
