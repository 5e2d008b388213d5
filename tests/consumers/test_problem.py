"""What a request asks of the planner, as the log stood then."""

from datetime import date, timedelta

import pytest

from meal_assets.commands.plan import accept_plan, request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.consumers.problem import problem_of
from meal_assets.contracts.diary import MealLogged, MealLogRetracted
from meal_assets.contracts.pantry import PantryItemStocked, PantryItemUsed
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.contracts.profile import GoalSet, PreferencesSet
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import PersonForgotten
from meal_assets.domain.candidates import ONE_STAR_COST, Problem
from meal_assets.event_store import EventStore, Origin
from tests.read_models.said import append, like

MONDAY = date(2026, 11, 30)
BEFORE = MONDAY - timedelta(weeks=1)
RULES = PlanRules(cooldown_days=10, use_pantry=True)


@pytest.fixture
def kitchen(store: EventStore, origin: Origin) -> EventStore:
    set_profile(store, like(GoalSet, person="ada"), origin)
    for n, name in enumerate(("overnight-oats", "lentil-soup", "shakshuka")):
        append(store, RecipeFetched.model_validate(RecipeFetched.examples[n] | {"recipe": name}), origin=origin)
    return store


def asked(store: EventStore, origin: Origin, rules: PlanRules = RULES) -> Problem:
    request_plan(store, MONDAY, origin, persons=["ada"], rules=rules)
    *_, request = store.read(types=[PlanRequested])
    return problem_of(request, store)


def test_a_request_gives_the_same_problem_whatever_was_said_since(kitchen: EventStore, origin: Origin) -> None:
    first = asked(kitchen, origin)
    (request,) = kitchen.read(types=[PlanRequested])
    append(
        kitchen,
        RecipeRated(person="ada", recipe="lentil-soup", stars=1),
        like(PantryItemStocked, key="lentil", item="red lentils", expires="2026-12-02"),
        like(PreferencesSet, person="ada", exclude=["egg"], diets=["vegan"]),
        like(MealLogged, person="ada", day=str(MONDAY - timedelta(2)), recipe="lentil-soup"),
        like(RecipeFetched, recipe="lentil-soup", title="Another soup"),
        origin=origin,
    )
    assert problem_of(request, kitchen) == first
    assert asked(kitchen, origin) != first


def test_days_before_come_from_accepted_weeks_and_diaries(kitchen: EventStore, origin: Origin) -> None:
    def meal(day: date, recipe: str) -> dict[str, object]:
        return {"day": str(day), "meal": "dinner", "recipe": recipe, "title": recipe, "portions": {"ada": 1}}

    for week, name in ((BEFORE, "lentil-soup"), (MONDAY + timedelta(weeks=1), "shakshuka")):
        append(kitchen, like(PlanGenerated, week=str(week), meals=[meal(week + timedelta(5), name)]), origin=origin)
    eaten = {"person": "ada", "recipe": "overnight-oats", "servings": 1}
    sunday, saturday = MONDAY - timedelta(1), MONDAY - timedelta(2)
    append(
        kitchen,
        like(MealLogged, entry="a", day=str(sunday), **eaten),
        like(MealLogged, entry="b", day=str(saturday), **eaten),
        like(MealLogRetracted, entry="b", person="ada", day=str(saturday)),
        like(MealLogged, entry="c", day=str(MONDAY - timedelta(11)), **eaten),
        origin=origin,
    )

    def served() -> dict[str, set[date]]:
        return {dish.recipe: set(dish.served) for dish in asked(kitchen, origin).dishes if dish.served}

    assert served() == {"overnight-oats": {sunday}}
    accept_plan(kitchen, BEFORE, origin)
    accept_plan(kitchen, MONDAY + timedelta(weeks=1), origin)
    assert served() == {
        "overnight-oats": {sunday},
        "lentil-soup": {BEFORE + timedelta(5)},
        "shakshuka": {MONDAY + timedelta(12)},
    }
    assert not any(dish.served for dish in asked(kitchen, origin, PlanRules()).dishes)


def test_the_pantry_counts_as_it_stands_then(kitchen: EventStore, origin: Origin) -> None:
    stocked = like(PantryItemStocked, key="lentil", item="red lentils", quantity=300, unit="g", expires="2026-12-02")
    append(kitchen, stocked, origin=origin)
    there = {dish.recipe: dish.cost for dish in asked(kitchen, origin).dishes}
    assert there["lentil-soup"] < there["shakshuka"]
    append(kitchen, like(PantryItemUsed, key="lentil", item="red lentils", quantity=300, unit="g"), origin=origin)
    assert len({dish.cost for dish in asked(kitchen, origin).dishes}) == 1


def test_stars_of_a_person_who_was_forgotten_since_do_not_count(kitchen: EventStore, origin: Origin) -> None:
    append(kitchen, RecipeRated(person="ada", recipe="lentil-soup", stars=1), origin=origin)
    assert max(dish.cost for dish in asked(kitchen, origin, PlanRules()).dishes) == ONE_STAR_COST
    append(kitchen, PersonForgotten(person="ada"), origin=origin)
    set_profile(kitchen, like(GoalSet, person="ada"), origin)
    assert {dish.cost for dish in asked(kitchen, origin, PlanRules()).dishes} == {0.0}
