"""What happened: events of the household as CloudEvents, a page of them or as they come."""

import json
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from psycopg import sql
from pydantic import BaseModel, Field

from meal_assets.contracts import EVENTS, TOPICS
from meal_assets.event_store import EventStore
from meal_assets.event_store.cloud_event import Logged, attributes_of, line_of
from meal_assets.interchange.cloud_events import logged_where, readable

from ..caller import Reader, sees
from ..problems import Problem, documented
from ..state import Here
from ..streams import TYPE, Sent, streamed, wants_stream

router = APIRouter(tags=["events"])

PAGE, MAX_PAGE = 100, 500
SENT_AT_ONCE = 200
MAX_POSITION = 2**63 - 1

After = Annotated[int | None, Query(ge=0, le=MAX_POSITION, description="Only after this position; the newest without.")]
Topic = Annotated[str | None, Query(max_length=100, description="Only of this topic.")]
Type = Annotated[str | None, Query(max_length=200, description="Only of this type, as plan.PlanGenerated.")]
Stream = Annotated[
    str | None,
    Query(max_length=500, pattern=r"^[^\x00]*$", description="Only of this stream, as home/diary/ada/2026-11-23."),
]
Correlation = Annotated[UUID | None, Query(description="Only what followed from this command.")]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Events of a page, at most.")]
LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,18}$", description="Go on after this one, as browsers do."),
]


class CloudEvents(BaseModel):
    """A page of events, in the order of the log."""

    events: list[dict[str, Any]] = Field(description="CloudEvents 1.0, as JSON.")
    next: int | None = Field(description="`after` of the next page; null when there is none yet.")


@router.get(
    "/events",
    response_model=CloudEvents,
    responses={
        200: {"content": {TYPE: {"schema": {"type": "string"}}}, "description": "A page, or a stream of what comes."},
        **documented(401, 403, 422, 429, 503),
    },
)
async def events(
    request: Request,
    here: Here,
    caller: Reader,
    after: After = None,
    topic: Topic = None,
    type: Type = None,
    stream: Stream = None,
    correlation: Correlation = None,
    limit: Limit = PAGE,
    last_event_id: LastEventId = None,
) -> Any:
    """A page of events; or with `Accept: text/event-stream` all that come, from `Last-Event-ID` or `after` on."""
    store, condition = sees(request, caller), _condition(caller.household, topic, type, stream, correlation)
    if wants_stream(request):
        at = int(last_event_id) if last_event_id else after if after is not None else await _head(here.store)
        tailing = _Tailing(store, condition, at)
        return await streamed(request, here, caller, tailing.look)
    rows = await run_in_threadpool(_page, store, condition, after, limit)
    body = ",".join(line_of(attributes_of(row, chained=False), row.data) for row in rows)
    more = rows[-1].position if len(rows) == limit and after is not None else None
    return Response(f'{{"events": [{body}], "next": {json.dumps(more)}}}', media_type="application/json")


class _Tailing:
    """What comes, from a position on."""

    def __init__(self, store: EventStore, condition: sql.Composable, after: int) -> None:
        self._store, self._condition, self._after = store, condition, after

    def look(self) -> list[Sent]:
        rows = _page(self._store, self._condition, self._after, SENT_AT_ONCE)
        if rows:
            self._after = rows[-1].position
        return [Sent(line_of(attributes_of(r, chained=False), r.data), str(r.position), r.type) for r in rows]


async def _head(store: EventStore) -> int:
    return await run_in_threadpool(store.head)


def _page(store: EventStore, condition: sql.Composable, after: int | None, limit: int) -> Sequence[Logged]:
    if after is not None:
        condition = condition + sql.SQL(" AND position > {}").format(after)
    with store.database.transaction() as db:
        rows = logged_where(db, condition, limit, newest=after is None)
    return readable(store, rows)


def _condition(
    household: str, topic: str | None, type: str | None, stream: str | None, correlation: UUID | None
) -> sql.Composable:
    if topic is not None and topic not in TOPICS:
        raise Problem(422, f"topic: {topic} is none of {', '.join(TOPICS)}.", field="topic")
    if type is not None and type not in EVENTS:
        raise Problem(422, f"type: {type} is none of {', '.join(EVENTS)}.", field="type")
    parts = [sql.SQL("household = {}").format(household)]
    if topic is not None:
        parts.append(sql.SQL("type = ANY({})").format([e.type_name for e in TOPICS[topic]]))
    for column, value in (("type", type), ("stream", stream), ("correlation_id", correlation)):
        if value is not None:
            parts.append(sql.SQL("{} = {}").format(sql.Identifier(column), value))
    return sql.SQL(" AND ").join(parts)
