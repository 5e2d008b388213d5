"""The columns of topics and read models, and which event fields each is made of, as far as a model declares it."""

import dagster as dg

from meal_assets.contracts import TOPICS, Event
from meal_assets.event_store.batch import column_types
from meal_assets.read_models import ReadModel
from meal_assets.read_models.base import columns_of

from .keys import topic_key


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
                column.name,
                column.type,
                description=f"from {', '.join(map(_name, sources[column.name]))}" if column.name in sources else None,
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in columns_of(model)
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
    for column in (c.name for c in columns_of(model)):
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
