"""Any read model as it stood, which events made its rows, and waiting until it has come to a position."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Any

import psycopg
import pytest
from psycopg import sql

from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.read_models import READ_MODELS, ReadModel, as_of, catch_up, position_at, wait_until
from meal_assets.read_models.base import events_behind, narrowing, row_key, tables_as_of, with_causes
from meal_assets.read_models.base.comparing import key_columns
from meal_assets.read_models.base.forgetting import fold_batch
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from tests.event_store.material import PATIENCE

from .conftest import SEED, forget, rows_of
from .histories import History
from .said import append, like

MODELS = [model() for model in READ_MODELS.values()]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
MOMENTS = 4
ROWS = 6


@EVERY
def test_as_of_gives_the_rows_of_then(log: EventStore, history: History, model: ReadModel) -> None:
    random = Random(SEED)
    forget(log, model)
    then = {}
    for _ in range(MOMENTS):
        history.append_of(*random.choices(model.listens_to, k=3))
        catch_up(model, log)
        then[log.head()] = rows_of(log, model)
    between = random.randint(1, log.head() - 1)
    catch_up(model, log)
    now = rows_of(log, model)
    for position, rows in then.items():
        assert as_of(model, log, position) == rows
    assert as_of(model, log, log.head()) == now
    assert not any(as_of(model, log, 0).values())
    assert as_of(model, log, between) == one_by_one(log, model, between)
    assert rows_of(log, model) == now, "looking back changed the live rows"


def one_by_one(log: EventStore, model: ReadModel, position: int) -> dict[str, list[tuple[Any, ...]]]:
    """The rows at a position, folded event by event into tables nobody else sees."""
    with tables_as_of(model, log, 0) as db:
        for at in range(1, position + 1):
            fold_batch(db, model, at - 1, at)
        return {t: db.execute(f"SELECT * FROM {t} AS t ORDER BY t").fetchall() for t in model.tables}


def test_looking_back_leaves_no_table_behind(log: EventStore) -> None:
    with log.database.dedicated() as look:
        query = "SELECT count(*) FROM pg_class WHERE relname = 'daily_nutrition'"
        before = look.execute(query).fetchone()
        with tables_as_of(DailyNutrition(), log, log.head()) as db:
            assert db.execute("SELECT count(*) FROM daily_nutrition").fetchone() > (0,)
        assert look.execute(query).fetchone() == before


def test_a_moment_is_the_last_position_recorded_by_then(store: EventStore, origin: Origin) -> None:
    assert position_at(store, datetime.now(UTC)) == 0
    append(store, like(MealLogged))
    between = datetime.now(UTC)
    append(store, like(MealLogged))
    assert position_at(store, between) == 1
    assert position_at(store, datetime.now(UTC)) == 2
    assert position_at(store, datetime(2001, 1, 1, tzinfo=UTC)) == 0
    with pytest.raises(ValueError, match="no time zone"):
        position_at(store, datetime(2026, 1, 1))


@EVERY
def test_the_events_behind_a_row_are_enough_to_make_it(log: EventStore, model: ReadModel) -> None:
    catch_up(model, log)
    table = next(iter(model.tables))
    with log.database.transaction() as db:
        every = db.execute(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier("read", table))).fetchall()
        columns = key_columns(db, "read", table)
    assert every
    for (row,) in Random(SEED).sample(every, min(ROWS, len(every))):
        key = {c: str(row[c]) for c in columns}
        with log.database.transaction() as db:
            behind = [r.position for r in events_behind(db, type(model), key)]
        assert behind, key
        with tables_as_of(model, log, 0) as db:
            for position in behind:
                fold_batch(db, model, position - 1, position)
            made = [r for (r,) in db.execute(f"SELECT to_jsonb(t) FROM {table} AS t").fetchall()]
        assert row in made, f"{key} is not made by {behind}"


def test_only_the_events_of_that_row_are_named(store: EventStore) -> None:
    append(store, like(MealLogged, person="ada", day="2026-11-23"))
    append(store, like(MealLogged, person="ben", day="2026-11-23"))
    append(store, like(MealLogged, person="ada", day="2026-11-24"))
    append(store, like(MealLogged, person="ada", day="2026-11-23"), origin=Origin("next-door", "test"))
    append(store, like(MealLogged, person="ada", day="2026-11-23", entry="another"))
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        key = row_key(db, DailyNutrition, ["ada", "2026-11-23"], "home")
        assert key == {"household": "home", "person": "ada", "day": "2026-11-23"}
        assert [r.position for r in events_behind(db, DailyNutrition, key)] == [1, 5]
        assert set(narrowing(DailyNutrition, MealLogged, list(key))) == set(key)
        begins = row_key(db, DailyNutrition, ["ada"], "home")
        assert [r.position for r in events_behind(db, DailyNutrition, begins)] == [1, 3, 5]
        for wrong in ([], ["ada", "2026-11-23", "lunch"]):
            with pytest.raises(Invalid, match="is named by person, day"):
                row_key(db, DailyNutrition, wrong, "home")


def test_a_row_of_a_model_that_was_never_folded_is_not_there(store: EventStore) -> None:
    with store.database.transaction() as db, pytest.raises(Unavailable, match="has no rows yet"):
        row_key(db, DailyNutrition, ["ada", "2026-11-23"], "home")


def test_the_causes_of_an_event_go_back_to_the_command(store: EventStore) -> None:
    command = Origin("home", "test")
    append(store, like(MealLogged), origin=command)
    (first,) = store.read()
    append(store, like(RecipeFetched), origin=first.origin_of_reaction("consumer/x"))
    append(store, like(RecipeFetched), origin=Origin("home", "somebody else"))
    second = store.read()[1]
    append(store, like(RecipeFetched), origin=second.origin_of_reaction("consumer/y"))
    *_, last = store.read()
    with store.database.transaction() as db:
        assert [r.position for r in with_causes(db, [last])] == [1, 2, 4]


def test_whoever_waits_goes_on_when_the_model_has_come_there_and_not_before(
    store: EventStore, database_url: str
) -> None:
    catch_up(DailyNutrition(), store)
    append(store, like(MealLogged))
    with ThreadPoolExecutor(1) as threads, Database(database_url) as other:
        waits = threads.submit(wait_until, EventStore(other), DailyNutrition, 1, PATIENCE)
        until_listening(database_url)
        catch_up(RecipeCatalogue(), store)
        assert not waits.done()
        catch_up(DailyNutrition(), store)
        assert waits.result(PATIENCE) is None
    wait_until(store, DailyNutrition, 1, 0.0)


def until_listening(database_url: str) -> None:
    """Return when the other side has looked and waits to be told."""
    with psycopg.connect(database_url, autocommit=True) as look:
        for _ in range(10_000):
            query = "SELECT FROM pg_stat_activity WHERE state = 'idle' AND query LIKE '%FlagSet%'"
            if look.execute(query).rowcount:
                return
    raise AssertionError("nobody listens")


def test_an_event_that_does_not_concern_the_model_is_not_waited_for(store: EventStore) -> None:
    append(store, like(MealLogged))
    catch_up(DailyNutrition(), store)
    append(store, like(RecipeFetched))
    wait_until(store, DailyNutrition, 2, 0.0)


def test_waiting_has_an_end_that_says_what_to_do(store: EventStore) -> None:
    append(store, like(MealLogged))
    with pytest.raises(Unavailable, match=r"daily_nutrition did not come to position 1 in 0.05 s. `meals status`"):
        wait_until(store, DailyNutrition, 1, 0.05)


def test_folds_of_others_do_not_make_the_wait_longer(store: EventStore, database_url: str) -> None:
    append(store, like(MealLogged))
    stop = threading.Event()

    def folds_others() -> None:
        with Database(database_url) as other:
            noisy = EventStore(other)
            while not stop.is_set():
                append(noisy, like(RecipeFetched))
                catch_up(RecipeCatalogue(), noisy)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(folds_others)
        try:
            with pytest.raises(Unavailable):
                wait_until(store, DailyNutrition, 1, 0.3)
        finally:
            stop.set()
        running.result(PATIENCE)
