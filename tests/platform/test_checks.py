"""What is looked at by night: a wrong row, a broken chain and an old letter are found, a right one is not."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from meal_assets.clients.breaker import Breaker
from meal_assets.commands.diary import log_meals
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform.assets import read_model
from meal_assets.platform.checks import (
    COMPARED,
    IS_CURRENT,
    QUICK,
    chain_is_whole,
    compared,
)
from meal_assets.platform.keys import key_of
from meal_assets.platform.reports import report
from meal_assets.platform.resources import Log
from meal_assets.read_models import READ_MODELS, catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.dead_letters import DeadLetters
from meal_assets.read_models.recipe_nutrition import RecipeNutrition
from meal_assets.read_models.week_plan import WeekPlan
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import fold_all


def run(
    check: dg.AssetChecksDefinition, instance: dg.DagsterInstance, name: str | None = None
) -> dg.AssetCheckEvaluation:
    """By itself; the one of this name where it has several."""
    (key,) = [k for k in check.check_keys if name in (None, k.name)]
    result = dg.materialize(
        [dg.AssetSpec(key.asset_key), check],
        resources={"log": Log()},
        instance=instance,
        selection=dg.AssetSelection.checks(key),
    )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def named(model: type, name: str) -> dg.AssetChecksDefinition:
    wanted = dg.AssetCheckKey(key_of(model), name)
    return next(c for c in (*QUICK, *COMPARED) if wanted in c.check_keys)


def eat(store: EventStore, origin: Origin, days: int) -> None:
    for n in range(days):
        meal = MealLogged.model_validate(MealLogged.examples[0] | {"day": str(date(2026, 11, 1) + timedelta(n))})
        log_meals(store, meal.person, meal.day, [meal], origin)


@pytest.mark.parametrize("check", COMPARED, ids=lambda c: next(iter(c.check_keys)).asset_key.path[-1])
def test_every_check_passes_over_one_event_of_each_type(
    check: dg.AssetChecksDefinition, instance: dg.DagsterInstance, history: int, store: EventStore
) -> None:
    assert fold_all(store) == []
    for key in check.check_keys:
        assert run(check, instance, key.name).passed


def test_a_run_that_materializes_a_model_does_not_build_it_anew(
    instance: dg.DagsterInstance, history: int, store: EventStore
) -> None:
    result = dg.materialize(
        [read_model(WeightTrend), compared(WeightTrend)],
        resources={"log": Log()},
        instance=instance,
        selection=dg.AssetSelection.assets(key_of(WeightTrend)),
    )
    assert len(result.get_asset_materialization_events()) == 1
    with store.database.transaction() as db:
        assert db.execute("SELECT count(*) FROM log.rebuilds").fetchone() == (0,)


def test_a_sample_of_days_finds_a_row_that_somebody_changed_and_leaves_it(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    eat(store, origin, 5)
    catch_up(DailyNutrition(), store)
    check, name = compared(DailyNutrition), "some_days_equal_rebuild"
    assert run(check, instance, name).metadata["rows"].value == 5
    with store.database.transaction() as db:
        db.execute("UPDATE read.daily_nutrition SET kcal = 9000 WHERE day = '2026-11-03'")
    found = run(check, instance, name)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert found.metadata["different"].value == 1
    assert found.metadata["sample"].value[0]["key"]["day"] == "2026-11-03"
    with store.database.transaction() as db:
        changed = db.execute("SELECT kcal FROM read.daily_nutrition WHERE day = '2026-11-03'").fetchone()
    assert changed == (9000,)


def test_a_rebuild_finds_a_row_that_somebody_changed_and_mends_it(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    eat(store, origin, 3)
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        db.execute("DELETE FROM read.daily_nutrition WHERE day = '2026-11-02'")
    check, name = compared(DailyNutrition), "equals_rebuild"
    found = run(check, instance, name)
    assert not found.passed
    assert found.metadata["only_rebuilt"].value == 1
    assert run(check, instance, name).passed


def test_a_changed_event_breaks_the_chain(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, superuser: psycopg.Connection[tuple[object, ...]]
) -> None:
    eat(store, origin, 3)
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
    superuser.execute("UPDATE log.events SET actor = 'somebody else' WHERE position = 2")
    found = run(chain_is_whole, instance)
    assert not found.passed
    assert found.metadata["breaks_at"].value == 2


@pytest.mark.parametrize(
    ("age", "severity"),
    [(timedelta(hours=1), dg.AssetCheckSeverity.WARN), (timedelta(days=2), dg.AssetCheckSeverity.ERROR)],
)
def test_an_open_letter_is_a_warning_and_after_a_day_an_error(
    instance: dg.DagsterInstance,
    store: EventStore,
    origin: Origin,
    age: timedelta,
    severity: dg.AssetCheckSeverity,
) -> None:
    letter = DeadLettered.model_validate(DeadLettered.examples[0])
    store.append(letter.stream_in("home"), [letter], origin=origin)
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        db.execute("UPDATE read.dead_letters SET since = %s", (datetime.now(UTC) - age,))
    found = run(named(DeadLetters, "no_open_dead_letters"), instance)
    assert (found.passed, found.severity) == (False, severity)


def test_recipes_without_figures_are_counted_and_named(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    check = named(RecipeNutrition, "nutrition_is_known")
    for n, per_serving in enumerate([RecipeFetched.examples[0]["per_serving"], None]):
        recipe = RecipeFetched.model_validate(
            RecipeFetched.examples[0] | {"recipe": f"r-{n}", "per_serving": per_serving}
        )
        store.append(recipe.stream_in("home"), [recipe], origin=origin)
    catch_up(RecipeNutrition(), store)
    found = run(check, instance)
    assert (found.passed, found.metadata["known_percent"].value) == (False, 50.0)
    assert found.metadata["some_missing"].value == ["r-1"]


def test_a_planned_day_far_off_its_target_is_named(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    check = named(WeekPlan, "days_meet_their_targets")
    plan = PlanGenerated.model_validate(PlanGenerated.examples[0])
    monday = date.today() + timedelta(days=7 - date.today().weekday())
    macros = {"kcal": 2000.0, "protein_g": 100.0, "carbs_g": 200.0, "fat_g": 70.0}
    for kcal, passed in ((2100.0, True), (1500.0, False)):
        day = {"day": str(monday), "person": "ada", "planned": {**macros, "kcal": kcal}, "target": macros}
        new = PlanGenerated.model_validate(plan.model_dump() | {"week": monday, "meals": (), "days": (day,)})
        store.append(new.stream_in("home"), [new], origin=origin)
        catch_up(WeekPlan(), store)
        assert run(check, instance).passed is passed
    assert run(check, instance).metadata["off_percent"].value == [["home", str(monday), "ada", -25.0]]


def test_the_quick_ones_are_told_with_a_fold(instance: dg.DagsterInstance, history: int, store: EventStore) -> None:
    assert fold_all(store) == []
    report(instance, store)
    for check in QUICK:
        (key,) = check.check_keys
        told = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert told or (key.name == IS_CURRENT and key.asset_key.path[0] == "consumer"), key


def test_a_check_of_a_consumer_shows_how_we_stand_with_whom_it_calls(
    instance: dg.DagsterInstance, store: EventStore
) -> None:
    for remote in ("tandoor", "fatsecret"):
        Breaker(store.database, remote).trip(timedelta(hours=1), "moving house")
    shown = run(named(SyncTandoor, IS_CURRENT), instance).metadata
    assert {name for name in shown if name.startswith("remote_")} == {"remote_tandoor"}
    assert str(shown["remote_tandoor"].value).startswith("left alone until")
    assert "moving house" in str(shown["remote_tandoor"].value)


def test_every_read_model_has_its_checks() -> None:
    keys = {key for check in (*QUICK, *COMPARED) for key in check.check_keys}
    for model in READ_MODELS.values():
        assert dg.AssetCheckKey(key_of(model), "is_current") in keys
        assert dg.AssetCheckKey(key_of(model), "equals_rebuild") in keys
