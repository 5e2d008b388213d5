"""An event of the log as CloudEvents 1.0 names its parts, and as the line of JSON that carries it."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from .records import Recorded
from .store import payload_of

JSON_TYPE = "application/json"


class Logged(NamedTuple):
    """A row of the log, undecoded: what this program does not know can still be carried."""

    position: int
    event_id: UUID
    stream: str
    stream_version: int
    household: str
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    type: str
    version: int
    data: str
    hash: bytes
    sealed: str | None = None
    personkey: str | None = None


def logged_of(recorded: Recorded) -> Logged:
    """An event as it was read, with texts of persons as they are in it; it has no hash."""
    event = recorded.event
    return Logged(
        recorded.position,
        recorded.event_id,
        recorded.stream,
        recorded.stream_version,
        recorded.household,
        recorded.actor,
        recorded.correlation_id,
        recorded.causation_id,
        recorded.occurred_at,
        recorded.recorded_at,
        event.type_name,
        event.version,
        payload_of(event),
        b"",
    )


def attributes_of(row: Logged, *, chained: bool) -> dict[str, Any]:
    """The attributes as CloudEvents names them, times as such; `data` is left out, and `hash` unless `chained`."""
    said = {
        "specversion": "1.0",
        "id": str(row.event_id),
        "source": f"urn:meal_assets:{quote(row.household, safe='')}",
        "type": row.type,
        "subject": row.stream,
        "time": row.occurred_at,
        "dataschema": f"{row.type}/v{row.version}",
        "datacontenttype": JSON_TYPE,
        "position": row.position,
        "streamversion": row.stream_version,
        "household": row.household,
        "actor": row.actor,
        "correlationid": str(row.correlation_id),
        "causationid": str(row.causation_id) if row.causation_id else None,
        "recordedtime": row.recorded_at,
        "hash": row.hash.hex() if chained else None,
        "sealed": row.sealed if chained else None,
        "personkey": row.personkey if chained else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def line_of(attributes: dict[str, Any], data: str) -> str:
    """One line of JSON; `data` is JSON already."""
    return f'{json.dumps(attributes, ensure_ascii=False, default=_time)[:-1]}, "data": {data}}}'


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
