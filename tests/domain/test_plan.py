"""The week on small libraries, where every rule and the optimum can be checked by hand or by trying everything."""

import sys
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations_with_replacement, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import Lock, PlanRules, Skip
from meal_assets.contracts.values import MACROS, Macros, Meal, Nutrients
from meal_assets.domain.plan import Dish, Eater, plan_week
from meal_assets.domain.plan.kinds import kinds_of
from meal_assets.domain.plan.menus import menus_below
from meal_assets.domain.plan.week import week_of

SEARCH = sys.modules["meal_assets.domain.plan.search"]
"""The module: its package shows the function of that name."""
MONDAY = date(2026, 11, 23)
ADA = Eater("ada", Macros(kcal=2000, protein_g=120, carbs_g=200, fat_g=80))
BEN = Eater("ben", Macros(kcal=2500, protein_g=150, carbs_g=250, fat_g=100))
TWO_MEALS: tuple[Meal, ...] = ("breakfast", "dinner")


def dish(name: str, *meals: Meal, kcal: float, protein: float, carbs: float, fat: float, minutes: int = 20) -> Dish:
    held = Nutrients(kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat)
    return Dish(name, name.title(), frozenset(meals), held, minutes)


def shares(name: str, *meals: Meal, share: float, tilt: float = 0.0, minutes: int = 20) -> Dish:
    """A dish that holds this share of Ada's day, some of its carbs swapped for fat by `tilt`."""
    carbs, fat = 200 * share * (1 - tilt), 80 * share * (1 + tilt)
    return dish(name, *meals, kcal=2000 * share, protein=120 * share, carbs=carbs, fat=fat, minutes=minutes)


LIBRARY = [
    *(shares(f"breakfast-{n}", "breakfast", share=0.4, tilt=n / 100) for n in range(7)),
    *(shares(f"dinner-{n}", "dinner", share=0.6, tilt=-n / 100) for n in range(7)),
]
SMALL = [
    dish("oats", "breakfast", kcal=700, protein=40, carbs=80, fat=25),
    dish("eggs", "breakfast", kcal=800, protein=55, carbs=60, fat=40),
    dish("toast", "breakfast", kcal=600, protein=30, carbs=85, fat=16),
    dish("chili", "dinner", kcal=1200, protein=75, carbs=115, fat=48),
    dish("pasta", "dinner", kcal=1300, protein=70, carbs=150, fat=46),
    dish("curry", "dinner", kcal=1150, protein=80, carbs=100, fat=50),
]


def planned(*args: object, **kwargs: object) -> PlanGenerated:
    outcome = plan_week(*args, **kwargs)  # type: ignore[arg-type]
    assert isinstance(outcome, PlanGenerated), outcome
    return outcome


def broken_rules(plan: PlanGenerated, eaters: list[Eater], dishes: list[Dish], rules: PlanRules) -> list[str]:
    """Everything a week does that its request forbids; its totals are recomputed from the portions."""
    broken = []
    dish_of, target_of = {d.recipe: d for d in dishes}, {e.person: e.target for e in eaters}
    locks = {(lock.day, lock.meal): lock.recipe for lock in rules.locks}
    for meal in plan.meals:
        if locks.get((meal.day, meal.meal), meal.recipe) != meal.recipe:
            broken.append(f"{meal.day} {meal.meal}: not the locked recipe")
        if (meal.day, meal.meal) not in locks and meal.meal not in dish_of[meal.recipe].meals:
            broken.append(f"{meal.recipe} is no {meal.meal}")
        for person, servings in meal.portions.items():
            steps = (servings - rules.portion_min) / rules.portion_step
            if abs(steps - round(steps)) > 1e-6 or not rules.portion_min <= servings <= rules.portion_max:
                broken.append(f"{servings} servings")
            if Skip(day=meal.day, meal=meal.meal, person=person) in rules.skips:
                broken.append(f"{person} is served a skipped {meal.meal}")
    served = {(m.day, m.meal): set(m.portions) for m in plan.meals}
    for day, course in product((plan.week + timedelta(n) for n in range(7)), rules.meals):
        expected = {e.person for e in eaters if Skip(day=day, meal=course, person=e.person) not in rules.skips}
        if Skip(day=day, meal=course) in rules.skips:
            expected = set()
        if served.get((day, course), set()) != expected:
            broken.append(f"{day} {course} is for {served.get((day, course))}, not {expected}")
    for recipe, count in Counter(m.recipe for m in plan.meals).items():
        if count > rules.max_repeats:
            broken.append(f"{recipe} {count} times")
    for (day, recipe), count in Counter((m.day, m.recipe) for m in plan.meals).items():
        if count > 1:
            broken.append(f"{recipe} {count} times on {day}")
    for row in plan.days:
        for nutrient in MACROS:
            total = sum(
                getattr(dish_of[m.recipe].per_serving, nutrient) * m.portions.get(row.person, 0)
                for m in plan.meals
                if m.day == row.day
            )
            goal = getattr(target_of[row.person], nutrient)
            allowed = rules.kcal_tolerance_pct if nutrient == "kcal" else rules.macro_tolerance_pct
            if abs(total - getattr(row.planned, nutrient)) > 1e-5:
                broken.append(f"{row.day} {row.person}: {nutrient} is not the sum of the portions")
            if abs(total - goal) > goal * (allowed + 1e-5) / 100:
                broken.append(f"{row.day} {row.person}: {total} of {goal} {nutrient}")
    if len(plan.days) != len({(m.day, p) for m in plan.meals for p in m.portions}):
        broken.append("a person's day is missing")
    return broken


