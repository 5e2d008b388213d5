"""An event of the log as CloudEvents 1.0 JSON, and back.

The payload is carried as PostgreSQL writes it, never through a Python number: 1.50 must stay 1.50, the hash covers it.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Literal, Self
from uuid import UUID

from psycopg import sql
from pydantic import AwareDatetime, BaseModel, Field, ValidationError, field_validator, model_validator

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.personal import PREFIX, SEALED
from meal_assets.errors import Invalid
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.archives import refuse_archived
from meal_assets.event_store.cloud_event import Logged
from meal_assets.event_store.store import COLUMNS, payload_of

SHOWN_INPUT = 80
"""Characters of a wrong value that a message repeats."""


def read_logged(store: EventStore, after: int, types: Sequence[type[Event]], *, until: int, limit: int) -> list[Logged]:
    """At most `limit` rows with `after` < position <= `until`, in order; all types when none is named.

    Raises `ArchivedEvents` when some of them lie in a file.
    """
    condition = sql.SQL("position > {} AND position <= {}").format(after, until)
    if types:
        condition += sql.SQL(" AND type = ANY({})").format([t.type_name for t in types])
    with store.database.transaction() as db:
        rows = logged_where(db, condition, limit)
        refuse_archived(db, after, rows[-1].position if len(rows) == limit else until, [t.type_name for t in types])
    return rows


def logged_where(db: Connection, condition: sql.Composable, limit: int, *, newest: bool = False) -> list[Logged]:
    """At most `limit` rows that fulfil the condition, in order, from the first or up to the newest.

    What is archived is left out.
    """
    columns = COLUMNS.removesuffix("payload") + "payload::text, hash"
    query = sql.SQL("SELECT {} FROM log.events WHERE {} ORDER BY position {} LIMIT {}").format(
        sql.SQL(columns), condition, sql.SQL("DESC" if newest else ""), limit
    )
    rows = [Logged(*row) for row in db.execute(query).fetchall()]
    return rows[::-1] if newest else rows


def readable(store: EventStore, rows: list[Logged]) -> list[Logged]:
    """The rows with texts of persons as they were said, or as tombstones; beside them, what a restore needs: the texts
    as the log keeps them, which the hash covers, and the key they are under, wrapped.
    """
    found = {m["key"] for row in rows if _of_persons(row) for m in SEALED.finditer(row.data)}
    if not found:
        return rows
    with store.database.transaction() as db:
        keys = store.personal.wrapped(db, found)
        texts = {m[0]: m[0] for row in rows if _of_persons(row) for m in SEALED.finditer(row.data)}
        opened = store.personal.opened(db, {sealed: [sealed] for sealed in texts})
    return [_readable(row, opened, keys) if _of_persons(row) else row for row in rows]


def _of_persons(row: Logged) -> bool:
    event = EVENTS.get(row.type)
    return event is not None and bool(event.personal) and PREFIX in row.data


def _readable(row: Logged, opened: dict[str, list[str]], keys: dict[str, str]) -> Logged:
    sealed = {name: value for name, value in json.loads(row.data).items() if SEALED.search(json.dumps(value))}
    ids = [m["key"] for m in SEALED.finditer(row.data)]

    def said(quoted: re.Match[str]) -> str:
        return ", ".join(json.dumps(text, ensure_ascii=False) for text in opened[quoted[0][1:-1]])

    return row._replace(
        data=re.sub(f'"{SEALED.pattern}"', said, row.data),
        sealed=json.dumps(sealed),
        personkey=next((keys[id_] for id_ in ids if id_ in keys), None),
    )


class CloudEvent(BaseModel):
    """What a line must say to become an event here; attributes of others are passed over."""

    specversion: Literal["1.0"]
    id: UUID
    type: str
    subject: str = Field(min_length=1)
    time: AwareDatetime
    dataschema: str = Field(pattern=r"^.+/v[0-9]{1,4}$")
    datacontenttype: Literal["application/json"] = "application/json"
    household: str = Field(min_length=1)
    actor: str = Field(min_length=1)
    correlationid: UUID
    causationid: UUID | None = None
    position: int | None = Field(default=None, gt=0)
    streamversion: int | None = Field(default=None, gt=0)
    recordedtime: AwareDatetime | None = None
    hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    sealed: str | None = None
    personkey: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}:[A-Za-z0-9+/]+=*$")
    data: dict[str, Any]

    @field_validator("sealed")
    @classmethod
    def _texts(cls, value: str | None) -> str | None:
        if value is not None and not isinstance(json.loads(value), dict):
            raise ValueError("is no JSON object")
        return value

    @field_validator("subject", "household", "actor")
    @classmethod
    def _storable(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("holds a NUL character")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.hash is not None and None in (self.position, self.streamversion, self.recordedtime):
            raise ValueError("a hash needs position, streamversion and recordedtime: they are part of what it covers")
        return self

    @property
    def version(self) -> int:
        return int(self.dataschema.rpartition("/v")[2])


def parse(line: int, text: bytes) -> tuple[CloudEvent, str | None]:
    """A line, and its payload as this program writes it where it has today's version.

    Raises `Invalid` naming line and field when it is no event that a contract here describes.
    """
    try:
        told = CloudEvent.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise _wrong(line, error, "") from None
    event = EVENTS.get(told.type)
    if event is None:
        raise Invalid(f"line {line}, type", f"{told.type!r} is not known to this program: is it too old?")
    if told.dataschema.rpartition("/v")[0] != told.type or not 1 <= told.version <= event.version:
        reason = f"{told.dataschema!r} is not {told.type}/v1 to v{event.version}: is this program too old?"
        raise Invalid(f"line {line}, dataschema", reason)
    try:
        today = event.from_stored(told.version, told.data)
    except ValidationError as error:
        raise _wrong(line, error, "data") from None
    except Exception as error:  # an upcaster is code for payloads of its version; given another, it may raise anything
        raise Invalid(f"line {line}, data", f"is no {told.dataschema}: {type(error).__name__} {error}") from error
    return told, payload_of(today) if told.version == event.version else None


def _wrong(line: int, error: ValidationError, within: str) -> Invalid:
    first = error.errors(include_url=False)[0]
    field = ".".join(filter(None, (within, *map(str, first["loc"]))))
    return Invalid(
        f"line {line}, {field}" if field else f"line {line}",
        f"{first['msg']} (it is {str(first['input'])[:SHOWN_INPUT]!r})",
    )
