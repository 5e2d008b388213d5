"""One day as a mixed-integer program that keeps only some of the nutrient bands: what can be reached, and what cannot.

The menus of a day are enumerated; this explains a day that has none.
"""

from ...contracts.values import MACROS
from .score import percent, tolerance, wanted
from .solver import INFINITY, Program, Solver
from .week import Day, Eater, Week

Band = tuple[str, str]
"""The person and the nutrient whose daily amount is bounded."""
NODES = 300
PRECISION = 0.5
"""Percent of a target that an extreme may be off."""


def reachable(week: Week, day: Day, bands: frozenset[Band], solver: Solver) -> bool:
    """Whether some menu keeps these bands; also True when that could not be refuted within the bounds on work."""
    program, _ = _program(week, day, bands)
    if solver.minimise(program, relax=True).infeasible:
        return False
    return not solver.minimise(program, nodes=NODES).infeasible


def extreme(week: Week, day: Day, others: frozenset[Band], band: Band, highest: bool, solver: Solver) -> float | None:
    """The highest or lowest percentage of its target that a nutrient can reach while the other bands are kept.

    At most `PRECISION` beyond what can be reached, or a bound where the search was cut off; None when nothing does.
    """
    program, intake = _program(week, day, others)
    sign = -1.0 if highest else 1.0
    for column, share in intake[band].items():
        program.cost[column] = sign * share
    solution = solver.minimise(program, nodes=NODES, absolute_gap=PRECISION)
    if solution.infeasible or abs(solution.bound) == INFINITY:
        return None
    return sign * solution.bound


def _program(week: Week, day: Day, bands: frozenset[Band]) -> tuple[Program, dict[Band, dict[int, float]]]:
    program = Program()
    intake: dict[Band, dict[int, float]] = {(e.person, n): {} for e in week.there(day) for n in MACROS}
    by_recipe: dict[str, list[int]] = {}
    for course in day:
        dishes, most = week.candidates(course), float(week.steps)
        serve = [program.column(upper=1.0, integer=True) for _ in dishes]
        program.row(dict.fromkeys(serve, 1.0), 1.0, 1.0)
        for dish, column in zip(dishes, serve, strict=True):
            by_recipe.setdefault(dish.recipe, []).append(column)
        for eater in (e for e in week.eaters if e.person in course.persons):
            total = program.column(upper=most, integer=True)
            steps = [program.column(upper=most) for _ in dishes]
            program.row({total: -1.0, **dict.fromkeys(steps, 1.0)}, 0.0, 0.0)
            for dish, column, step in zip(dishes, serve, steps, strict=True):
                program.row({step: 1.0, column: -most}, upper=0.0)
                for nutrient in MACROS:
                    share = percent(eater.target, dish.per_serving, nutrient)
                    terms = intake[eater.person, nutrient]
                    terms[column] = share * week.rules.portion_min
                    terms[step] = share * week.rules.portion_step
    for columns in by_recipe.values():
        program.row(dict.fromkeys(columns, 1.0), upper=1.0)
    for person, nutrient in sorted(bands):
        low, high = band_of(week, next(e for e in week.eaters if e.person == person), nutrient)
        program.row(intake[person, nutrient], low, high)
    return program, intake


def band_of(week: Week, eater: Eater, nutrient: str) -> tuple[float, float]:
    """What a day may hold of a nutrient, in percent of the target."""
    goal, allowed = wanted(eater.target)[MACROS.index(nutrient)], tolerance(week, nutrient)
    return goal - allowed, goal + allowed
