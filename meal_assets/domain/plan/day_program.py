"""One day as a mixed-integer program that keeps only some of its bands: what can be reached, and what cannot.

The menus of a day are enumerated; this explains a day that has none.
"""

from .aims import Aim
from .kinds import shares_of
from .solver import INFINITY, Program, Solver
from .week import Day, Week

Band = tuple[str, int]
"""A person, and which of its aims is bounded; those after the aims are the shares of the day's courses."""
NODES = 300
PRECISION = 0.5
"""Percent of a target that an extreme may be off."""


def bands_of(week: Week, day: Day) -> frozenset[Band]:
    """All that a day must keep within bounds."""
    found = set()
    for eater in week.there(day):
        aims = week.aims(day, eater)
        bounded = {n for n, aim in enumerate(aims) if aim.least > -INFINITY or aim.most < INFINITY}
        for n, course in enumerate(day.courses):
            if eater.person in course.persons and week.share(course) != (0.0, INFINITY):
                bounded.add(len(aims) + n)
        found |= {(eater.person, n) for n in bounded}
    return frozenset(found)


def band_of(week: Week, day: Day, band: Band) -> tuple[float, float, Aim | None]:
    """Between what it must be, in percent; and of what aim, if it is one."""
    eater, number = next(e for e in week.eaters if e.person == band[0]), band[1]
    aims = week.aims(day, eater)
    if number < len(aims):
        return aims[number].least, aims[number].most, aims[number]
    return *week.share(day.courses[number - len(aims)]), None


def reachable(week: Week, day: Day, bands: frozenset[Band], solver: Solver) -> bool:
    """Whether some menu keeps these bands; also True when that could not be refuted within the bounds on work."""
    program, _ = _program(week, day, bands)
    if solver.minimise(program, relax=True).infeasible:
        return False
    return not solver.minimise(program, nodes=NODES).infeasible


def extreme(week: Week, day: Day, others: frozenset[Band], band: Band, highest: bool, solver: Solver) -> float | None:
    """The highest or lowest percentage that a band's amount can reach while the other bands are kept.

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
    intake: dict[Band, dict[int, float]] = {}
    by_recipe: dict[str, list[int]] = {}
    for n, course in enumerate(day.courses):
        dishes, most = week.candidates(course), float(week.steps)
        serve = [program.column(upper=1.0, integer=True) for _ in dishes]
        program.row(dict.fromkeys(serve, 1.0), 1.0, 1.0)
        for dish, column in zip(dishes, serve, strict=True):
            by_recipe.setdefault(dish.recipe, []).append(column)
        for eater in (e for e in week.eaters if e.person in course.persons):
            total = program.column(upper=most, integer=True)
            steps = [program.column(upper=most) for _ in dishes]
            program.row({total: -1.0, **dict.fromkeys(steps, 1.0)}, 0.0, 0.0)
            for held, column, step in zip(shares_of(week, eater, dishes).tolist(), serve, steps, strict=True):
                program.row({step: 1.0, column: -most}, upper=0.0)
                for number, share in [*enumerate(held), (len(held) + n, held[0])]:
                    terms = intake.setdefault((eater.person, number), {})
                    terms[column] = share * week.rules.portion_min
                    terms[step] = share * week.rules.portion_step
    for columns in by_recipe.values():
        program.row(dict.fromkeys(columns, 1.0), upper=1.0)
    for band in sorted(bands):
        low, high, _ = band_of(week, day, band)
        program.row(intake[band], low, high)
    return program, intake
