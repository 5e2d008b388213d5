"""A week that cannot be is refused with the rules in the way, and without any of them it can be."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from meal_assets.contracts.plan import Conflict, PlanRejected
from meal_assets.contracts.plan_request import Lock, PlanRules, Skip
from meal_assets.contracts.values import MACROS, Macros
from meal_assets.domain.plan import Dish, Eater, plan_week
from meal_assets.domain.plan.conflicts import GENEROUS, NAMES
from meal_assets.domain.plan.day_program import reachable
from meal_assets.domain.plan.solver import Solver
from meal_assets.domain.plan.week import week_of
from tests.domain.test_plan import ADA, BEN, LIBRARY, MONDAY, TWO_MEALS, dish, shares

RULES = PlanRules(meals=TWO_MEALS)


def conflicts(eaters: list[Eater], dishes: list[Dish], rules: PlanRules, **left_out: int) -> dict[str, str]:
    outcome = plan_week(MONDAY, eaters, dishes, rules, left_out=left_out)
    assert isinstance(outcome, PlanRejected), outcome
    assert all(isinstance(c, Conflict) for c in outcome.conflicts)
    return {c.rule: c.detail for c in outcome.conflicts}


def wants(**amounts: float) -> Eater:
    return replace(ADA, target=ADA.target.model_copy(update=amounts))


def test_a_meal_without_any_dish_says_what_left_them_out() -> None:
    dinners = [d for d in LIBRARY if "dinner" in d.meals]
    found = conflicts([ADA], dinners, RULES, excluded=4)
    assert found == {"breakfast: a dish for each day": "none of 7 dishes suits breakfast; left out: 4 excluded"}


def test_dishes_that_all_take_too_long_are_named_by_the_limit() -> None:
    slow = [shares(f"slow-{n}", "dinner", share=0.6, minutes=90) for n in range(7)]
    breakfasts = [d for d in LIBRARY if "breakfast" in d.meals]
    found = conflicts([ADA], [*breakfasts, *slow], RULES.model_copy(update={"max_minutes": 60}))
    assert found["dinner: a dish for each day"].endswith("left out: 7 longer than 60 minutes")


def test_too_few_dishes_for_the_repeats_are_counted() -> None:
    few = [d for d in LIBRARY if "breakfast" in d.meals or d.recipe in ("dinner-0", "dinner-1", "dinner-2")]
    assert conflicts([ADA], few, RULES) == {
        "at most 2 servings of a recipe a week": (
            "7 servings for dinner are wanted; 3 dishes suit, at most 2 times a week each: 6 servings"
        )
    }


def test_two_meals_that_share_their_dishes_are_counted_together() -> None:
    both = [shares(f"both-{n}", "breakfast", "dinner", share=0.5) for n in range(6)]
    (detail,) = conflicts([ADA], both, RULES).values()
    assert detail.startswith("14 servings for breakfast and dinner are wanted; 6 dishes suit")


@pytest.mark.parametrize(
    ("lock", "says"),
    [
        (Lock(day=MONDAY, meal="dinner", recipe="unheard-of"), "is not a recipe that can be planned"),
        (Lock(day=date(2026, 12, 24), meal="dinner", recipe="dinner-0"), "is not in the week of 2026-11-23"),
        (Lock(day=MONDAY, meal="snack", recipe="dinner-0"), "is not among the meals to plan"),
        (Lock(day=MONDAY + timedelta(1), meal="dinner", recipe="dinner-0"), "everybody skips dinner"),
        (Lock(day=MONDAY, meal="breakfast", recipe="dinner-6"), "no recipe comes twice a day"),
    ],
)
def test_a_lock_that_cannot_be_kept_is_named(lock: Lock, says: str) -> None:
    other = Lock(day=MONDAY, meal="dinner", recipe="dinner-6")
    skip = Skip(day=MONDAY + timedelta(1), meal="dinner", person="ada")
    locks = (lock,) if (lock.day, lock.meal) == (other.day, other.meal) else (lock, other)
    found = conflicts([ADA], LIBRARY, RULES.model_copy(update={"locks": locks, "skips": (skip,)}))
    ((rule, detail),) = found.items()
    assert rule.startswith("lock of ")
    assert says in detail


def test_more_locks_of_a_recipe_than_repeats_are_named() -> None:
    locks = tuple(Lock(day=MONDAY + timedelta(n), meal="dinner", recipe="dinner-0") for n in range(3))
    found = conflicts([ADA], LIBRARY, RULES.model_copy(update={"locks": locks}))
    assert found == {
        "locks of dinner-0": "dinner-0 is locked 3 times, at most 2 servings of a recipe a week are allowed"
    }


def test_protein_out_of_reach_is_named_with_the_most_there_is() -> None:
    found = conflicts([wants(protein_g=200)], LIBRARY, RULES)
    assert "protein of ada" in found
    assert "at least 180 g are wanted" in found["protein of ada"]
    assert not any("ben" in rule for rule in found)


@pytest.mark.parametrize("wish", [{"protein_g": 200}, {"fat_g": 20}, {"kcal": 1500, "fat_g": 120}])
def test_the_named_bands_contradict_each_other_and_any_one_less_does_not(wish: dict[str, float]) -> None:
    found = conflicts([wants(**wish)], LIBRARY, RULES)
    nutrients = {f"{NAMES[nutrient]} of ada": number for number, nutrient in enumerate(MACROS)}
    assert set(found) <= set(nutrients), "only bands are in the way here"
    named = frozenset(("ada", nutrients[rule]) for rule in found)
    any_portion = RULES.model_copy(update=GENEROUS)
    week = week_of(MONDAY, [wants(**wish)], LIBRARY, any_portion, seed=0)
    assert not reachable(week, week.days[0], named, Solver())
    assert all(reachable(week, week.days[0], named - {band}, Solver()) for band in named)


def test_only_the_person_in_the_way_is_named() -> None:
    greedy = Eater("ben", Macros(kcal=2000, protein_g=120, carbs_g=200, fat_g=20))
    found = conflicts([ADA, greedy], LIBRARY, RULES)
    assert "fat of ben" in found
    assert not any("ada" in rule for rule in found)


def test_portions_too_small_for_the_target_are_named() -> None:
    hungry = Eater("ada", Macros(kcal=8000, protein_g=480, carbs_g=800, fat_g=320))
    found = conflicts([hungry], LIBRARY, RULES)
    assert "portions of 0.5 to 2.5 servings" in found
    assert any("can be reached" in detail for detail in found.values())


def test_a_locked_dish_that_spoils_its_day_is_named_with_its_weekday() -> None:
    cake = dish("cake", "snack", kcal=4000, protein=10, carbs=500, fat=200)
    lock = Lock(day=MONDAY + timedelta(2), meal="dinner", recipe="cake")
    found = conflicts([ADA], [*LIBRARY, cake], RULES.model_copy(update={"locks": (lock,)}))
    assert "lock of cake for dinner on Wednesday" in found


def test_a_skipped_meal_that_starves_a_day_names_the_weekday() -> None:
    skips = (Skip(day=MONDAY + timedelta(6), meal="dinner", person="ben"),)
    found = conflicts([ADA, BEN], LIBRARY, RULES.model_copy(update={"skips": skips}))
    assert any(rule.endswith(" of ben on Sunday") for rule in found)
    assert not any("ada" in rule for rule in found)


def test_a_week_whose_days_do_not_go_together_names_the_repeats_that_would() -> None:
    fits = shares("fits", "dinner", share=0.6)
    fat = [shares(f"fat-{n}", "dinner", share=0.6, tilt=0.9) for n in range(6)]
    breakfasts = [d for d in LIBRARY if "breakfast" in d.meals]
    found = conflicts([ADA], [*breakfasts, fits, *fat], RULES)
    assert found["at most 2 servings of a recipe a week"].endswith("with 7 servings some do")