def cheapest_week(dishes: list[Dish], eater: Eater, rules: PlanRules) -> float:
    """The optimum for two meals a day by trying everything, with the costs written out a second time."""
    portions, size = [], rules.portion_min
    while size <= rules.portion_max + 1e-9:
        portions.append(size)
        size += rules.portion_step
    menus: dict[tuple[str, str], float] = {}
    breakfasts, dinners = ([d for d in dishes if meal in d.meals] for meal in TWO_MEALS)
    for (a, b), (p, q) in product(product(breakfasts, dinners), product(portions, repeat=2)):
        cost = a.cost + b.cost + sum(max(0.0, s - 1.5) + max(0.0, 0.5 - s) for s in (p, q))
        for nutrient in MACROS:
            goal = getattr(eater.target, nutrient)
            off = abs(getattr(a.per_serving, nutrient) * p + getattr(b.per_serving, nutrient) * q - goal) / goal * 100
            allowed = rules.kcal_tolerance_pct if nutrient == "kcal" else rules.macro_tolerance_pct
            cost += max(0.0, off - 2) if off <= allowed + 1e-9 else float("inf")
        if a is not b:
            menus[a.recipe, b.recipe] = min(menus.get((a.recipe, b.recipe), float("inf")), cost)
    best = float("inf")
    for week in combinations_with_replacement([m for m, cost in menus.items() if cost < float("inf")], 7):
        uses = Counter(recipe for menu in week for recipe in menu).values()
        if max(uses) <= rules.max_repeats:
            best = min(best, sum(menus[m] for m in week) + 2 * sum(n - 1 for n in uses))
    return best


def test_a_week_of_exact_dishes_costs_nothing_and_is_proven() -> None:
    plan = planned(MONDAY, [ADA], LIBRARY, PlanRules(meals=TWO_MEALS))
    assert broken_rules(plan, [ADA], LIBRARY, PlanRules(meals=TWO_MEALS)) == []
    assert (plan.proof.objective, plan.proof.lower_bound, plan.proof.gap) == (0, 0, 0)
    assert plan.proof.terms == {"deviation": 0, "portions": 0, "repeats": 0}


@pytest.mark.parametrize("repeats", [3, 4, 7])
@pytest.mark.parametrize("tolerance", [6, 15])
def test_the_week_costs_what_trying_everything_finds(repeats: int, tolerance: float) -> None:
    rules = PlanRules(
        meals=TWO_MEALS, max_repeats=repeats, kcal_tolerance_pct=tolerance, macro_tolerance_pct=2 * tolerance
    )
    proof = planned(MONDAY, [ADA], SMALL, rules).proof
    best = cheapest_week(SMALL, ADA, rules)
    assert proof.objective == pytest.approx(best, abs=1e-4)
    assert proof.lower_bound <= best + 1e-4
    assert proof.gap <= 0.01
    assert sum(proof.terms.values()) == pytest.approx(proof.objective)


