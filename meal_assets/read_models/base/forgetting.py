"""A batch of a fold in which persons are forgotten: up to there, their rows away, and on from there."""

from psycopg import sql

from meal_assets.contracts.system import PersonForgotten
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch, Only

from .model import ReadModel


def fold_batch(db: Connection, model: ReadModel, after: int, upto: int, only: Only | None = None) -> None:
    """Bring the tables from `after` to `upto`; with `only` (a field, its values), rows and events that have these."""
    types = tuple(t for t in model.listens_to if not (model.of_persons and t is PersonForgotten))
    forgotten = _forgotten(db, model, after, upto)
    if not forgotten:
        model.fold(Batch(db, types, after, upto, only))
        return
    for position, household, person in forgotten:
        _fold_some(model, Batch(db, types, after, position, only))
        _remove(db, model, household, person, only)
        after = position
    _fold_some(model, Batch(db, types, after, upto, only))


def _fold_some(model: ReadModel, batch: Batch) -> None:
    """A fold is not made to expect that there is nothing."""
    if batch.types():
        model.fold(batch)


def remove_forgotten(db: Connection, model: ReadModel, after: int, upto: int, schema: str) -> None:
    """Remove the rows of who was forgotten there from the tables of another schema, which stand no further."""
    for _, household, person in _forgotten(db, model, after, upto):
        _remove(db, model, household, person, schema=schema)


def _remove(
    db: Connection, model: ReadModel, household: str, person: str, only: Only | None = None, schema: str | None = None
) -> None:
    for table in model.of_persons:
        name = sql.Identifier(*((schema, table) if schema else (table,)))
        query = sql.SQL("DELETE FROM {} WHERE household = {} AND person = {}").format(name, household, person)
        if only is not None:
            field, values = only
            query += sql.SQL(" AND {}::text = ANY({})").format(sql.Identifier(field), list(values))
        db.execute(query)


def _forgotten(db: Connection, model: ReadModel, after: int, upto: int) -> list[tuple[int, str, str]]:
    """Position, household and person, in order; nobody for a model that keeps nothing of persons."""
    if not model.of_persons:
        return []
    rows = db.execute(
        "SELECT position, household, payload->>'person' FROM log.events"
        " WHERE type = %s AND position > %s AND position <= %s ORDER BY position",
        (PersonForgotten.type_name, after, upto),
    )
    return rows.fetchall()
