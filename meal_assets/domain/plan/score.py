"""What makes one week better than another: the weights, and the cost of a finished day recomputed from its portions."""

from collections.abc import Sequence

from ...contracts.values import MACROS, Macros, Nutrients
from .week import Eater, Week

DEAD_ZONE_PCT = 2.0
"""Inside this distance from a target there is nothing to gain: nobody eats the third decimal."""
DEVIATION = 1.0
"""Cost of each percentage point outside the dead zone, for each nutrient of each person and day."""
REPEAT = 2.0
"""Cost of each serving of a recipe in the week beyond its first."""
ODD_PORTION = 1.0
"""Cost of each serving by which a portion is above `LARGE` or below `SMALL`."""
SMALL, LARGE = 0.5, 1.5


def tolerance(week: Week, nutrient: str) -> float:
    """How far a day's amount may be from its target, in percent of it."""
    return week.rules.kcal_tolerance_pct if nutrient == "kcal" else week.rules.macro_tolerance_pct


def percent(target: Macros, amount: Nutrients | Macros, nutrient: str) -> float:
    """An amount in percent of its target; a target of nothing is measured as if it were one unit."""
    return 100 * float(getattr(amount, nutrient)) / (float(getattr(target, nutrient)) or 1.0)


def wanted(target: Macros) -> list[float]:
    """Where each nutrient should be, in the percent of `percent`."""
    return [100.0 if getattr(target, nutrient) else 0.0 for nutrient in MACROS]


def odd_portion(servings: float) -> float:
    """What a portion costs for its size."""
    return ODD_PORTION * (max(0.0, servings - LARGE) + max(0.0, SMALL - servings))


def intake(week: Week, recipes: Sequence[str], servings: Sequence[dict[str, float]], eater: Eater) -> Macros:
    """What a person gets in a day: the sum of the portions. One recipe, and one portion for each person, a course."""
    sums = dict.fromkeys(MACROS, 0.0)
    for recipe, portions in zip(recipes, servings, strict=True):
        dish = week.dish(recipe)
        for nutrient in MACROS:
            sums[nutrient] += portions.get(eater.person, 0.0) * getattr(dish.per_serving, nutrient)
    return Macros(**{nutrient: round(amount, 6) for nutrient, amount in sums.items()})


def deviation(week: Week, target: Macros, got: Macros) -> float:
    """What a person's day costs for being off its targets."""
    off = [abs(percent(target, got, n) - goal) for n, goal in zip(MACROS, wanted(target), strict=True)]
    zones = [min(DEAD_ZONE_PCT, tolerance(week, n)) for n in MACROS]
    return DEVIATION * sum(max(0.0, distance - zone) for distance, zone in zip(off, zones, strict=True))
