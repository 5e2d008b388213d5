"""Rows as they stand, logs with a random history, and read models whose fold does something else as well."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import drop_checkpoint
from meal_assets.read_models import ReadModel
from tests.event_store.material import shared_store

from .histories import History

SEED = 11
EVENTS_AT_FIRST = 120

Rows = dict[str, list[tuple[object, ...]]]


def rows_of(store: EventStore, model: ReadModel) -> Rows:
    """All rows of all tables of the model, in an order that is theirs."""
    with store.database.transaction() as db:
        return {table: db.execute(f"SELECT * FROM read.{table} AS t ORDER BY t").fetchall() for table in model.tables}


def outbox_of(store: EventStore, model: ReadModel) -> list[tuple[int, int, dict[str, int], list[str]]]:
    """(after, to, events by type, days) of every batch the model reported."""
    with store.database.transaction() as db:
        rows = db.execute(
            "SELECT after_position, to_position, types, partitions FROM log.outbox WHERE subscriber = %s ORDER BY id",
            (model.name,),
        )
        return rows.fetchall()


def forget(store: EventStore, model: ReadModel) -> None:
    """As if the model had never been folded."""
    with store.database.transaction() as db:
        drop_checkpoint(db, model.name)
        drop_checkpoint(db, f"{model.name}@shadow")
        db.execute("DELETE FROM log.outbox WHERE subscriber = %s", (model.name,))
        for table in model.tables:
            db.execute(f"DROP TABLE IF EXISTS read.{table}")


def with_fold(model: ReadModel, fold: Callable[[Batch, Callable[[Batch], None]], None], newer: int = 0) -> ReadModel:
    """The same model, so many versions newer, folding by `fold`, which is handed the batch and the model's own fold."""

    class Other(type(model)):  # type: ignore[misc]  # mypy takes no computed base
        def fold(self, batch: Batch) -> None:
            fold(batch, super().fold)

    Other.name, Other.version = model.name, model.version + newer
    return Other()


@pytest.fixture(scope="module")
def quick_store(server_url: str, request: pytest.FixtureRequest) -> Iterator[EventStore]:
    """A log for the tests of a module, which does not wait for the disk."""
    name = request.module.__name__.rpartition(".")[2]
    with shared_store(server_url, name) as store:
        with psycopg.connect(store.database.url, autocommit=True) as owner:
            owner.execute(f"ALTER DATABASE {owner.info.dbname} SET synchronous_commit = off")
        yield store


@pytest.fixture(scope="module")
def history(quick_store: EventStore) -> History:
    """One history for the tests of a module: models may be folded and forgotten, and it may grow."""
    history = History(quick_store, SEED)
    history.append(EVENTS_AT_FIRST)
    return history


@pytest.fixture
def log(history: History) -> EventStore:
    return history.store


@pytest.fixture
def elsewhere(log: EventStore) -> Iterator[EventStore]:
    """The same log as another process sees it."""
    with Database(log.database.url) as database:
        yield EventStore(database)
