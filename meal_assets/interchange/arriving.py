"""What a file brings, beside the log and not yet in it: every line checked, and the chain of their hashes."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import psycopg

from meal_assets.errors import Invalid
from meal_assets.event_store import Connection

from .cloud_events import CloudEvent, parse

CHUNK = 5_000
"""Lines copied at a time."""

TABLE = """
    CREATE TEMPORARY TABLE arriving (
        line bigint PRIMARY KEY, position bigint, event_id uuid, stream text, stream_version integer, type text,
        version smallint, household text, actor text, correlation_id uuid, causation_id uuid, occurred_at timestamptz,
        recorded_at timestamptz, hash bytea, body jsonb, today jsonb, opened jsonb
    )
"""
COPY = (
    "COPY arriving (line, position, event_id, stream, stream_version, type, version, household, actor, correlation_id,"
    " causation_id, occurred_at, recorded_at, hash, body, today) FROM STDIN"
)
AS_KEPT = """
    UPDATE arriving SET opened = body->'data',
        body = jsonb_set(body, '{data}', body->'data' || (body->>'sealed')::jsonb)
    WHERE body ? 'sealed'
"""
"""What the log kept is what hashes cover and ids stand for; what was said is for a log with other keys."""
INDEXES = """
    CREATE INDEX ON arriving (position);
    CREATE INDEX ON arriving (event_id);
    ANALYZE arriving;
"""
ROW = """ROW(position, event_id, stream, stream_version, type, version, body->'data', household, actor,
             correlation_id, causation_id, occurred_at, recorded_at, hash)::log.events"""
TWICE = """
    SELECT line, before FROM (SELECT line, lag(line) OVER (PARTITION BY event_id ORDER BY line) AS before FROM arriving)
    AS seen WHERE before IS NOT NULL ORDER BY line LIMIT 1
"""
BROKEN = f"""
    SELECT line, position IS DISTINCT FROM expected, expected FROM (
        SELECT line, position, hash, coalesce(lag(position) OVER w + 1, position) AS expected, CASE
            WHEN position = 1 THEN log.link('', {ROW})
            WHEN lag(hash) OVER w IS NOT NULL THEN log.link(lag(hash) OVER w, {ROW}) ELSE hash END AS link
        FROM arriving WINDOW w AS (ORDER BY line)
    ) AS linked WHERE hash IS NULL OR position <> expected OR hash <> link ORDER BY line LIMIT 1
"""  # noqa: S608 - SQL made of our own constants


def stage(db: Connection, lines: Iterable[tuple[int, bytes]], progress: Callable[[int], None]) -> int:
    """Copy all lines into the temporary table `arriving` of this session; how many there are.

    Raises `Invalid` naming the first line and field that is wrong: against its contract, against the chain of hashes
    where the file has one, or because the id was there before.
    """
    db.execute(TABLE)
    rest, through = iter(lines), 0
    while chunk := list(islice(rest, CHUNK)):
        _copy(db, chunk)
        through += len(chunk)
        progress(through)
    db.execute(AS_KEPT)
    db.execute(INDEXES)
    if twice := db.execute(TWICE).fetchone():
        raise Invalid(f"line {twice[0]}, id", f"is the id of line {twice[1]}: an event has an id of its own")
    if is_chain(db) and (broken := db.execute(BROKEN).fetchone()):
        line, moved, expected = broken
        field, reason = "hash", "does not follow from the line and the one before: it was changed, or one is missing"
        if moved:
            field, reason = "position", f"should be {expected}: a line is missing, or out of order"
        raise Invalid(f"line {line}, {field}", reason)
    return through


def is_chain(db: Connection) -> bool:
    """Whether the lines have hashes: an export of all topics has, one of some has not."""
    return db.execute("SELECT EXISTS (SELECT FROM arriving WHERE hash IS NOT NULL)").fetchone() == (True,)


def _copy(db: Connection, chunk: list[tuple[int, bytes]]) -> None:
    try:
        with db.cursor().copy(COPY) as copy:
            for row in _rows(chunk):
                copy.write_row(row)
    except psycopg.DataError as error:
        at = re.search(r"COPY arriving, line ([0-9]+), column (\w+)", error.diag.context or "")
        line = chunk[int(at[1]) - 1][0] if at else f"{chunk[0][0]} to {chunk[-1][0]}"
        raise Invalid(f"line {line}, data", f"PostgreSQL cannot keep it: {error.diag.message_primary}") from error


def _rows(chunk: list[tuple[int, bytes]]) -> Iterator[tuple[object, ...]]:
    for line, text in chunk:
        told, today = parse(line, text)
        yield (line, *_envelope(told), text.decode(), today)


def _envelope(told: CloudEvent) -> tuple[object, ...]:
    return (
        told.position, told.id, told.subject, told.streamversion, told.type, told.version, told.household, told.actor,
        told.correlationid, told.causationid, told.time, told.recordedtime,
        bytes.fromhex(told.hash) if told.hash else None,
    )  # fmt: skip
