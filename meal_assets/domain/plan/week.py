"""The planning problem as the search sees it: who eats, what may be served, and which days are interchangeable."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from ...contracts.plan_request import PlanRules, Skip
from ...contracts.values import MEALS, Macros, Meal, Nutrients

DAYS = 7
GRID_SLACK = 1e-9
"""A portion this far above the maximum still counts as on the grid: 0.1 * 3 is not 0.3."""


@dataclass(frozen=True, slots=True)
class Eater:
    """A person, what they should get each day, and the words the caller has already kept off the table."""

    person: str
    target: Macros
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dish:
    """A recipe that may be served: the meals it suits and what one serving holds."""

    recipe: str
    title: str
    meals: frozenset[Meal]
    per_serving: Nutrients
    minutes: int | None
    cost: float = 0.0
    """What serving it costs by itself, never less than nothing: a dish that is liked less costs more."""
    protein: str | None = None
    """Its main source of protein, where that is known."""
    cuisine: str | None = None
    served: frozenset[date] = frozenset()
    """Days outside the week on which it was served."""


@dataclass(frozen=True, slots=True)
class Course:
    """One meal of a day: who is there, and the recipe when it is decided already."""

    meal: Meal
    persons: tuple[str, ...]
    locked: str | None = None


Day = tuple[Course, ...]
"""What is to be decided for a day. Days with equal courses are interchangeable."""


@dataclass(frozen=True, slots=True)
class Week:
    """Everything the search needs. `dishes` are in the seed's order of preference, whatever order they came in."""

    monday: date
    eaters: tuple[Eater, ...]
    dishes: tuple[Dish, ...]
    rules: PlanRules
    days: tuple[Day, ...]
    locked_in: tuple[Dish, ...] = ()
    """Dishes that only a lock may serve."""

    @property
    def steps(self) -> int:
        """The largest portion, counted in steps above the smallest."""
        return int((self.rules.portion_max - self.rules.portion_min) / self.rules.portion_step + GRID_SLACK)

    def dish(self, recipe: str) -> Dish:
        """The dish of a recipe that may be served."""
        return next(d for d in (*self.dishes, *self.locked_in) if d.recipe == recipe)

    def date_of(self, number: int) -> date:
        """The date of a day of the week, counted from Monday as 0."""
        return self.monday + timedelta(number)

    def there(self, day: "Day") -> tuple[Eater, ...]:
        """Who eats anything on a day; the others are away and nothing is owed to them."""
        return tuple(e for e in self.eaters if any(e.person in c.persons for c in day))

    def portion(self, steps: int) -> float:
        """Servings after so many steps above the smallest portion."""
        return round(self.rules.portion_min + steps * self.rules.portion_step, 9)

    def candidates(self, course: Course) -> tuple[Dish, ...]:
        """The dishes that may be served for a course, the preferred first."""
        if course.locked is not None:
            return tuple(d for d in (*self.dishes, *self.locked_in) if d.recipe == course.locked)
        return tuple(d for d in self.dishes if course.meal in d.meals)


def week_of(monday: date, eaters: Sequence[Eater], dishes: Iterable[Dish], rules: PlanRules, seed: int) -> Week:
    """The problem in canonical form: equal input in any order gives an equal week."""
    preferred = sorted(dishes, key=lambda d: (d.cost, preference(seed, d.recipe), d.recipe))
    quick = tuple(d for d in preferred if not too_long(d, rules))
    locked = {lock.recipe for lock in rules.locks}
    persons = tuple(sorted(eaters, key=lambda e: e.person))
    days = tuple(_day(monday + timedelta(n), persons, rules) for n in range(DAYS))
    slow = tuple(d for d in preferred if too_long(d, rules) and d.recipe in locked)
    return Week(monday, persons, quick, rules, days, slow)


def too_long(dish: Dish, rules: PlanRules) -> bool:
    """Whether a dish takes longer than the rules allow; an unknown time is allowed."""
    return rules.max_minutes is not None and dish.minutes is not None and dish.minutes > rules.max_minutes


def preference(seed: int, recipe: str) -> float:
    """A number in [0, 1) that orders equally good recipes, the same on every machine."""
    return int.from_bytes(sha256(f"{seed}:{recipe}".encode()).digest()[:6], "big") / 2**48


def _day(day: date, eaters: Sequence[Eater], rules: PlanRules) -> Day:
    skips = set(rules.skips)
    locks = {lock.meal: lock.recipe for lock in rules.locks if lock.day == day}
    courses = []
    for meal in MEALS:
        if meal not in rules.meals or Skip(day=day, meal=meal) in skips:
            continue
        there = tuple(e.person for e in eaters if Skip(day=day, meal=meal, person=e.person) not in skips)
        if there:
            courses.append(Course(meal, there, locks.get(meal)))
    return tuple(courses)
