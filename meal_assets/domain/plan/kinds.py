"""The kinds of day in a week, as arrays: days with equal courses are planned alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.values import MACROS
from .score import percent
from .week import Day, Dish, Eater, Week

if TYPE_CHECKING:
    from .portions import Floats, Ints


@dataclass(frozen=True, slots=True)
class Kind:
    """What each course of such a day may serve. Arrays hold an entry for each dish of a course, in its order."""

    day: Day
    count: int
    """How many days are like that."""
    choices: tuple[tuple[Dish, ...], ...]
    recipes: tuple["Ints", ...]
    """The dish's recipe, as its index in `recipes_of` the week."""
    costs: tuple["Floats", ...]
    """What serving the dish costs by itself."""
    shares: Mapping[str, tuple["Floats", ...]]
    """Person -> what a serving holds, in percent of the person's target: (dishes, nutrients)."""

    def priced(self, price: "Floats") -> list["Floats"]:
        """What serving each dish costs with the price of its recipe."""
        return [costs + price[recipes] for costs, recipes in zip(self.costs, self.recipes, strict=True)]


def recipes_of(week: Week) -> tuple[str, ...]:
    """All recipes that may be served, by name."""
    return tuple(sorted({d.recipe for d in (*week.dishes, *week.locked_in)}))


def kinds_of(week: Week) -> tuple[Kind, ...]:
    """Each kind of day once, in the order of the week; days without a meal are none."""
    import numpy as np

    number = {recipe: n for n, recipe in enumerate(recipes_of(week))}
    kinds = []
    for day in dict.fromkeys(day for day in week.days if day):
        choices = tuple(week.candidates(course) for course in day)
        kinds.append(
            Kind(
                day,
                week.days.count(day),
                choices,
                tuple(np.array([number[d.recipe] for d in dishes], dtype=np.int64) for dishes in choices),
                tuple(np.array([d.cost for d in dishes], dtype=float) for dishes in choices),
                {e.person: tuple(shares_of(e, dishes) for dishes in choices) for e in week.there(day)},
            )
        )
    return tuple(kinds)


def shares_of(eater: Eater, dishes: Sequence[Dish]) -> "Floats":
    """What a serving of each dish holds, in percent of the person's target: (dishes, nutrients)."""
    import numpy as np

    rows = [[percent(eater.target, d.per_serving, nutrient) for nutrient in MACROS] for d in dishes]
    return np.array(rows, dtype=float).reshape(-1, len(MACROS))
