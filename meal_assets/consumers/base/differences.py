"""What a consumer said in its shadow, or in a replay, beside what it said in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meal_assets.contracts import EVENTS
from meal_assets.contracts.system import DeadLetterHandled, DeadLetterWaiting
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.personal import Personal

from .consumer import Consumer
from .heard import heard_types
from .voices import actor_of, once_key, said_as, shadow_of

STRETCH = 1_000
"""Positions compared at a time."""
MAX_DIFFERENCES = 1_000
PASSING = ("traceback", "attempts", "first_tried_at", "last_tried_at")
"""What two dead letters of the same error need not have in common."""

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer to the event at `position`; `n` is the last part of its `once` key."""

    position: int
    n: str
    type_name: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer that only one side gave (the other is None), or that differs. `n` is None where only live gave it."""

    position: int
    n: str | None
    type_name: str
    shadow: Payload | None
    live: Payload | None


def shadow_differences(consumer: Consumer, store: EventStore, limit: int = MAX_DIFFERENCES) -> list[Difference]:
    """The first differences, by position, from where the shadow began to where it stands."""
    found: list[Difference] = []
    with store.database.transaction() as db:
        row = db.execute("SELECT after_position FROM log.shadows WHERE consumer = %s", (consumer.name,)).fetchone()
        at = checkpoints(db).get(shadow_of(consumer.name))
        if row is None or at is None:
            return []
        (after,) = row
        while after < at.position and len(found) < limit:
            until = min(after + STRETCH, at.position)
            rows = db.execute(
                "SELECT position, n, type, payload FROM log.shadow_says"
                " WHERE consumer = %s AND position > %s AND position <= %s ORDER BY position, said_at",
                (consumer.name, after, until),
            )
            spoken = store.personal.opened(db, [Spoken(*one) for one in rows])
            found += differences(db, store.personal, consumer, spoken, after, until)
            after = until
    return found[:limit]


def differences(
    db: Connection, personal: Personal, consumer: Consumer, spoken: Sequence[Spoken], after: int, until: int
) -> list[Difference]:
    """What was spoken about events with `after` < position <= `until`, where the log says otherwise, opened."""
    keys = [once_key(consumer.name, s.position, s.n) for s in spoken]
    by_key = personal.opened(db, db.execute(BY_KEY, (keys,)).fetchall())
    live = {str(key): (int(position), *rest) for key, position, *rest in by_key}
    found, met = [], set()
    for key, one in zip(keys, spoken, strict=True):
        position, type_name, version, payload = live.get(key, (None, "", 0, {}))
        met.add(position)
        today = _today(type_name, version, payload) if position else None
        if (type_name, _lasting(today)) != (one.type_name, _lasting(one.payload)):
            found.append(Difference(one.position, one.n, one.type_name, one.payload, today))
    types = [t.type_name for t in heard_types(consumer)]
    kept = [DeadLetterWaiting.type_name, DeadLetterHandled.type_name]
    by_cause = db.execute(BY_CAUSE, (actor_of(consumer.name), after, until, types, kept)).fetchall()
    for cause, position, *said in personal.opened(db, by_cause):
        if position not in met:
            found.append(Difference(cause, None, said[0], None, _today(*said)))
    return sorted(found, key=lambda d: d.position)


def was_set_aside(store: EventStore, consumer: Consumer, position: int, *keys: str) -> bool:
    """Whether live made this letter of the event, or one of these."""
    with store.database.transaction() as db:
        query = "SELECT EXISTS (SELECT FROM log.once WHERE key = ANY(%s))"
        return fetch_row(db, query, ([once_key(consumer.name, position, key) for key in keys],)) == (True,)


BY_KEY = """
    SELECT o.key, e.position, e.type, e.version, e.payload
    FROM log.once o JOIN log.events e ON e.position = o.first_position WHERE o.key = ANY(%s)
"""
BY_CAUSE = """
    SELECT c.position, e.position, e.type, e.version, e.payload
    FROM log.events c
    JOIN log.events e ON e.correlation_id = c.correlation_id AND e.causation_id = c.event_id AND e.actor = %s
    WHERE c.position > %s AND c.position <= %s AND c.type = ANY(%s) AND e.type <> ALL(%s)
    ORDER BY c.position, e.position
"""


def _today(type_name: str, version: int, payload: Payload) -> Payload:
    event = EVENTS.get(type_name)
    return payload if event is None else said_as(event.from_stored(version, payload))


def _lasting(payload: Payload | None) -> Payload | None:
    if payload is None or not {*PASSING} < {*payload}:
        return payload
    return {name: value for name, value in payload.items() if name not in PASSING}
