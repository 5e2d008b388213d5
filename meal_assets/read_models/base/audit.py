"""Which events made a row, and what they follow from."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from meal_assets.contracts import Event
from meal_assets.contracts.system import PersonForgotten
from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import Connection, Recorded
from meal_assets.event_store.store import COLUMNS, recorded

from .comparing import key_columns
from .model import ReadModel
from .tables import LIVE

ENVELOPE = {"household", "actor", "correlation_id", "causation_id", "stream", "type"}
"""Columns of the log that a key column of the same name stands for, where no event field does."""


def row_key(db: Connection, model: type[ReadModel], values: Sequence[str], household: str) -> dict[str, str]:
    """Key column -> value, of `values` in the order of the primary key; the household's own column is filled in.

    The last columns may be left out: then all rows that begin so are meant.
    Raises `Unavailable` before the model's first fold, `Invalid` when there are more values than columns, or none.
    """
    columns = key_columns(db, LIVE, next(iter(model.tables)))
    if not columns:
        raise Unavailable(f"{model.name} has no rows yet: `meals status` says where it stands")
    free = [c for c in columns if c != "household"]
    if not 0 < len(values) <= len(free):
        raise Invalid("key", f"a row of {model.name} is named by {', '.join(free)}")
    fixed = {"household": household} if "household" in columns else {}
    return fixed | dict(zip(free, values, strict=False))


def narrowing(model: type[ReadModel], event: type[Event], columns: Sequence[str]) -> dict[str, str]:
    """Key column -> the condition that tells which events of this type concern the row; a column may have none."""
    if event is PersonForgotten:  # all rows of the person, whatever else is in their keys
        whose = {"household": "household = %(household)s", "person": "payload->>'person' = %(person)s"}
        return {column: whose.get(column, "true") for column in columns}
    found = {}
    for column in columns:
        if column in model.made_by:
            found[column] = model.made_by[column]
        elif column in event.model_fields:
            found[column] = f"payload->>'{column}' = %({column})s"
        elif column in ENVELOPE:
            found[column] = f"{column}::text = %({column})s"
    return found


def events_behind(db: Connection, model: type[ReadModel], key: Mapping[str, str]) -> list[Recorded]:
    """Every event that had a part in the row with this key, and perhaps more, in the order of the log.

    More where an event type does not say what the key says: `narrowing` tells. What was before the person was last
    forgotten has no part in it. Texts of persons are as the log keeps them.
    """
    either = []
    arguments: dict[str, Any] = dict(key)
    for n, event in enumerate(model.listens_to):
        arguments[f"type_{n}"] = event.type_name
        conditions = [f"type = %(type_{n})s", *narrowing(model, event, list(key)).values()]
        either.append(f"({' AND '.join(conditions)})")
    query = sql.SQL("SELECT {} FROM log.events WHERE {} ORDER BY position")
    rows = db.execute(query.format(sql.SQL(COLUMNS), sql.SQL(" OR ".join(either))), arguments)
    behind = [recorded(row) for row in rows.fetchall()]
    forgotten = [n for n, r in enumerate(behind) if model.of_persons and isinstance(r.event, PersonForgotten)]
    return behind[forgotten[-1] :] if forgotten and "person" in key else behind


def with_causes(db: Connection, events: Sequence[Recorded]) -> list[Recorded]:
    """These events and all they follow from, up to the commands, in the order of the log."""
    rows = db.execute(
        sql.SQL("""
            WITH RECURSIVE causes AS (
                SELECT event_id, causation_id FROM log.events WHERE event_id = ANY(%s)
                UNION SELECT e.event_id, e.causation_id FROM causes c JOIN log.events e ON e.event_id = c.causation_id
            ) SELECT {} FROM log.events WHERE event_id IN (SELECT event_id FROM causes) ORDER BY position
        """).format(sql.SQL(COLUMNS)),
        ([e.event_id for e in events],),
    )
    return [recorded(row) for row in rows.fetchall()]
