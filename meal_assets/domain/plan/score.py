"""What makes one week better than another: the weights, and the cost of a finished day recomputed from its portions."""

from collections.abc import Mapping, Sequence

from ...contracts.values import Nutrients
from .week import Dish, Eater, Week

REPEAT = 2.0
"""Cost for each person of each serving of a recipe in the week beyond its first; leftovers are none."""
ODD_PORTION = 1.0
"""Cost of each serving by which a portion is above `LARGE` or below `SMALL`."""
SMALL, LARGE = 0.5, 1.5
COOKING = 1.0
"""Cost for each person of a lunch or dinner that is cooked and not left over, where leftovers are wanted."""


def odd_portion(servings: float) -> float:
    """What a portion costs for its size."""
    return ODD_PORTION * (max(0.0, servings - LARGE) + max(0.0, SMALL - servings))


def cooking(week: Week, dish: Dish, meal: str) -> float:
    """What cooking it costs each person."""
    counts = week.rules.leftover_days and meal in ("lunch", "dinner") and not dish.leftover
    return COOKING if counts else 0.0


def intake(week: Week, recipes: Sequence[str], servings: Sequence[Mapping[str, float]], eater: Eater) -> Nutrients:
    """What a person gets in a day: the sum of the portions. One recipe, and one portion for each person, a course."""
    parts = (
        week.dish(recipe).per_serving * portions[eater.person]
        for recipe, portions in zip(recipes, servings, strict=True)
        if eater.person in portions
    )
    return Nutrients.total(parts)
