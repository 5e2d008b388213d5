"""The planning problem as the search sees it: who eats, what may be served, and which days are interchangeable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256

from ...contracts.plan_request import WEEKDAYS, PlanRules, Skip
from ...contracts.values import MEALS, Macros, Meal, Nutrients
from .aims import Aims, aims_of, percents

DAYS = 7
GRID_SLACK = 1e-9
"""A portion this far above the maximum still counts as on the grid: 0.1 * 3 is not 0.3."""
NO_AMOUNTS: Mapping[tuple[date, str], Nutrients] = {}
NO_MEALS: Mapping[tuple[date, Meal], str] = {}


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
    """What serving it costs each who eats it, never less than nothing: a dish that is liked less costs more."""
    protein: str | None = None
    """Its main source of protein, where that is known."""
    cuisine: str | None = None
    served: frozenset[date] = frozenset()
    """Days outside the week on which it was served."""
    leftover: bool = False
    """It was cooked on a day before, for then and now. The planner makes these itself."""


@dataclass(frozen=True, slots=True)
class Course:
    """One meal of a day: who is there, and what is decided about it already."""

    meal: Meal
    persons: tuple[str, ...]
    locked: str | None = None
    banned: frozenset[str] = frozenset()
    minutes: int | None = None
    """No dish takes longer."""
    before: str | None = None
    """The recipe that was planned until now, where changing it costs."""


@dataclass(frozen=True, slots=True)
class Day:
    """What is to be decided for a day, beside what was eaten on it. Equal days are interchangeable."""

    courses: tuple[Course, ...]
    eaten: tuple[tuple[str, Nutrients], ...] = ()
    """Persons with what they ate at meals that are not planned any more."""


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
    keep: float = 0.0
    """What a dish costs that is served in the place of another that was planned."""
    known: Mapping[str, Dish] = field(default_factory=dict, compare=False, repr=False)
    """Each dish by its recipe."""

    @property
    def steps(self) -> int:
        """The largest portion, counted in steps above the smallest."""
        return int((self.rules.portion_max - self.rules.portion_min) / self.rules.portion_step + GRID_SLACK)

    def dish(self, recipe: str) -> Dish:
        """The dish of a recipe that may be served."""
        return self.known[recipe]

    def date_of(self, number: int) -> date:
        """The date of a day of the week, counted from Monday as 0."""
        return self.monday + timedelta(number)

    def there(self, day: Day) -> tuple[Eater, ...]:
        """Who eats anything on a day; the others are away and nothing is owed to them."""
        return tuple(e for e in self.eaters if any(e.person in c.persons for c in day.courses))

    def aims(self, day: Day, eater: Eater) -> Aims:
        """What the courses of a day should bring a person: what is left after what was eaten."""
        aims, eaten = aims_of(self.rules, eater), dict(day.eaten).get(eater.person)
        if eaten is None:
            return aims
        return tuple(aim.after(percent) for aim, percent in zip(aims, percents(aims, eaten), strict=True))

    def share(self, course: Course) -> tuple[float, float]:
        """How much of a person's energy target a course may bring, in percent."""
        mine = [s for s in self.rules.shares if s.meal == course.meal]
        return max((s.least_pct for s in mine), default=0.0), min((s.most_pct for s in mine), default=float("inf"))

    def portion(self, steps: int) -> float:
        """Servings after so many steps above the smallest portion."""
        return round(self.rules.portion_min + steps * self.rules.portion_step, 9)

    def candidates(self, course: Course) -> tuple[Dish, ...]:
        """The dishes that may be served for a course, the preferred first."""
        if course.locked is not None:
            return (self.known[course.locked],) if course.locked in self.known else ()
        fresh = tuple(d for d in self.dishes if course.meal in d.meals and self._fits(d, course))
        if course.meal != "lunch" or not self.rules.leftover_days:
            return fresh
        again = (d for d in self.dishes if not d.meals.isdisjoint(("lunch", "dinner")))
        return fresh + tuple(replace(d, leftover=True, minutes=0) for d in again if d.recipe not in course.banned)

    def _fits(self, dish: Dish, course: Course) -> bool:
        quick = course.minutes is None or dish.minutes is None or dish.minutes <= course.minutes
        return quick and dish.recipe not in course.banned


