"""History: the life of any thing as the events that made it, and how it was on an earlier day."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from psycopg import sql

from meal_assets.contracts import TOPICS
from meal_assets.event_store import Connection
from meal_assets.event_store.cloud_event import Logged
from meal_assets.interchange.cloud_events import logged_where, readable
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.event_statistics import EventStatistics

from ..problems import Problem
from ..queries import Asked, page_as_of
from .showing import Panel, page
from .visitor import Seen, Visitor

router = APIRouter()
A_PAGE = 50
MAX_ROWS = 60
MOST_LETTERS = 200
SHOWN_BY: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "plan": (("week_plan", "week_plan", ("week",)), ("week_plan", "week_plan_days", ("week",))),
    "shopping": (("shopping_list", "shopping_list", ("week",)), ("shopping_list", "shopping_list_ticks", ("week",))),
    "diary": (("food_log", "food_log", ("person", "day")), ("daily_nutrition", "daily_nutrition", ("person", "day"))),
    "profile": (("targets", "targets", ("person",)),),
    "recipe": (("recipe_catalogue", "recipe_catalogue", ("recipe",)),),
    "nutrition": (("recipe_nutrition", "recipe_nutrition", ("recipe",)),),
    "weight": (("weight_trend", "weight_trend", ("person",)),),
}
"""First word of a stream -> what shows it: read model, table, and the key that the other words of the stream are."""
DULL = {"household", "position", "item_key", "uses", "said", "content_hash", "published", "computed", "computed_from"}
"""Columns that say nothing to people."""


def _events(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    query = visitor.request.query_params
    stream, topic, command = (query.get(name, "").strip("/") for name in ("stream", "topic", "command"))
    before = query.get("before", "")
    parts = [sql.SQL("household = {}").format(visitor.household)]
    if stream:
        parts.append(sql.SQL("stream = {}").format(f"{visitor.household}/{stream}".replace("\0", "")))
    if topic:
        if topic not in TOPICS:
            raise Problem(404, f"“{topic[:60]}” is no topic.")
        parts.append(sql.SQL("type = ANY({})").format([e.type_name for e in TOPICS[topic]]))
    if command:
        parts.append(sql.SQL("correlation_id = {}").format(_uuid(command)))
    if before.isdecimal() and len(before) < 19:
        parts.append(sql.SQL("position < {}").format(int(before)))
    rows = readable(visitor.store, logged_where(db, sql.SQL(" AND ").join(parts), A_PAGE, newest=True))
    return {
        "stream": stream,
        "topic": topic,
        "command": command,
        "topics": sorted(TOPICS),
        "events": [_told(visitor, row) for row in reversed(rows)],
        "before": rows[0].position if len(rows) == A_PAGE else None,
        "can_look_back": stream.partition("/")[0] in SHOWN_BY,
        "at": query.get("at", ""),
        "shown": _as_it_was(visitor, stream, query["at"]) if query.get("at") and stream else None,
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Problem(404, "There is no such command.") from None


def _told(visitor: Visitor, row: Logged) -> dict[str, Any]:
    """An event as people read it: what happened to what, by whom, and what it says."""
    said = json.loads(row.data)
    topic, _, name = row.type.partition(".")
    return {
        "position": row.position,
        "at": row.recorded_at,
        "topic": topic,
        "name": "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip(),
        "stream": row.stream.removeprefix(f"{visitor.household}/"),
        "actor": row.actor,
        "command": row.correlation_id,
        "caused": row.causation_id is not None,
        "brief": _brief(said),
        "whole": json.dumps(said, indent=2, ensure_ascii=False),
    }


def _brief(said: Mapping[str, Any]) -> str:
    """The plain fields of an event, as many as fit in a line or two."""
    plain = [f"{k.replace('_', ' ')} {_short(v)}" for k, v in said.items() if isinstance(v, str | int | float)]
    text = ", ".join(plain)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def _short(value: str | int | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _as_it_was(visitor: Visitor, stream: str, at: str) -> list[dict[str, Any]]:
    """What the read models of a thing said at a local moment, table by table."""
    kind, *key = stream.split("/")
    try:
        when = datetime.fromisoformat(at).replace(tzinfo=visitor.shared.settings.zone).isoformat()
    except ValueError:
        raise Problem(422, "That is no moment: write it as 2026-11-23T18:00.", field="at") from None
    found = []
    for name, table, columns in SHOWN_BY.get(kind, ()):
        asked = Asked(dict(zip(columns, key, strict=False)), {}, {}, None, MAX_ROWS, False)
        rows, position = page_as_of(visitor.shared, visitor.caller, READ_MODELS[name], table, when, asked)
        plain = [{k: v for k, v in row.items() if k not in DULL} for row in rows.rows]
        found.append({"table": table.replace("_", " "), "rows": plain, "position": position})
    return found


@router.get("/history")
def history(visitor: Seen) -> Response:
    return page(visitor, "history", "History", [Panel("events", (EventStatistics,), _events)])
