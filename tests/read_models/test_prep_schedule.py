"""What to cook when, as the week is planned last."""

from datetime import date

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.prep import Batch, Times
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.prep_schedule import Cooked, PrepSchedule, cooked_in

from .said import WEEK, append, like


def plan(*days: int) -> PlanGenerated:
    meal = PlanGenerated.examples[0]["meals"][0]
    return like(PlanGenerated, meals=[{**meal, "day": f"2026-11-{day}", "portions": {"ada": 1.5}} for day in days])


def cooked(store: EventStore) -> Cooked:
    catch_up(PrepSchedule(), store)
    with store.database.transaction() as db:
        return cooked_in(db, "home", WEEK)


def soup(prep: int | None, cook: int | None) -> RecipeFetched:
    return like(RecipeFetched, recipe="lentil-soup", prep_minutes=prep, cook_minutes=cook, total_minutes=None)


def batch(*days: int) -> Batch:
    return Batch("lentil-soup", "Lentil soup", tuple((date(2026, 11, day), "dinner", 1.5) for day in days))


def test_a_dish_is_cooked_for_the_days_it_keeps_with_the_times_of_its_recipe(store: EventStore) -> None:
    append(store, soup(10, 30), plan(23, 25, 27))
    assert cooked(store) == Cooked((batch(23, 25), batch(27)), {"lentil-soup": Times(10, 30)})


def test_a_new_plan_takes_the_place_of_the_old_one_and_a_changed_recipe_has_other_times(store: EventStore) -> None:
    append(store, plan(23, 25, 27))
    assert cooked(store).times == {"lentil-soup": Times()}
    append(store, plan(24), soup(5, None))
    assert cooked(store) == Cooked((batch(24),), {"lentil-soup": Times(5)})


def test_the_neighbours_week_is_theirs(store: EventStore) -> None:
    append(store, plan(23))
    catch_up(PrepSchedule(), store)
    with store.database.transaction() as db:
        assert cooked_in(db, "next-door", WEEK) == Cooked((), {})
