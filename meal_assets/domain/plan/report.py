"""Turns the menus that were chosen into what is said about them; every figure is recomputed from the portions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from ...contracts.plan import PlannedDay, PlannedMeal, Proof
from ...contracts.values import MACROS, MEALS, Macros, Nutrients
from .aims import percents
from .portions import best_portions
from .score import REPEAT, cooking, intake, odd_portion
from .search import PROVEN, Found
from .solver import Solver
from .week import Day, Dish, Week


@dataclass(frozen=True, slots=True)
class Table:
    """One day served: for each course the dish and each person's servings."""

    number: int
    day: Day
    dishes: tuple[Dish, ...]
    servings: tuple[dict[str, float], ...]

    @property
    def recipes(self) -> tuple[str, ...]:
        return tuple(d.recipe for d in self.dishes)


def tables_of(week: Week, found: Found) -> list[Table]:
    """The chosen menus on their days."""
    numbers = [number for number, day in enumerate(week.days) if day.courses]
    return [_table(week, found, number, menu) for number, menu in zip(numbers, found.choice.menus, strict=True)]


def _table(week: Week, found: Found, number: int, menu: int) -> Table:
    import numpy as np

    kind = found.pool.kinds[found.pool.kind[menu]]
    rows = found.pool.dishes[menu : menu + 1, : len(kind.courses)]
    dishes = tuple(kind.choices[n][d] for n, d in enumerate(rows[0].tolist()))
    servings: tuple[dict[str, float], ...] = tuple({} for _ in dishes)
    for eater in week.there(kind.day):
        _, steps = best_portions(week, kind, rows, eater, np.array([np.inf]))
        for n, course in enumerate(kind.courses):
            if eater.person in course.persons:
                servings[n][eater.person] = week.portion(int(steps[0, n]))
    return Table(number, kind.day, dishes, servings)


def meals(week: Week, tables: Sequence[Table]) -> tuple[PlannedMeal, ...]:
    """Every dish of the week, by day and meal."""
    cooked: dict[str, date] = {}
    found = []
    for table in tables:
        day = week.date_of(table.number)
        for course, dish, portions in sorted(
            zip(table.day.courses, table.dishes, table.servings, strict=True),
            key=lambda served: MEALS.index(served[0].meal),
        ):
            before = cooked.get(dish.recipe) if dish.leftover else None
            found.append(
                PlannedMeal(
                    day=day, meal=course.meal, recipe=dish.recipe, title=dish.title, portions=portions,
                    leftover_of=before,
                )
            )  # fmt: skip
        cooked |= {d.recipe: day for d in table.dishes if not d.leftover}
    return tuple(found)


def days(week: Week, tables: Iterable[Table]) -> tuple[PlannedDay, ...]:
    """What each person gets on each day that they are there, with what they ate of it already."""
    return tuple(
        PlannedDay(
            day=week.date_of(table.number),
            person=eater.person,
            planned=_macros([intake(week, table.recipes, table.servings, eater), *_eaten(table.day, eater.person)]),
            target=eater.target,
        )
        for table in tables
        for eater in week.there(table.day)
    )


def _eaten(day: Day, person: str) -> list[Nutrients]:
    return [eaten for who, eaten in day.eaten if who == person]


def _macros(parts: Iterable[Nutrients]) -> Macros:
    total = Nutrients.total(parts)
    return Macros(**{nutrient: round(getattr(total, nutrient), 6) for nutrient in MACROS})


def proof(week: Week, tables: Sequence[Table], bound: float, solver: Solver) -> Proof:
    """The week's cost by its terms, against the bound."""
    objective, terms = cost_of(week, tables)
    lower = objective if objective - bound <= PROVEN else bound
    gap = (objective - lower) / objective if objective else 0.0
    return Proof(objective=objective, lower_bound=lower, gap=gap, terms=terms, solver=solver.name, solves=solver.solves)


def cost_of(week: Week, tables: Sequence[Table]) -> tuple[float, dict[str, float]]:
    """What the week costs, and for what."""
    persons = [(t, e) for t in tables for e in week.there(t.day)]
    served = [(c, d) for t in tables for c, d in zip(t.day.courses, t.dishes, strict=True)]
    cooked = Counter(d.recipe for _, d in served if not d.leftover)
    terms = {
        "deviation": sum(_deviation(week, t, e.person) for t, e in persons),
        "portions": sum(odd_portion(s) for t in tables for portions in t.servings for s in portions.values()),
        "repeats": REPEAT * len(week.eaters) * sum(count - 1 for count in cooked.values()),
    }
    others = {
        "liking": sum(d.cost * len(c.persons) for c, d in served),
        "cooking": sum(cooking(week, d, c.meal) * len(c.persons) for c, d in served),
        "changes": sum(week.keep for c, d in served if c.before not in (None, d.recipe)),
    }
    terms |= {name: cost for name, cost in others.items() if cost}
    terms = {name: round(cost, 6) for name, cost in terms.items()}
    return round(sum(terms.values()), 6), terms


def _deviation(week: Week, table: Table, person: str) -> float:
    """What a person's day costs for being off what it should hold."""
    eater = next(e for e in week.eaters if e.person == person)
    aims, zero = week.aims(table.day, eater), Nutrients(kcal=0, protein_g=0, carbs_g=0, fat_g=0)
    sums = [0.0] * len(aims)
    for dish, portions in zip(table.dishes, table.servings, strict=True):
        held = percents(week.aims(Day(()), eater), dish.per_serving if person in portions else zero)
        sums = [total + portions.get(person, 0.0) * share for total, share in zip(sums, held, strict=True)]
    return sum(aim.cost(percent) for aim, percent in zip(aims, sums, strict=True))
