"""The kinds of day in a week, as arrays: days with equal courses are planned alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .aims import Bounds, percents
from .score import cooking
from .week import Course, Day, Dish, Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kind:
    """What each course of such a day may serve. Arrays hold an entry for each dish of a course, in its order."""

    day: Day
    count: int
    """How many days are like that."""
    choices: tuple[tuple[Dish, ...], ...]
    servables: tuple["Ints", ...]
    """What is served: its recipe, as its index in `recipes_of` the week, and as many more where it is left over."""
    recipes: tuple["Ints", ...]
    costs: tuple["Floats", ...]
    """What serving the dish costs by itself."""
    shares: Mapping[str, tuple["Floats", ...]]
    """Person -> what a serving holds, in percent of each aim: (dishes, aims)."""
    bounds: Mapping[str, Bounds]
    """Person -> what the courses together should hold."""

    @property
    def courses(self) -> tuple[Course, ...]:
        return self.day.courses

    def priced(self, price: "Floats") -> list["Floats"]:
        """What serving each dish costs with the price of what it is."""
        return [costs + price[served] for costs, served in zip(self.costs, self.servables, strict=True)]


def recipes_of(week: Week) -> tuple[str, ...]:
    """All recipes that may be served, by name."""
    return tuple(sorted(week.known))


def kinds_of(week: Week) -> tuple[Kind, ...]:
    """Each kind of day once, in the order of the week; days without a meal are none."""
    import numpy as np

    number = {recipe: n for n, recipe in enumerate(recipes_of(week))}
    kinds = []
    for day in dict.fromkeys(day for day in week.days if day.courses):
        choices = tuple(week.candidates(course) for course in day.courses)
        recipes = tuple(np.array([number[d.recipe] for d in dishes], dtype=np.int64) for dishes in choices)
        again = tuple(np.array([d.leftover for d in dishes], dtype=np.int64) for dishes in choices)
        there = week.there(day)
        kinds.append(
            Kind(
                day,
                week.days.count(day),
                choices,
                tuple(r + len(number) * left for r, left in zip(recipes, again, strict=True)),
                recipes,
                tuple(_costs(week, course, dishes) for course, dishes in zip(day.courses, choices, strict=True)),
                {e.person: tuple(shares_of(week, e, dishes) for dishes in choices) for e in there},
                {e.person: Bounds.of(week.aims(day, e)) for e in there},
            )
        )
    return tuple(kinds)


def _costs(week: Week, course: Course, dishes: Sequence[Dish]) -> "Floats":
    import numpy as np

    each = [d.cost + cooking(week, d, course.meal) for d in dishes]
    changed = [week.keep if course.before not in (None, d.recipe) else 0.0 for d in dishes]
    costs: Floats = len(course.persons) * np.array(each, dtype=float) + np.array(changed, dtype=float)
    return costs


def shares_of(week: Week, eater: Eater, dishes: Sequence[Dish]) -> "Floats":
    """What a serving of each dish holds, in percent of each of the person's aims: (dishes, aims)."""
    import numpy as np

    aims = week.aims(Day(()), eater)
    return np.array([percents(aims, d.per_serving) for d in dishes], dtype=float).reshape(-1, len(aims))
