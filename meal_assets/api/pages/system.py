"""System: who follows the log and how far, what could not be handled, services outside, flags."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Response

from meal_assets.clients.breaker import states_in
from meal_assets.commands.dead_letters import discard, household_at, retry
from meal_assets.commands.flags import pause, resume
from meal_assets.consumers import CONSUMERS
from meal_assets.event_store import Connection
from meal_assets.read_models.dead_letters import DeadLetters, unsettled_letters
from meal_assets.read_models.event_statistics import EventStatistics
from meal_assets.read_models.flags import Flags, set_flags
from meal_assets.subscriptions import SUBSCRIBERS, flag_of, standings

from ..problems import Problem
from .showing import Panel, done, page
from .visitor import Administered, Form, Seen, Visitor

router = APIRouter()
HERE = "/app/system"
SHOWN_LETTERS = 100


def _letters(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    return {"letters": visitor.store.personal.opened(db, unsettled_letters(db, SHOWN_LETTERS))}


def _subscribers(visitor: Visitor, _: Connection) -> Mapping[str, Any]:
    rows = []
    for s in standings(visitor.shared.store):
        state = "paused" if s.paused else "stopped" if s.stopped_at else "behind" if s.behind else "up to date"
        rows.append(
            {
                "name": s.subscriber.name,
                "kind": "consumer" if s.subscriber.name in CONSUMERS else "read model",
                "about": " ".join((s.subscriber.__doc__ or "").split()),
                "topics": sorted({e.type_name.partition(".")[0] for e in s.subscriber.listens_to}),
                "lag": s.lag,
                "seconds": s.lag_seconds,
                "state": state,
                "why": (s.stopped_because if visitor.caller.operates else None) or s.switch.reason,
                "since": s.stopped_at,
                "paused": s.paused,
            }
        )
    return {"subscribers": rows, "operates": visitor.caller.operates, "dagster": _dagster(visitor)}


def _dagster(visitor: Visitor) -> str | None:
    """Where its UI is, for who sits at this machine."""
    if not visitor.shared.settings.api_is_local:
        return None
    try:
        url = json.loads((visitor.shared.settings.home / "up.json").read_text()).get("url")
    except (OSError, ValueError):
        return None
    return str(url) if str(url).startswith("http://127.0.0.1:") else None


def _topics(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    rows = db.execute(
        "SELECT split_part(type, '.', 1) AS topic, sum(events)::bigint, max(last_position), max(day)"
        " FROM read.event_statistics WHERE household = %s GROUP BY topic ORDER BY topic",
        (visitor.household,),
    ).fetchall()
    return {"topics": rows}


def _outside(visitor: Visitor, _: Connection) -> Mapping[str, Any]:
    if not visitor.caller.operates:
        return {"remotes": None}
    with visitor.shared.store.database.transaction() as whole:
        return {"remotes": states_in(whole)}


def _flags(_: Visitor, db: Connection) -> Mapping[str, Any]:
    return {"flags": set_flags(db)}


PANELS = (
    Panel("letters", (DeadLetters,), _letters),
    Panel("subscribers", (EventStatistics,), _subscribers),
    Panel("topics", (EventStatistics,), _topics),
    Panel("outside", (EventStatistics,), _outside),
    Panel("flags", (Flags,), _flags),
)


@router.get("/system")
def system(visitor: Seen) -> Response:
    return page(visitor, "system", "System", PANELS)


@router.post("/system/letters/retry")
def retry_one(visitor: Seen, form: Administered) -> Response:
    """Let the consumer try the event again."""
    consumer, position = _letter(visitor, form)
    return done(visitor.accept(lambda store, origin: retry(store, consumer, position, origin), form), HERE)


@router.post("/system/letters/discard")
def discard_one(visitor: Seen, form: Administered) -> Response:
    """Say that the event need not be handled, and why."""
    consumer, position = _letter(visitor, form)
    if not form["reason"]:
        raise Problem(422, "Say why it need not be handled.", field="reason")
    reason = form["reason"][:1_000]
    return done(visitor.accept(lambda store, origin: discard(store, consumer, position, reason, origin), form), HERE)


@router.post("/system/subscribers")
def switch(visitor: Seen, form: Administered) -> Response:
    """Let a read model or consumer rest where it is, or go on."""
    if not visitor.caller.operates:
        raise Problem(403, "Only an admin of the household that this installation is set up for may do that.")
    if form["name"] not in SUBSCRIBERS:
        raise Problem(404, f"There is nobody called {form['name'][:60]}.", field="name")
    flag = flag_of(SUBSCRIBERS[form["name"]])
    act = pause if form["what"] == "pause" else resume
    return done(visitor.accept(lambda store, origin: act(store, flag, origin, form["reason"] or None), form), HERE)


def _letter(visitor: Visitor, form: Form) -> tuple[str, int]:
    consumer, at = form["consumer"], form["position"]
    if consumer not in CONSUMERS or not at.isdecimal() or len(at) > 18:
        raise Problem(404, "There is no such dead letter.")
    if visitor.caller.person is not None or household_at(visitor.shared.store, int(at)) != visitor.household:
        raise Problem(404, f"There is no event of {quote(visitor.household)} at {at}.", field="position")
    return consumer, int(at)
