"""How far a day is off its targets when the suggested dishes were eaten: ours beside the predecessor's.

A day begins with dishes and portions taken at random; what is left of it is eaten as suggested. The predecessor scores
a serving by the signs of what is missing and names no portion; as a second peer, its dish is eaten in the best portion.
"""

import gzip
import json
import statistics
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from meal_assets.contracts.values import MACROS, Macros, Meal
from meal_assets.domain.recipes import meals_for, read_recipe
from meal_assets.domain.reconciliation import deviation, score
from meal_assets.domain.rest_of_day import PORTIONS, Dish, choices, meals_left, share_of
from meal_assets.starter import library
from tests.shared_data import FOLDER

from .figures import SEED, Figure

DAYS, QUICK_DAYS = 300, 30
KCAL = (1500, 3000)
SPLIT_PCT = {"protein_g": (18, 30, 4), "fat_g": (25, 38, 9)}
"""Of the energy of a target, from and to; kcal a gram. The rest is carbohydrates."""
BEGINNINGS: dict[str, tuple[Meal, ...]] = {
    "dinner is left": ("breakfast", "lunch"),
    "lunch and dinner are left": ("breakfast",),
}

Suggest = Callable[[Macros, Macros, Meal, Sequence[Meal], Sequence[Dish]], tuple[Dish, float] | None]


class Day(NamedTuple):
    """A target and what was eaten of it at which meals."""

    target: Macros
    eaten: Macros
    logged: tuple[Meal, ...]


def run(quick: bool = False) -> list[Figure]:
    figures = []
    for source, dishes in _libraries().items():
        for when, logged in BEGINNINGS.items():
            days = [_day(Random(f"{SEED}:{n}"), logged, dishes) for n in range(QUICK_DAYS if quick else DAYS)]
            began = time.perf_counter()
            mine = [_off_pct(day, ours, dishes) for day in days]
            took = (time.perf_counter() - began) / len(days)
            for name, peer in (("predecessor's", predecessor), ("predecessor's, best portion", with_best_portion)):
                theirs = [_off_pct(day, peer, dishes) for day in days]
                better = statistics.mean(m <= t + 1e-9 for m, t in zip(mine, theirs, strict=True))
                us, them = statistics.median(mine), statistics.median(theirs)
                figures.append(
                    Figure(
                        f"suggestions, {source}, {when}, {name}",
                        us,
                        "% off",
                        "less than the peer",
                        us < them,
                        them,
                        name,
                    )
                )
                print(f"{source}, {when}: no worse than {name} on {better:.0%} of days; {took:.3f} s a day")
    return figures


def ours(
    eaten: Macros, target: Macros, meal: Meal, left: Sequence[Meal], dishes: Sequence[Dish]
) -> tuple[Dish, float] | None:
    found = choices(eaten, target, dishes, share=share_of(meal, left), most=1)
    return (found[0].dish, found[0].servings) if found else None


def predecessor(
    eaten: Macros, target: Macros, _meal: Meal, _left: Sequence[Meal], dishes: Sequence[Dish]
) -> tuple[Dish, float]:
    off = deviation(eaten, target)
    return min(dishes, key=lambda d: (-score(off, d.per_serving), d.recipe)), 1.0


def with_best_portion(
    eaten: Macros, target: Macros, meal: Meal, left: Sequence[Meal], dishes: Sequence[Dish]
) -> tuple[Dish, float]:
    dish, _ = predecessor(eaten, target, meal, left, dishes)
    share = share_of(meal, left)
    part = Macros(**{n: getattr(eaten, n) + share * (getattr(target, n) - getattr(eaten, n)) for n in MACROS})
    return dish, min(PORTIONS, key=lambda p: _distance(_plus(eaten, dish, p), part, target))


def _off_pct(day: Day, suggest: Suggest, dishes: Sequence[Dish]) -> float:
    """Mean of how far each nutrient is off when all that is left was eaten as suggested; a snack is not."""
    eaten, logged = day.eaten, [*day.logged, "snack"]
    while left := meals_left(logged):
        fitting = [dish for dish in dishes if left[0] in dish.meals]
        if (chosen := suggest(eaten, day.target, left[0], left, fitting)) is not None:
            eaten = _plus(eaten, *chosen)
        logged.append(left[0])
    return _distance(eaten, day.target, day.target)


def _distance(eaten: Macros, wanted: Macros, target: Macros) -> float:
    return statistics.fmean(100 * abs(getattr(eaten, n) - getattr(wanted, n)) / getattr(target, n) for n in MACROS)


def _plus(eaten: Macros, dish: Dish, servings: float) -> Macros:
    return Macros(**{n: getattr(eaten, n) + servings * getattr(dish.per_serving, n) for n in MACROS})


def _day(random: Random, logged: tuple[Meal, ...], dishes: Sequence[Dish]) -> Day:
    kcal = random.uniform(*KCAL)
    grams = {n: kcal * random.uniform(low, high) / 100 / each for n, (low, high, each) in SPLIT_PCT.items()}
    carbs_g = (kcal - 4 * grams["protein_g"] - 9 * grams["fat_g"]) / 4
    target = Macros(kcal=kcal, carbs_g=carbs_g, **grams)
    eaten = Macros(kcal=0, protein_g=0, carbs_g=0, fat_g=0)
    for meal in logged:
        dish = random.choice([d for d in dishes if meal in d.meals])
        eaten = _plus(eaten, dish, random.choice([p for p in PORTIONS if p <= 1.5]))
    return Day(target, eaten, logged)


def _libraries() -> dict[str, list[Dish]]:
    found = {"starter dishes": library().read_text(encoding="utf-8")}
    real = FOLDER / "recipes-real.jsonl.gz"
    if real.exists():
        found["published recipes"] = gzip.decompress(real.read_bytes()).decode()
    return {name: _dishes(text) for name, text in found.items()}


def _dishes(text: str) -> list[Dish]:
    recipes = [read_recipe(json.loads(line)).event for line in text.splitlines()]
    return [
        Dish(r.recipe, r.title, r.per_serving, meals=meals)
        for r in recipes
        if r.per_serving is not None and (meals := meals_for(r))
    ]
