"""A person's portions once the dishes of a day are given: each person's are a question of their own."""

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

from ...contracts.values import MACROS
from .score import DEAD_ZONE_PCT, DEVIATION, odd_portion, tolerance, wanted
from .week import Day, Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .kinds import Kind

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MOST_SIZES = 15
"""Portion sizes looked at; a person's day has this to the power of its courses."""
TRIALS = 200_000
"""Combinations tried together: they fit the processor's cache."""
SINGLE = 1e-3
"""Percentage points that single precision may be off."""
TOUCH = 1e-6
"""Percentage points by which a sum may miss its box: rounding, not eating."""


def best_portions(week: Week, kind: "Kind", dishes: "Ints", eater: Eater, budget: "Floats") -> "tuple[Floats, Ints]":
    """For each menu the least that a person's portions can cost, and their steps by course.

    The cost is infinite, and the steps are 0, where no portions keep the rules within the menu's budget.
    """
    import numpy as np

    steps = combinations(week, kind.day, eater, float(budget.max(initial=0.0)))
    servings = _servings(week, kind.day, eater, steps)
    odd = np.array([sum(map(odd_portion, filter(None, row))) for row in servings.tolist()])
    shares = kind.shares[eater.person]
    allowed, goal = np.array([tolerance(week, m) for m in MACROS]), np.array(wanted(eater.target))
    cost, best = np.full(len(dishes), np.inf), np.zeros((len(dishes), len(kind.day)), dtype=np.int64)
    size = max(1, TRIALS // len(steps))
    kcal = servings.T.astype(np.float32)
    for start in range(0, len(dishes), size):
        rows = dishes[start : start + size]
        held = np.stack([share[rows[:, n]] for n, share in enumerate(shares)], axis=1)
        room = np.minimum(allowed, DEAD_ZONE_PCT + budget[start : start + size, None] / DEVIATION) + TOUCH
        row, combination = np.nonzero(np.abs(held[:, :, 0].astype(np.float32) @ kcal - goal[0]) <= room[:, :1] + SINGLE)
        for nutrient in range(len(MACROS)):
            sums = np.einsum("nc,nc->n", held[row, :, nutrient], servings[combination])
            keep = np.abs(sums - goal[nutrient]) <= room[row, nutrient]
            row, combination = row[keep], combination[keep]
        sums = np.einsum("ncm,nc->nm", held[row], servings[combination])
        total = deviations(week, eater, sums) + odd[combination]
        keep = total <= budget[start + row] + TOUCH
        picked, least, index = cheapest(row[keep], total[keep], combination[keep])
        cost[start + picked], best[start + picked] = least, steps[index]
    return cost, best


def plausible_for(week: Week, kind: "Kind", eater: Eater, reach: float) -> "Callable[[Ints], NDArray[np.bool_]]":
    """A test for menus that portions of any size, on the grid or not, could bring to a person's targets.

    A menu fails when in some direction of nutrients even the extreme portions stay on one side of the target's box.
    """
    import numpy as np

    directions = np.array([d for d in product((-1, 0, 1), repeat=len(MACROS)) if d > (0,) * len(MACROS)], dtype=float).T
    middle, half = np.array(wanted(eater.target)) @ directions, radius_of(week, reach) @ np.abs(directions)
    sizes = [week.portion(s) for s in steps_within(week, reach)]
    least, most = [], []
    for course, shares in zip(kind.day, kind.shares[eater.person], strict=True):
        there = float(eater.person in course.persons)
        along = shares @ directions * there
        least.append(np.minimum(along * min(sizes), along * max(sizes)))
        most.append(np.maximum(along * min(sizes), along * max(sizes)))

    def test(rows: "Ints") -> "NDArray[np.bool_]":
        low = sum(part[rows[:, n]] for n, part in enumerate(least))
        high = sum(part[rows[:, n]] for n, part in enumerate(most))
        inside: NDArray[np.bool_] = ((low <= middle + half) & (high >= middle - half)).all(axis=1)
        return inside

    return test


def combinations(week: Week, day: Day, eater: Eater, reach: float) -> "Ints":
    """Every choice of portions for a person's day, in steps; 0 where the person is not there."""
    import numpy as np

    return np.array(list(product(*(steps_within(week, reach) if eater.person in c.persons else [0] for c in day))))


def _servings(week: Week, day: Day, eater: Eater, steps: "Ints") -> "Floats":
    import numpy as np

    size = np.array([week.portion(s) for s in range(week.steps + 1)])
    there = np.array([float(eater.person in c.persons) for c in day])
    servings: Floats = size[steps] * there
    return servings


def coarse(week: Week) -> bool:
    """Whether the grid of portions is so fine that only some of it is looked at."""
    return week.steps >= MOST_SIZES


def steps_within(week: Week, reach: float) -> list[int]:
    """The portions that a menu of at most this cost can hold, in steps, the nearest to one serving first."""
    stride = 1 + week.steps // MOST_SIZES
    middle = min(range(week.steps + 1), key=lambda s: (abs(week.portion(s) - 1), s))
    grid = range(middle % stride, week.steps + 1, stride)
    fitting = [s for s in grid if odd_portion(week.portion(s)) <= reach + TOUCH]
    return sorted(fitting, key=lambda s: (abs(week.portion(s) - 1), s))


def deviations(week: Week, eater: Eater, sums: "Floats") -> "Floats":
    """What days with these sums cost: an array (days, nutrients) in percent gives one number a day."""
    import numpy as np

    zone = np.minimum([tolerance(week, m) for m in MACROS], DEAD_ZONE_PCT)
    costs: Floats = DEVIATION * np.maximum(0, np.abs(sums - np.array(wanted(eater.target))) - zone).sum(axis=-1)
    return costs


def radius_of(week: Week, reach: float) -> "Floats":
    """How far from its goal each nutrient of a day of at most this cost can be, in percent."""
    import numpy as np

    return np.array([min(tolerance(week, m), DEAD_ZONE_PCT + reach / DEVIATION) for m in MACROS]) + TOUCH


def cheapest(key: "Ints", cost: "Floats", label: "Ints | None" = None) -> "tuple[Ints, Floats, Ints]":
    """Each key once, at its lowest cost, with the label of that entry."""
    import numpy as np

    label = np.zeros(len(key), dtype=np.int64) if label is None else label
    order = np.lexsort((label, cost, key))
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[order][1:] != key[order][:-1]
    chosen = order[first]
    return key[chosen], cost[chosen], label[chosen]
