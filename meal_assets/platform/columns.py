"""The columns of topics and read models, and which event fields each is made of, as far as a model declares it."""

import re

import dagster as dg

from meal_assets.contracts import TOPICS, Event
from meal_assets.event_store.batch import column_types
from meal_assets.read_models import ReadModel

from .keys import topic_key

CONSTRAINTS = ("PRIMARY KEY", "UNIQUE", "CHECK", "CONSTRAINT", "FOREIGN KEY", "EXCLUDE")
TYPE_ENDS = re.compile(r" (?=NOT NULL|NULL|DEFAULT|GENERATED|PRIMARY KEY|UNIQUE|CHECK|REFERENCES|COLLATE)")


def topic_schema(topic: str) -> dg.TableSchema:
    """One column a field of each event, typed as folds see it."""
    return dg.TableSchema(
        [
            dg.TableColumn(
                f"{event.__name__}.{field}",
                sql_type,
                description=event.model_fields[field].description,
                constraints=dg.TableColumnConstraints(nullable=not event.model_fields[field].is_required()),
            )
            for event in TOPICS[topic]
            for field, sql_type in column_types(event).items()
        ]
    )


def model_schema(model: type[ReadModel]) -> dg.TableSchema:
    """The columns of the model's first table; each tells the event fields it is made of."""
    sources = fields_behind(model)
    return dg.TableSchema(
        [
            dg.TableColumn(
                name,
                sql_type,
                description=f"from {', '.join(map(_name, sources[name]))}" if name in sources else None,
                constraints=dg.TableColumnConstraints(nullable=nullable),
            )
            for name, sql_type, nullable in _columns(model)
        ]
    )


def model_lineage(model: type[ReadModel]) -> dg.TableColumnLineage:
    """Column -> columns of the topics."""
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(topic_key(event.topic), _name((event, field))) for event, field in sources]
            for name, sources in fields_behind(model).items()
        }
    )


def fields_behind(model: type[ReadModel]) -> dict[str, list[tuple[type[Event], str]]]:
    """Column of the first table -> the event fields its value comes from; columns without one are left out.

    A column is the field of its name, unless the model declares otherwise: of its keys by `made_by`, of other columns
    by `made_of`.
    """
    found = {}
    for column, *_ in _columns(model):
        sources = [
            (event, field)
            for event in model.listens_to
            for field in event.model_fields
            if _comes_from(model, column, event, field)
        ]
        if sources:
            found[column] = sources
    return found


def _comes_from(model: type[ReadModel], column: str, event: type[Event], field: str) -> bool:
    if column in model.made_of:
        return _name((event, field)) in model.made_of[column]
    if column in model.made_by:
        return f"payload->>'{field}'" in model.made_by[column]
    return column == field


def _name(source: tuple[type[Event], str]) -> str:
    event, field = source
    return f"{event.__name__}.{field}"


def row_names(model: type[ReadModel]) -> list[str]:
    """The columns that name a row of a household, in the order of `meals audit`."""
    return [name for name in _keys(model) if name != "household"]


def _columns(model: type[ReadModel]) -> list[tuple[str, str, bool]]:
    """(name, SQL type, whether it may be NULL) of each column of the model's first table."""
    keys, columns = _keys(model), []
    for name, rest in (p.split(" ", 1) for p in _parts(model) if not p.startswith(CONSTRAINTS)):
        required = name in keys or "NOT NULL" in rest
        columns.append((name, TYPE_ENDS.split(rest)[0], not required))
    return columns


def _keys(model: type[ReadModel]) -> list[str]:
    """The columns of the first table's primary key, in its order."""
    for part in _parts(model):
        if listed := re.match(r"PRIMARY KEY \((.*)\)", part):
            return [name.strip() for name in listed[1].split(",")]
        if "PRIMARY KEY" in part:
            return [part.split()[0]]
    return []


def _parts(model: type[ReadModel]) -> list[str]:
    """What stands in the first table's definition between commas that are in no parentheses."""
    return [" ".join(part.split()) for part in _split(next(iter(model.tables.values())))]


def _split(columns: str) -> list[str]:
    parts, depth = [""], 0
    for character in columns:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