def week_of(
    monday: date,
    eaters: Sequence[Eater],
    dishes: Iterable[Dish],
    rules: PlanRules,
    seed: int,
    *,
    keep: float = 0.0,
    before: Mapping[tuple[date, Meal], str] = NO_MEALS,
    since: date | None = None,
    eaten: Mapping[tuple[date, str], Nutrients] = NO_AMOUNTS,
    done: Iterable[tuple[date, Meal]] = (),
) -> Week:
    """The problem in canonical form: equal input in any order gives an equal week.

    `before` is what was planned for each meal, which costs `keep` to change. Days before `since` are not planned, nor
    are the meals that are `done`; what each person has `eaten` on a day is taken off the targets.
    """
    preferred = sorted(dishes, key=lambda d: (d.cost, preference(seed, d.recipe), d.recipe))
    usual = tuple(d for d in preferred if left_out(d, monday, rules) is None)
    locked = {lock.recipe for lock in rules.locks}
    others = tuple(d for d in preferred if left_out(d, monday, rules) is not None and d.recipe in locked)
    persons = tuple(sorted(eaters, key=lambda e: e.person))
    known = {d.recipe: d for d in (*usual, *others)}
    gone, days = frozenset(done), []
    for day in (monday + timedelta(n) for n in range(DAYS)):
        courses = () if since is not None and day < since else _courses(day, persons, rules, gone)
        if keep:
            courses = tuple(replace(c, before=before.get((day, c.meal))) for c in courses)
        mine = tuple((e.person, eaten[day, e.person]) for e in persons if (day, e.person) in eaten) if courses else ()
        days.append(Day(courses, mine))
    return Week(monday, persons, usual, rules, tuple(days), others, keep, known)


def left_out(dish: Dish, monday: date, rules: PlanRules) -> str | None:
    """Why a dish cannot be served in the week unless a meal is locked to it."""
    longest = max([rules.max_minutes or 0, *rules.weekday_minutes.values()])
    allowed = rules.max_minutes is None and len(rules.weekday_minutes) < DAYS
    if not allowed and dish.minutes is not None and dish.minutes > longest:
        return f"longer than {longest} minutes"
    since = monday - timedelta(rules.cooldown_days)
    if any(since <= day < monday for day in dish.served):
        return f"served in the {rules.cooldown_days} days before"
    return None


def preference(seed: int, recipe: str) -> float:
    """A number in [0, 1) that orders equally good recipes, the same on every machine."""
    return int.from_bytes(sha256(f"{seed}:{recipe}".encode()).digest()[:6], "big") / 2**48


def _courses(
    day: date, eaters: Sequence[Eater], rules: PlanRules, done: frozenset[tuple[date, Meal]]
) -> tuple[Course, ...]:
    skips = set(rules.skips)
    locks = {lock.meal: lock.recipe for lock in rules.locks if lock.day == day}
    bans = [ban for ban in rules.bans if ban.day == day]
    longest = rules.weekday_minutes.get(WEEKDAYS[day.weekday()], rules.max_minutes)
    courses = []
    for meal in MEALS:
        if meal not in rules.meals or Skip(day=day, meal=meal) in skips or (day, meal) in done:
            continue
        there = tuple(e.person for e in eaters if Skip(day=day, meal=meal, person=e.person) not in skips)
        if there:
            banned = frozenset(ban.recipe for ban in bans if ban.meal == meal)
            courses.append(Course(meal, there, locks.get(meal), banned, longest))
    return tuple(courses)
