"""The dish and portion that bring the rest of a day nearest to its target, by the objective weeks are planned with."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from meal_assets.contracts.values import MACROS, MEALS, Macros, Meal, Nutrients

from .plan.aims import DEAD_ZONE_PCT, DEVIATION
from .plan.score import odd_portion

PORTIONS: Final = tuple(n / 4 for n in range(2, 11))
"""Servings, as the planner's rules have them where nobody says otherwise."""
MOST: Final = 5
LEAST_HELP: Final = 0.1
"""A dish that closes less of what is missing than this is not worth a word."""
SHARES: Final[Mapping[Meal, float]] = {"breakfast": 25, "lunch": 30, "dinner": 35, "snack": 10}
"""How much of what is left of a day falls to a meal, in parts: the usual split of a day's energy."""


@dataclass(frozen=True, slots=True)
class Dish:
    """What could be cooked: a recipe with believable nutrition, what it costs by itself, and the meals it suits."""

    recipe: str
    title: str
    per_serving: Nutrients
    cost: float = 0.0
    meals: frozenset[Meal] = frozenset(MEALS)


@dataclass(frozen=True, slots=True)
class Choice:
    """So many servings of a dish. `closes` of what the day misses, from 0 to 1; `cost` what it still misses then."""

    dish: Dish
    servings: float
    cost: float
    closes: float


def choices(
    eaten: Macros, target: Macros, dishes: Iterable[Dish], *, share: float = 1.0, most: int = MOST
) -> list[Choice]:
    """The best dishes with their best portions, the best first; of two alike the one whose id comes first.

    `share` is how much of what is left falls to this dish. A dish that helps less than LEAST_HELP, or makes the day
    worse, is none: where everything was eaten, nothing is to be said.
    """
    need = [share * (getattr(target, n) - getattr(eaten, n)) for n in MACROS]
    scale = [100 / (getattr(target, n) or 1.0) for n in MACROS]
    now = _missed(need, scale)
    found = []
    for dish in dishes:
        holds = [getattr(dish.per_serving, n) for n in MACROS]
        cost, servings = min(
            (
                _missed([want - p * has for want, has in zip(need, holds, strict=True)], scale)
                + odd_portion(p)
                + dish.cost,
                p,
            )
            for p in PORTIONS
        )
        closes = 1 - cost / now if now else 0.0
        if closes >= LEAST_HELP:
            found.append(Choice(dish, servings, round(cost, 6), round(closes, 4)))
    return sorted(found, key=lambda c: (c.cost, c.dish.recipe))[:most]


def missed(eaten: Macros, target: Macros) -> float:
    """What a day costs for being off its target, in the planner's percentage points outside of its dead zone."""
    return _missed(
        [getattr(target, n) - getattr(eaten, n) for n in MACROS], [100 / (getattr(target, n) or 1.0) for n in MACROS]
    )


def meals_left(logged: Collection[Meal]) -> tuple[Meal, ...]:
    """The meals still to come: those behind the last that was logged, and a snack unless there was one."""
    order = [meal for meal in MEALS if meal != "snack"]
    last = max((order.index(meal) for meal in logged if meal in order), default=-1)
    return (*order[last + 1 :], *(["snack"] if "snack" not in logged else []))  # type: ignore[arg-type]


def share_of(meal: Meal, left: Collection[Meal]) -> float:
    """How much of what is left of the day falls to a meal, with these still to come."""
    return SHARES[meal] / sum(SHARES[each] for each in {*left, meal})


def _missed(off: Iterable[float], scale: Iterable[float]) -> float:
    return DEVIATION * sum(max(0.0, abs(o) * s - DEAD_ZONE_PCT) for o, s in zip(off, scale, strict=True))
