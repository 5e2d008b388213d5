"""Append, read and follow. The append itself is one function in the database: see `migrations/versions/0001_log.py`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import errors, sql
from pydantic import ValidationError

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.system import PersonForgotten
from meal_assets.errors import (
    ArchivedEvents,
    BrokenEvent,
    IdConflict,
    Invalid,
    OnceConflict,
    StaleVersion,
    UnknownEvent,
)

from .archives import refuse_archived, refuse_archived_stream
from .database import Connection, Database, fetch_row
from .group_commit import APPEND_ONE, GroupCommit, append_row
from .personal import Personal, Shown
from .records import Appended, Origin, Recorded, uuid7
from .verify import first_broken_link

PAGE = 1_000
"""Events read at a time where the caller does not say."""
POLL_SECONDS = 30.0
"""A follower looks by itself this often; a notification only wakes it earlier."""

COLUMNS = (
    "position, event_id, stream, stream_version, household, actor, correlation_id, causation_id,"
    " occurred_at, recorded_at, type, version, payload"
)
APPEND = "SELECT * FROM log.append(%s, %s, %s, %s, %s, %s, %s, %s, %s::text::jsonb, %s)"


NUL, BACKSLASH = r"\u0000", r"\\"
"""As JSON writes them."""


class EventStore:
    """The append-only log in one PostgreSQL database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.personal = Personal(database)
        self._group = GroupCommit(database)

    def append(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        origin: Origin,
        expected_version: int | None = None,
        once: str | None = None,
        event_ids: Sequence[UUID] | None = None,
        occurred_at: datetime | None = None,
        within: Connection | None = None,
    ) -> Appended:
        """Append `events` to `stream`, all or none, in the transaction `within` or in one of its own.

        `expected_version` is how many events the caller saw in the stream; raises `StaleVersion` if there are others.
        `once` makes a repeat say nothing new: it returns the first answer; raises `OnceConflict` if the events differ.
        `event_ids`, one for each event, do the same without a key; raises `IdConflict` if they stand for other events.
        """
        if not events:
            raise ValueError("an append needs at least one event")
        if event_ids is not None and not len(events) == len(event_ids) == len(set(event_ids)):
            raise ValueError("an append needs an id of its own for each event, or none at all")
        given, ids = event_ids is not None, event_ids or [uuid7() for _ in events]
        when = occurred_at or datetime.now(UTC)
        told = (
            stream,
            expected_version,
            once,
            origin.household,
            origin.actor,
            origin.correlation_id,
            origin.causation_id,
        )

        def append(sealed: Sequence[Event], keys: Sequence[str]) -> Appended:
            if len(sealed) == 1:
                (event,) = sealed
                one = (*told, ids[0], event.type_name, event.version, payload_of(event), when, given)
                return Appended(
                    *(self._group.append(one, keys) if within is None else append_row(within, APPEND_ONE, one, keys))
                )
            many = (*told, when, f"[{','.join(map(_given, sealed, ids))}]", given)
            with nullcontext(within) if within is not None else self.database.statement() as connection:
                return Appended(*append_row(connection, APPEND, many, keys))

        with translated(stream=stream, once=once, expected=expected_version):
            return self.personal.sealed_for(append, [stream] * len(events), events, origin.household, within)

    def read(
        self, after: int = 0, types: Sequence[type[Event]] = (), limit: int = PAGE, until: int | None = None
    ) -> list[Recorded]:
        """At most `limit` events with `after` < position <= `until`, in order; all types when none is named.

        Raises `ArchivedEvents` when some of them lie in a file.
        """
        where = [sql.SQL("position > %s")]
        arguments: list[Any] = [after]
        if types:
            where.append(sql.SQL("type = ANY(%s)"))
            arguments.append([t.type_name for t in types])
        if until is not None:
            where.append(sql.SQL("position <= %s"))
            arguments.append(until)
        with self.database.transaction() as db:
            rows = self._rows(
                db, sql.SQL(" AND ").join(where) + sql.SQL(" ORDER BY position LIMIT %s"), [*arguments, limit]
            )
            upto = rows[-1].position if len(rows) == limit else until
            refuse_archived(db, after, upto, [t.type_name for t in types])
        return rows

    def read_newest(self, types: Sequence[type[Event]] = (), limit: int = PAGE) -> list[Recorded]:
        """The newest `limit` events of these types, or of all, in order; what is archived is left out."""
        condition = sql.SQL("type = ANY(%s) ORDER BY position DESC LIMIT %s")
        with self.database.transaction() as db:
            return self._rows(db, condition, [[t.type_name for t in types or EVENTS.values()], limit])[::-1]

    def read_stream(self, stream: str, until: int | None = None) -> list[Recorded]:
        """The whole stream, in order; up to a position when one is given.

        Raises `ArchivedEvents` when a part of it lies in a file.
        """
        condition = "stream = %s AND position <= coalesce(%s, position) ORDER BY stream_version"
        with self.database.transaction() as db:
            rows = self._rows(db, sql.SQL(condition), [stream, until])
            refuse_archived_stream(db, stream, until)
        return rows

    def read_correlation(self, correlation_id: object, after: int = 0) -> list[Recorded]:
        """All that followed from one command, the command's own events first; what is archived is left out."""
        condition = sql.SQL("correlation_id = %s AND position > %s ORDER BY position")
        with self.database.transaction() as db:
            return self._rows(db, condition, [correlation_id, after])

    def latest(self, types: Sequence[type[Event]], *, household: str, until: int) -> list[Recorded]:
        """The newest event of these types in each stream of a household as of a position, by stream."""
        condition = (
            "position IN (SELECT max(position) FROM log.events"
            " WHERE type = ANY(%s) AND household = %s AND position <= %s GROUP BY stream) ORDER BY stream"
        )
        names = [t.type_name for t in types]
        with self.database.transaction() as db:
            rows = self._rows(db, sql.SQL(condition), [names, household, until])
            refuse_archived(db, 0, until, names)
        return rows

    def forgotten_at(self, household: str, person: str, until: int | None = None) -> int:
        """Where the person was last forgotten, up to a position when one is given; 0 when never.

        What was said of them before has no part in decisions any more.
        """
        with self.database.transaction() as connection:
            (position,) = fetch_row(
                connection,
                "SELECT coalesce(max(position), 0) FROM log.events"
                " WHERE stream = %s AND position <= coalesce(%s, position)",
                (PersonForgotten(person=person).stream_in(household), until),
            )
        return int(position)

    def read_person(self, stream: str, household: str, person: str, until: int | None = None) -> list[Recorded]:
        """A stream of the person's, as `read_stream` gives it, without what was before they were forgotten."""
        forgotten = self.forgotten_at(household, person, until)
        return [r for r in self.read_stream(stream, until) if r.position > forgotten]

    def read_days(
        self, types: Sequence[type[Event]], days: Sequence[date], *, household: str, person: str, until: int
    ) -> list[Recorded]:
        """What these types say of a person's days, in order, since they were last forgotten.

        The streams of the types are named by nothing but person and day. Raises `ArchivedEvents` when an event of one
        of the days lies in a file.
        """
        streams = {f"{household}/{t.stream.format(person=person, day=day)}" for t in types for day in days}
        names, told = [t.type_name for t in types], [str(day) for day in days]
        condition = (
            "stream = ANY(%s) AND type = ANY(%s) AND payload->>'day' = ANY(%s) AND position > %s AND position <= %s"
            " ORDER BY position"
        )
        forgotten = self.forgotten_at(household, person, until)
        with self.database.transaction() as db:
            rows = self._rows(db, sql.SQL(condition), [sorted(streams), names, told, forgotten, until])
            refuse_archived(db, forgotten, until, names, told)
        return rows

    def head(self) -> int:
        """The highest position; 0 when nothing ever happened."""
        with self.database.statement() as connection:
            (head,) = fetch_row(connection, "SELECT position FROM log.head()")
        return int(head)

    def first_broken_link(self) -> int | None:
        """The first position whose hash does not follow from its predecessor; None when the chain is whole."""
        return first_broken_link(self.database)

    def follow(self, after: int = 0, types: Sequence[type[Event]] = ()) -> Iterator[list[Recorded]]:
        """Batches of new events for ever, each as soon as it is committed; [] when a while passed without any."""
        with self.listen() as wait:
            while True:
                while batch := self.read(after, types):
                    after = batch[-1].position
                    yield batch
                if not wait(POLL_SECONDS):
                    yield []

    @contextmanager
    def listen(self) -> Iterator["Wait"]:
        """Yields a function that waits, at most so many seconds, until something was appended."""
        with self.database.dedicated() as connection:
            connection.execute("LISTEN meals_log")
            yield Wait(connection)

    def _rows(self, db: Connection, condition: sql.Composable, arguments: Sequence[Any]) -> list[Recorded]:
        query = sql.SQL("SELECT {} FROM log.events WHERE {}").format(sql.SQL(COLUMNS), condition)
        rows = db.execute(query, arguments).fetchall()
        return self.personal.opened(db, [recorded(row) for row in rows])

    def opened(self, shown: Shown) -> Shown:
        """Rows, events or values as people may see them: see `Personal.opened`."""
        with self.database.transaction() as connection:
            return self.personal.opened(connection, shown)