@pytest.mark.parametrize("at_once", [None, 2], ids=["as it is", "two at a time"])
@given(
    amounts=st.lists(st.tuples(*[st.integers(60, 140)] * 4), min_size=6, max_size=6),
    costs=st.lists(st.integers(0, 8), min_size=6, max_size=6),
    repeats=st.integers(2, 7),
    step=st.sampled_from([0.25, 0.5]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_random_library_gets_a_week_above_the_optimum_or_a_bound_above_it(
    at_once: int | None, amounts: list[tuple[int, ...]], costs: list[int], repeats: int, step: float
) -> None:
    """With two menus at a time, most of a small library is found by its prices, as that of a long one is."""
    dishes = [
        replace(
            dish(f"d{n}", "breakfast" if n % 2 else "dinner", kcal=10 * k, protein=0.6 * p, carbs=c, fat=0.4 * f),
            cost=cost / 2,
        )
        for n, ((k, p, c, f), cost) in enumerate(zip(amounts, costs, strict=True))
    ]
    rules = PlanRules(
        meals=TWO_MEALS, max_repeats=repeats, kcal_tolerance_pct=15, macro_tolerance_pct=25, portion_step=step
    )
    best = cheapest_week(dishes, ADA, rules)
    with pytest.MonkeyPatch.context() as patched:
        if at_once is not None:
            patched.setattr(SEARCH, "LONGEST", {2: at_once})
            patched.setattr(SEARCH, "FIRST_MENUS", 1)
            patched.setattr(SEARCH, "TAKEN", at_once)
        outcome = plan_week(MONDAY, [ADA], dishes, rules)
    if isinstance(outcome, PlanRejected):
        assert best == float("inf")
        return
    assert broken_rules(outcome, [ADA], dishes, rules) == []
    assert outcome.proof.lower_bound <= best + 1e-4
    assert outcome.proof.objective == pytest.approx(best, abs=1e-4)
    assert outcome.proof.gap <= 1e-4


def test_two_persons_share_each_dish_and_have_their_own_portions() -> None:
    rules = PlanRules(meals=TWO_MEALS)
    plan = planned(MONDAY, [ADA, BEN], LIBRARY, rules)
    assert broken_rules(plan, [ADA, BEN], LIBRARY, rules) == []
    assert all(m.portions["ben"] >= m.portions["ada"] for m in plan.meals)


def test_the_same_dishes_in_any_order_give_the_same_plan() -> None:
    rules = PlanRules(meals=TWO_MEALS)
    first = planned(MONDAY, [ADA, BEN], LIBRARY, rules, seed=3)
    assert planned(MONDAY, [BEN, ADA], LIBRARY[::-1], rules, seed=3) == first


def test_another_seed_gives_another_week_that_is_as_good() -> None:
    library = [shares(f"{meal}-{n}", meal, share=0.5) for meal in TWO_MEALS for n in range(20)]
    weeks = [planned(MONDAY, [ADA], library, PlanRules(meals=TWO_MEALS), seed=seed) for seed in range(3)]
    assert len({tuple(sorted(m.recipe for m in w.meals)) for w in weeks}) == 3
    assert {w.proof.objective for w in weeks} == {0}


def test_a_locked_recipe_is_served_even_where_it_does_not_suit_or_takes_long() -> None:
    feast = shares("feast", "breakfast", share=0.6, minutes=300)
    lock = Lock(day=MONDAY + timedelta(4), meal="dinner", recipe="feast")
    rules = PlanRules(meals=TWO_MEALS, locks=(lock,), max_minutes=60)
    plan = planned(MONDAY, [ADA], [*LIBRARY, feast], rules)
    assert broken_rules(plan, [ADA], [*LIBRARY, feast], rules) == []
    assert [m.recipe for m in plan.meals if m.recipe == "feast"] == ["feast"]
    assert plan.left_out == {}


def test_who_skips_a_meal_gets_none_and_still_meets_the_day() -> None:
    big = [shares(f"big-{n}", "dinner", share=1.0) for n in range(3)]
    rules = PlanRules(
        meals=TWO_MEALS,
        portion_min=0.25,
        skips=(Skip(day=MONDAY, meal="breakfast", person="ada"), Skip(day=MONDAY + timedelta(1), meal="breakfast")),
    )
    plan = planned(MONDAY, [ADA, BEN], [*LIBRARY, *big], rules)
    assert broken_rules(plan, [ADA, BEN], [*LIBRARY, *big], rules) == []
    assert [set(m.portions) for m in plan.meals if m.day == MONDAY] == [{"ben"}, {"ada", "ben"}]
    assert [m.meal for m in plan.meals if m.day == MONDAY + timedelta(1)] == ["dinner"]


def test_who_skips_every_meal_of_a_day_is_away() -> None:
    skips = tuple(Skip(day=MONDAY, meal=meal, person="ben") for meal in TWO_MEALS)
    plan = planned(MONDAY, [ADA, BEN], LIBRARY, PlanRules(meals=TWO_MEALS, skips=skips))
    assert [d.person for d in plan.days if d.day == MONDAY] == ["ada"]
    assert len(plan.days) == 13


def test_a_week_that_everybody_skips_is_an_empty_plan() -> None:
    skips = tuple(Skip(day=MONDAY + timedelta(n), meal="dinner") for n in range(7))
    plan = planned(MONDAY, [ADA], LIBRARY, PlanRules(meals=("dinner",), skips=skips))
    assert (plan.meals, plan.days, plan.proof.objective) == ((), (), 0)


def test_dishes_that_take_too_long_are_counted_and_an_unknown_time_passes() -> None:
    unknown = Dish("stew", "Stew", frozenset({"dinner"}), LIBRARY[7].per_serving, None)
    slow = [shares("roast", "dinner", share=0.6, minutes=61), shares("bread", "breakfast", share=0.4, minutes=240)]
    rules = PlanRules(meals=TWO_MEALS, max_minutes=60)
    plan = planned(MONDAY, [ADA], [*LIBRARY, unknown, *slow], rules, left_out={"no published nutrition": 4})
    assert plan.left_out == {"longer than 60 minutes": 2, "no published nutrition": 4}
    assert plan.considered == len(LIBRARY) + 1
    assert not {"roast", "bread"} & {m.recipe for m in plan.meals}


def test_repeats_cost_but_are_taken_where_the_library_is_small() -> None:
    rules = PlanRules(meals=TWO_MEALS, max_repeats=2)
    four = [d for d in LIBRARY if d.recipe[-1] in "0123"]
    plan = planned(MONDAY, [ADA], four, rules)
    assert broken_rules(plan, [ADA], four, rules) == []
    assert plan.proof.terms["repeats"] == 12
    assert plan.proof.gap == 0


def test_the_caller_hears_what_is_going_on() -> None:
    said: list[str] = []
    planned(MONDAY, [ADA], LIBRARY, PlanRules(meals=TWO_MEALS), progress=said.append)
    assert said[0] == "14 dishes for 1 persons"
    assert any("a week that costs 0.0000" in line for line in said)


@pytest.mark.parametrize("step", [0.01, 0.1, 0.3])
def test_any_grid_of_portions_is_kept_however_fine(step: float) -> None:
    rules = PlanRules(meals=TWO_MEALS, portion_step=step)
    plan = planned(MONDAY, [ADA, BEN], LIBRARY, rules)
    assert broken_rules(plan, [ADA, BEN], LIBRARY, rules) == []


@pytest.mark.parametrize("longest", [1, 2])
def test_of_shortened_lists_it_is_known_from_which_cost_on_menus_may_be_missing(longest: int) -> None:
    rules = PlanRules(meals=TWO_MEALS, kcal_tolerance_pct=15, macro_tolerance_pct=30)
    liked = [replace(d, cost=n / 2) for n, d in enumerate(SMALL)]
    week = week_of(MONDAY, [ADA], liked, rules, seed=0)
    (kind,) = kinds_of(week)
    every = menus_below(week, kind, kind.costs, float("inf"))
    some = menus_below(week, kind, kind.costs, float("inf"), longest=longest)
    there = {*map(tuple, some.dishes.tolist())}
    missing = [c for m, c in zip(every.dishes.tolist(), every.cost, strict=True) if tuple(m) not in there]
    assert every.reach == float("inf")
    assert missing
    assert min(missing) >= some.reach
