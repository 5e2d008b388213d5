"""Appends that meet share a transaction: one waits for the disk, the others wait with it instead of after it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event as Signal
from threading import Lock
from typing import Any

import psycopg

from .database import Connection, Database

MOST = 64
"""Appends of one transaction."""

APPEND_ONE = "SELECT * FROM log.append_one(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::text::jsonb, %s, %s)"
APPEND_GROUP = "SELECT * FROM log.append_group(%s::text::jsonb)"

REQUIRE_KEYS = "(SELECT log.require_keys(%s::text[], count(*)) FROM said)"
"""Counting what was said comes before the question."""

NAMES = ("stream", "expected", "once", "household", "actor", "correlation", "causation", "id", "type", "version")

Row = tuple[Any, ...]


@dataclass(slots=True)
class _Ticket:
    """One event to append, and what became of it. Neither row nor error yet, and told: it is to lead."""

    arguments: Sequence[Any]
    keys: Sequence[str] = ()
    told: Signal = field(default_factory=Signal)
    row: Row | None = None
    error: BaseException | None = None


class GroupCommit:
    """Appends single events for many threads. Who comes while nobody commits leads; the others follow.

    A lone append is one statement in autocommit, as if this were not here.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: list[_Ticket] = []
        self._led = False

    def append(self, arguments: Sequence[Any], keys: Sequence[str] = ()) -> Row:
        """What `log.append_one` answers to these arguments, if these keys stand; raises what it raised."""
        ticket = _Ticket(arguments, keys)
        with self._lock:
            follows = self._led
            self._led = True
            if follows:
                self._waiting.append(ticket)
        if follows:
            ticket.told.wait()
        if ticket.row is None and ticket.error is None:
            self._lead(ticket)
        if ticket.error is not None:
            raise ticket.error
        assert ticket.row is not None
        return ticket.row

    def _lead(self, own: _Ticket) -> None:
        with self._lock:
            group = [own, *self._waiting[: MOST - 1]]
            del self._waiting[: MOST - 1]
        try:
            self._commit(group)
        finally:
            with self._lock:
                next_leader = self._waiting.pop(0) if self._waiting else None
                self._led = next_leader is not None
            for ticket in group[1:]:
                ticket.told.set()
            if next_leader is not None:
                next_leader.told.set()

    def _commit(self, group: list[_Ticket]) -> None:
        try:
            with self._database.statement() as connection:
                if len(group) == 1 or not _all_at_once(connection, group):
                    for ticket in group:
                        _one(connection, ticket)
        except BaseException as error:  # the connection is gone: what was committed is not known
            for ticket in group:
                if ticket.row is None and ticket.error is None:
                    ticket.error = error


def append_row(connection: Connection, query: str, arguments: Sequence[Any], keys: Sequence[str]) -> Row:
    """The row of an append of one, or of one stream; it fails when one of these keys of persons is gone."""
    row = execute_append(connection, query, arguments, keys).fetchone()
    assert row is not None
    return row


def execute_append(
    connection: Connection, query: str, arguments: Sequence[Any], keys: Sequence[str]
) -> psycopg.Cursor[Row]:
    """The keys are looked at in the same statement, after the append and under its lock: nobody removes them then."""
    if keys:
        query = f"WITH said AS MATERIALIZED ({query}) SELECT said.* FROM said WHERE {REQUIRE_KEYS}"  # noqa: S608 - SQL made of our own constants
        arguments = (*arguments, list(keys))
    return connection.execute(query, arguments)


def _all_at_once(connection: Connection, group: list[_Ticket]) -> bool:
    """All in one statement; False when the server refused one of them, and so committed none."""
    try:
        appends = f"[{','.join(_as_json(t.arguments) for t in group)}]"
        rows = execute_append(connection, APPEND_GROUP, (appends,), [key for t in group for key in t.keys])
    except psycopg.OperationalError:
        raise
    except psycopg.DatabaseError:
        return False
    for ticket, row in zip(group, rows.fetchall(), strict=True):
        ticket.row = row
    return True


def _as_json(arguments: Sequence[Any]) -> str:
    """The arguments of `log.append_one` by name; arrays of them would cost psycopg more than the append costs."""
    *told, payload, occurred, given = arguments
    values = [None if v is None else v if isinstance(v, int) else str(v) for v in told]
    named = json.dumps(dict(zip(NAMES, values, strict=True)) | {"occurred": str(occurred), "given": given})
    return f'{named[:-1]}, "payload": {payload}}}'


def _one(connection: Connection, ticket: _Ticket) -> None:
    try:
        ticket.row = append_row(connection, APPEND_ONE, ticket.arguments, ticket.keys)
    except psycopg.OperationalError:
        raise
    except psycopg.DatabaseError as error:
        ticket.error = error
