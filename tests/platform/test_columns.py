"""What is said of columns is true: they are the table's, and change with the fields they are said to come from."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from typing import Any

import dagster as dg
import psycopg
import pytest
from psycopg import sql
from pydantic import ValidationError

from definitions import defs
from meal_assets.contracts import TOPICS, Event
from meal_assets.contracts.system import PersonForgotten
from meal_assets.event_store import Connection, EventStore, Origin
from meal_assets.event_store.batch import column_types
from meal_assets.platform.columns import fields_behind, model_lineage, model_schema, topic_schema
from meal_assets.platform.keys import key_of, topic_key
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up
from meal_assets.read_models.base.forgetting import fold_batch
from meal_assets.read_models.base.tables import use_schema
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.weight_trend import WeightTrend
from tests.event_store.material import shared_store

EVERY = pytest.mark.parametrize("model", READ_MODELS.values(), ids=lambda m: m.name)


def key_names(model: type[ReadModel]) -> set[str]:
    listed = next(iter(model.tables.values())).partition("PRIMARY KEY (")[2].partition(")")[0]
    return {name.strip() for name in listed.split(",")}


CLAIMS = [
    (model, column, event, field)
    for model in READ_MODELS.values()
    for column, sources in fields_behind(model).items()
    for event, field in sources
    if column not in key_names(model)
]
"""Of keys, an event with another value concerns another row: that is what `meals audit` rests on, and tested there."""


@pytest.fixture(scope="module")
def log(server_url: str) -> Iterator[EventStore]:
    """A log that stays empty: every test takes back what it appended."""
    with shared_store(server_url, "columns") as store:
        yield store


@EVERY
def test_the_columns_shown_are_those_of_the_table(model: type[ReadModel], log: EventStore) -> None:
    catch_up(model(), log)
    with log.database.transaction() as db:
        rows = db.execute(
            "SELECT attname, format_type(atttypid, NULL), NOT attnotnull FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            (f"read.{next(iter(model.tables))}",),
        ).fetchall()
    short = {"timestamp with time zone": "timestamptz"}
    there = [(name, short.get(kind, kind), nullable) for name, kind, nullable in rows]
    assert [(c.name, c.type, c.constraints.nullable) for c in model_schema(model).columns] == there


@pytest.mark.parametrize(
    ("model", "column", "event", "field"), CLAIMS, ids=[f"{m.name}.{c}-{e.__name__}.{f}" for m, c, e, f in CLAIMS]
)
def test_a_column_changes_with_the_field_it_is_said_to_come_from(
    model: type[ReadModel], column: str, event: type[Event], field: str, log: EventStore
) -> None:
    with log.database.transaction() as db:
        use_schema(db, "pg_temp")
        for name, columns in model.tables.items():
            db.execute(sql.SQL("CREATE TEMPORARY TABLE {} ({})").format(sql.Identifier(name), sql.SQL(columns)))
        assert any(
            shown(db, log, model, column, [*before, this]) != shown(db, log, model, column, [*before, that])
            for this, that in pairs(event, field, column)
            for before in (examples(model, event), [])
        )
        raise psycopg.Rollback


def examples(model: type[ReadModel], event: type[Event]) -> list[Event]:
    """What the log holds before the event."""
    others = [e for e in model.listens_to if e not in (event, PersonForgotten)]
    return [e.model_validate(example) for e in others for example in e.examples]


def pairs(event: type[Event], field: str, column: str) -> Iterator[tuple[Event, Event]]:
    """Pairs of events that differ in this field and nowhere else, of each example and its like in turn."""
    likes = [like for example in event.examples for like in (example, *with_a_number_more(event, example))]
    values = [[(like, value) for value in mutations(like.get(field, {}), column)] for like in likes]
    for like, value in in_turn(*values):
        with suppress(ValidationError):
            yield event.model_validate(like), event.model_validate(like | {field: value})


def with_a_number_more(event: type[Event], example: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = column_types(event)
    return [example | {name: 5} for name in kinds if name not in example and kinds[name] in ("bigint", "numeric")]


LEAVES: list[Any] = [
    2,
    180,
    1800,
    None,
    True,
    "new",
    "2026-11-30",
    "2026-11-30T18:00:00Z",
    "warning",
    "stable",
    "increasing",
]
LEAVES += ["carbs_g", "active", "lose", "male", "female", "on", "lunch", "import", "overnight-oats", ["new"]]
"""Values that one field or another accepts."""


def mutations(value: Any, column: str) -> Iterator[Any]:
    """The value with one thing in it changed, added or taken away, what the column is called by first."""
    yield from (leaf for leaf in LEAVES if leaf != value)
    match value:
        case dict():
            keys = sorted({*value, "fiber_g", "sugar_g", "saturated_fat_g", "sodium_mg"})
            keys.sort(key=lambda key: not column.startswith(key))
            yield from in_turn(*([value | {key: other} for other in mutations(value.get(key), column)] for key in keys))
        case list():
            yield value[1:]
            for n, one in enumerate(value):
                yield from ([*value[:n], other, *value[n + 1 :]] for other in mutations(one, column))


def in_turn(*each: list[Any]) -> Iterator[Any]:
    """The first of each, then the second of each."""
    for turn in zip_longest(*each):
        yield from (one for one in turn if one is not None)


def shown(db: Connection, store: EventStore, model: type[ReadModel], column: str, said: list[Event]) -> list[Any]:
    """The column's values after these events; nothing of them is kept."""
    query = sql.SQL("SELECT {}::text FROM {} ORDER BY 1").format(
        sql.Identifier(column), sql.Identifier(next(iter(model.tables)))
    )
    with db.transaction(force_rollback=True):
        for event in said:
            store.append(event.stream_in("home"), [event], origin=Origin("home", "test"), within=db)
        fold_batch(db, model(), 0, len(said))
        return [value for (value,) in db.execute(query)]


def test_topics_and_read_models_show_them_in_the_graph() -> None:
    shown = {s.key: s.metadata for s in defs.resolve_all_asset_specs()}
    for topic in TOPICS:
        assert shown[topic_key(topic)]["dagster/column_schema"] == topic_schema(topic)
    for model in READ_MODELS.values():
        assert shown[key_of(model)]["dagster/column_schema"] == model_schema(model)
        assert shown[key_of(model)]["dagster/column_lineage"] == model_lineage(model)


def test_lineage_leads_from_a_topics_field_to_a_column() -> None:
    lineage = model_lineage(WeightTrend).deps_by_column
    assert lineage["trend_kg"] == [dg.TableColumnDep(topic_key("body"), "WeightRecorded.weight_kg")]
    assert "household" not in lineage  # the envelope's, no event's


def test_a_columns_description_names_the_fields() -> None:
    (kcal,) = (c for c in model_schema(DailyNutrition).columns if c.name == "kcal")
    assert (kcal.type, kcal.description.partition(",")[0]) == ("numeric", "from MealLogged.nutrition")