class Wait:
    """Call it with a number of seconds: True as soon as an append was notified, False when the time is up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, seconds: float) -> bool:
        return any(True for _ in self._connection.notifies(timeout=max(seconds, 0.0), stop_after=1))


@contextmanager
def translated(*, stream: str, once: str | None, expected: int | None) -> Iterator[None]:
    """The append functions' own errors as ours."""
    try:
        yield
    except errors.DatabaseError as error:
        if error.sqlstate == "ME001":
            raise StaleVersion(stream, expected or 0, int(error.diag.message_detail or 0)) from error
        if error.sqlstate == "ME002":
            raise OnceConflict(f"the key {once!r} stands for other events: use another key") from error
        if error.sqlstate == "ME004":
            raise ArchivedEvents(
                f"an event of {stream} has the id of one that is archived, and may be that one: `meals events restore"
                f" {error.diag.message_detail}` brings it back to tell"
            ) from error
        if error.sqlstate == "ME005":
            raise IdConflict(
                f"the ids of these events of {stream} stand for other events, from position"
                f" {error.diag.message_detail}: give new events new ids, or repeat exactly those that were appended"
                " together"
            ) from error
        raise


def payload_of(event: Event) -> str:
    """The event as the log keeps it: JSON, without what is unknown. Raises `Invalid` for text it cannot keep."""
    payload = event.model_dump_json(exclude_none=True)
    if NUL in payload and NUL in payload.replace(BACKSLASH, ""):
        raise Invalid(event.type_name, "holds a NUL character, which PostgreSQL cannot store")
    return payload


