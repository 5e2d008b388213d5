"""What a materialization shows of the events that made it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
from psycopg import sql

from meal_assets.charts import data_uri
from meal_assets.clients.breaker import states_in
from meal_assets.consumers import Consumer
from meal_assets.event_store import Connection
from meal_assets.event_store.checkpoints import Done
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.personal import masked
from meal_assets.read_models import ReadModel
from meal_assets.read_models.base import row_names
from meal_assets.subscriptions import Standing, Subscriber

PREVIEW_ROWS = 10
MAX_REASON = 300
"""Characters of why something could not be shown."""
PERSONAL = "(personal)"
"""Stands for texts of persons: what Dagster keeps, nobody can make it forget."""
Metadata = dict[str, Any]


def metadata_of(db: Connection, subscriber: Subscriber, done: Done | None) -> Metadata:
    """Positions, events by type, commands, chain head, and how to see the events themselves.

    For a read model also what that did to its rows, how many there are, and the first ones.
    """
    shown: Metadata = {}
    if done is not None:
        shown |= {
            "from_position": min(done.after + 1, done.to),
            "to_position": done.to,
            "events": sum(done.types.values()),
            "events_by_type": counts_table(done.types),
            "correlation_ids": dg.MetadataValue.json([c.hex for c in done.correlation_ids]),
            "chain_head": dg.MetadataValue.text(done.chain_head.hex()),
            "seconds": dg.MetadataValue.float(round(done.seconds, 6)),
            "see_events": f"meals events --heard-by {subscriber.name} --after {done.after} --until {done.to}"
            f" --limit {max(sum(done.types.values()), 1)}",
        }
        if done.said:
            shown["said"] = counts_table(done.said)
    shown |= remotes_of(db, subscriber)
    if issubclass(subscriber, ReadModel):
        model = subscriber
        if done is not None:
            shown |= {"rows_touched": sum(done.rows.values()), "rows": dg.MetadataValue.json(done.rows)}
        shown["dagster/row_count"] = row_count(db, model)
        shown["see_what_made_a_row"] = " ".join(("meals audit", model.name, *map(str.upper, row_names(model))))
        shown |= shown_or_why(db, "preview", model, lambda: preview(db, model))
    return shown


def remotes_of(db: Connection, subscriber: Subscriber) -> Metadata:
    """How we stand with the services outside that it calls: what `meals remotes` shows of them."""
    called = subscriber.calls if issubclass(subscriber, Consumer) else ()
    return {f"remote_{one.remote}": str(one) for one in states_in(db) if one.remote in called} if called else {}


def picture(db: Connection, subscriber: Subscriber) -> Metadata:
    """The picture of a read model that has one and something to show."""
    if not issubclass(subscriber, ReadModel):
        return {}
    model = subscriber

    def drawn() -> dg.MarkdownMetadataValue | None:
        svg = model.picture(db)
        return dg.MetadataValue.md(f"![{model.name}]({data_uri(svg)})") if svg else None

    return shown_or_why(db, "picture", model, drawn)


def shown_or_why(db: Connection, name: str, model: type[ReadModel], make: Callable[[], object]) -> Metadata:
    """What the model makes for people to look at; where it fails, why: nothing else waits for that."""
    try:
        with db.transaction():
            made = make()
    except Exception as error:
        why = " ".join(f"{type(error).__name__}: {error}".split())[:MAX_REASON]
        return {f"{name}_failed": f"{why}. The rows are there all the same: mend it in {model.__module__}."}
    return {} if made is None else {name: made}


def behind_by(standing: Standing) -> Metadata:
    """How far behind a subscriber is, in positions of the log, and in seconds."""
    return {"lag": standing.lag, "lag_seconds": dg.MetadataValue.float(round(standing.lag_seconds, 3))}


def counts_table(counts: Mapping[str, int]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [dg.TableRecord({"type": name, "events": count}) for name, count in counts.items()],
        schema=dg.TableSchema([dg.TableColumn("type", "string"), dg.TableColumn("events", "int")]),
    )


def row_count(db: Connection, model: type[ReadModel]) -> int:
    table = next(iter(model.tables))
    (count,) = fetch_row(db, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("read", table)))
    return int(count)


def preview(db: Connection, model: type[ReadModel]) -> dg.TableMetadataValue:
    """The model's first rows."""
    db.execute("SET LOCAL search_path TO read, pg_temp")
    cursor = db.execute(sql.SQL("{} LIMIT %s").format(sql.SQL(model.shows)), (PREVIEW_ROWS,))
    columns = [c.name for c in cursor.description or ()]
    return dg.MetadataValue.table(
        [
            dg.TableRecord(dict(zip(columns, map(_cell, row), strict=True)))
            for row in masked(cursor.fetchall(), PERSONAL)
        ],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
    )


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date() | bool() | int():
            return str(value)
        case Mapping():
            return ", ".join(f"{k} {_cell(v)}" for k, v in value.items())
        case str():
            return value
        case Sequence():
            return ", ".join(map(_cell, value))
        case Decimal() | float():
            return f"{value:.6g}"
        case _:
            return str(value)
