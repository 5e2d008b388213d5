"""Turns the menus that were chosen into what is said about them; every figure is recomputed from the portions."""

from collections import Counter
from dataclasses import dataclass

from ...contracts.plan import PlannedDay, PlannedMeal, Proof
from ...contracts.values import MEALS
from .portions import best_portions
from .score import REPEAT, deviation, intake, odd_portion
from .search import PROVEN, Found
from .solver import Solver
from .week import Day, Week


@dataclass(frozen=True, slots=True)
class Table:
    """One day served: for each course the recipe and each person's servings."""

    number: int
    day: Day
    recipes: tuple[str, ...]
    servings: tuple[dict[str, float], ...]


def tables_of(week: Week, found: Found) -> list[Table]:
    """The chosen menus on their days, equal ones not on neighbouring days."""
    tables = []
    for k, kind in enumerate(found.pool.kinds):
        mine = [n for n in found.choice.menus if found.pool.kind[n] == k]
        days = [number for number, day in enumerate(week.days) if day == kind.day]
        tables += [_table(week, found, number, menu) for number, menu in zip(days, mine[::2] + mine[1::2], strict=True)]
    return sorted(tables, key=lambda t: t.number)


def _table(week: Week, found: Found, number: int, menu: int) -> Table:
    import numpy as np

    kind = found.pool.kinds[found.pool.kind[menu]]
    dishes = found.pool.dishes[menu : menu + 1, : len(kind.day)]
    recipes = tuple(kind.choices[n][d].recipe for n, d in enumerate(dishes[0].tolist()))
    servings: tuple[dict[str, float], ...] = tuple({} for _ in recipes)
    for eater in week.there(kind.day):
        _, steps = best_portions(week, kind, dishes, eater, np.array([np.inf]))
        for n, course in enumerate(kind.day):
            if eater.person in course.persons:
                servings[n][eater.person] = week.portion(int(steps[0, n]))
    return Table(number, kind.day, recipes, servings)


def meals(week: Week, tables: list[Table]) -> tuple[PlannedMeal, ...]:
    """Every dish of the week, by day and meal."""
    return tuple(
        PlannedMeal(
            day=week.date_of(t.number),
            meal=course.meal,
            recipe=recipe,
            title=week.dish(recipe).title,
            portions=portions,
        )
        for t in tables
        for course, recipe, portions in sorted(
            zip(t.day, t.recipes, t.servings, strict=True), key=lambda served: MEALS.index(served[0].meal)
        )
    )


def days(week: Week, tables: list[Table]) -> tuple[PlannedDay, ...]:
    """What each person gets on each day that they are there."""
    return tuple(
        PlannedDay(
            day=week.date_of(t.number),
            person=eater.person,
            planned=intake(week, t.recipes, t.servings, eater),
            target=eater.target,
        )
        for t in tables
        for eater in week.there(t.day)
    )


def proof(week: Week, tables: list[Table], bound: float, solver: Solver) -> Proof:
    """The week's cost by its terms, against the bound."""
    servings = Counter(recipe for t in tables for recipe in t.recipes)
    terms = {
        "deviation": sum(deviation(week, d.target, d.planned) for d in days(week, tables)),
        "portions": sum(odd_portion(s) for t in tables for portions in t.servings for s in portions.values()),
        "repeats": REPEAT * sum(count - 1 for count in servings.values()),
    }
    liking = sum(week.dish(recipe).cost * count for recipe, count in servings.items())
    if liking:
        terms["liking"] = liking
    terms = {name: round(cost, 6) for name, cost in terms.items()}
    objective = round(sum(terms.values()), 6)
    lower = objective if objective - bound <= PROVEN else bound
    gap = (objective - lower) / objective if objective else 0.0
    return Proof(objective=objective, lower_bound=lower, gap=gap, terms=terms, solver=solver.name, solves=solver.solves)
