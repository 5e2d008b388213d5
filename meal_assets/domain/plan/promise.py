"""Which dishes are likely to be in a good week: the order in which they are tried first. It decides nothing for good.

A week of fractions of dishes for the household's average person, as one small linear program over the whole library.
"""

from typing import TYPE_CHECKING

from ...contracts.values import MACROS
from .aims import DEVIATION
from .kinds import Kind
from .solver import Program, Solver
from .tallies import most_servings
from .week import Week

if TYPE_CHECKING:
    from .kinds import Floats

OUTSIDE = 100.0
"""What a percentage point outside the tolerance costs more than one inside."""
UNLIKE = 0.01
"""What a dish of another composition than the target costs: it orders dishes that are else as good."""


def promising(week: Week, kinds: tuple[Kind, ...], solver: Solver) -> list[list["Floats"]]:
    """For each kind of day and course what each dish would cost the week of fractions: the lower, the likelier."""
    import numpy as np

    program, sizes = Program(), (week.portion(0), week.portion(week.steps))
    columns, fits = [], []
    for kind in kinds:
        for n, costs in enumerate(kind.costs):
            held = _average(week, kind, n)
            fits.append(UNLIKE * np.abs(held - held[:, :1]).sum(axis=1) / np.maximum(held[:, 0], 1.0))
            of_size = []
            for size in sizes:
                first = len(program.cost)
                for cost in costs.tolist():
                    program.column(cost, upper=float(most_servings(week)))
                of_size.append((first, size * held))
            columns.append(of_size)
    duals = _solved(week, kinds, program, columns, solver)
    found: list[list[Floats]] = []
    course = 0
    for k, kind in enumerate(kinds):
        found.append([])
        for n, costs in enumerate(kind.costs):
            slot, nutrients = duals[k]
            found[-1].append(
                costs - slot[n] + fits[course] - np.max([held @ nutrients for _, held in columns[course]], axis=0)
            )
            course += 1
    return found


def _average(week: Week, kind: Kind, course: int) -> "Floats":
    """What a serving of each dish holds for the average of those who are there that day."""
    import numpy as np

    there = week.there(kind.day)
    persons, most = kind.courses[course].persons, len(MACROS)
    held = [kind.shares[e.person][course][:, :most] * float(e.person in persons) for e in there]
    average: Floats = np.mean(held, axis=0)
    return average


def _solved(
    week: Week,
    kinds: tuple[Kind, ...],
    program: Program,
    columns: list[list[tuple[int, "Floats"]]],
    solver: Solver,
) -> list[tuple[list[float], "Floats"]]:
    """For each kind the duals of its courses and of its nutrients."""
    import numpy as np

    course, rows = 0, []
    for kind in kinds:
        mine = columns[course : course + len(kind.courses)]
        course += len(kind.courses)
        days = float(kind.count)
        slots = [
            program.row({first + n: 1.0 for first, held in of_size for n in range(len(held))}, days, days)
            for of_size in mine
        ]
        bounds = [kind.bounds[e.person] for e in week.there(kind.day)]
        low, high, least, most = (
            np.mean([getattr(b, side)[: len(MACROS)] for b in bounds], axis=0)
            for side in ("low", "high", "least", "most")
        )
        nutrients = []
        for m in range(len(MACROS)):
            terms = {
                first + n: amount
                for of_size in mine
                for first, held in of_size
                for n, amount in enumerate(held[:, m].tolist())
            }
            for sign, beyond in ((1.0, low[m] - least[m]), (-1.0, most[m] - high[m])):
                terms[program.column(DEVIATION, upper=beyond * days)] = sign
                terms[program.column(DEVIATION + OUTSIDE)] = sign
            nutrients.append(program.row(terms, low[m] * days, high[m] * days))
        rows.append((slots, nutrients))
    solution = solver.minimise(program, relax=True)
    dual = solution.duals or [0.0] * len(program.row_lower)
    return [([dual[r] for r in slots], np.array([dual[r] for r in nutrients])) for slots, nutrients in rows]