def _given(event: Event, event_id: UUID) -> str:
    payload = payload_of(event)
    return f'{{"id":"{event_id}","type":"{event.type_name}","version":{event.version},"payload":{payload}}}'


def decode(type_name: str, version: int, payload: dict[str, Any], *, position: int) -> Event:
    """A stored payload as today's event.

    Raises `UnknownEvent` when this program is too old to know it, or a field of it, and `BrokenEvent` when it is not
    what its contract says.
    """
    event, what = EVENTS.get(type_name), f"position {position} holds {type_name} version {version}"
    if event is None or version > event.version:
        raise UnknownEvent(f"{what}, which this program does not know: update it")
    try:
        return event.from_stored(version, payload)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        unknown = [".".join(map(str, one["loc"])) for one in wrong if one["type"] == "extra_forbidden"]
        if unknown:
            raise UnknownEvent(
                f"{what} with {', '.join(unknown)}, which this program does not know: update it"
            ) from None
        first = wrong[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise BrokenEvent(f"{what}, which is not what its contract says: {where}: {first['msg']}") from None


def recorded(row: tuple[Any, ...]) -> Recorded:
    """A row of `COLUMNS`, with texts of persons as they are kept."""
    *envelope, type_name, version, payload = row
    return Recorded(*(*envelope, decode(type_name, version, payload, position=envelope[0])))
