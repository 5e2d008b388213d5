"""A person's portions once the dishes of a day are given: each person's are a question of their own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

from ...contracts.values import MACROS
from .aims import TOUCH
from .score import odd_portion
from .week import Day, Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .kinds import Floats, Ints, Kind

MOST_SIZES = 15
"""Portion sizes looked at; a person's day has this to the power of its courses."""
TRIALS = 200_000
"""Combinations tried together: they fit the processor's cache."""
PLAUSIBLE = 20_000
"""Menus tested together."""
AWAY = -1
SCATTER = 0x9E3779B97F4A7C15
"""Fibonacci hashing: multiplied by this, modulo 2**64, neighbours land far apart."""
SINGLE = 1e-3
"""Percentage points that single precision may be off."""


def best_portions(week: Week, kind: "Kind", dishes: "Ints", eater: Eater, budget: "Floats") -> "tuple[Floats, Ints]":
    """For each menu the least that a person's portions can cost, and their steps by course.

    The cost is infinite, and the steps are 0, where no portions keep the rules within the menu's budget.
    """
    import numpy as np

    halves = (slice(0, len(kind.courses) // 2), slice(len(kind.courses) // 2, None))
    sizes = _sizes(week, kind.day, eater, float(budget.max(initial=0.0)))
    left, right = (_Combined.of(week, sizes[half]) for half in halves)
    bounds = kind.bounds[eater.person]
    cost, best = np.full(len(dishes), np.inf), np.zeros((len(dishes), len(kind.courses)), dtype=np.int64)
    size = max(1, TRIALS // (len(left.odd) * len(right.odd)))
    for start in range(0, len(dishes), size):
        rows = dishes[start : start + size]
        held = np.stack([share[rows[:, n]] for n, share in enumerate(kind.shares[eater.person])], axis=1)
        mine = budget[start : start + size]
        lower = np.maximum(bounds.least, bounds.low - mine[:, None] / bounds.slope) - TOUCH
        upper = np.minimum(bounds.most, bounds.high + mine[:, None] / bounds.slope) + TOUCH
        a, b = left.sums(held[:, halves[0]]), right.sums(held[:, halves[1]])
        energy = a[0].astype(np.float32)[:, :, None] + b[0].astype(np.float32)[:, None, :]
        fits = (energy >= lower[:, :1, None] - SINGLE) & (energy <= upper[:, :1, None] + SINGLE)
        row, i, j = np.nonzero(fits)
        for aim in range(lower.shape[1]):
            sums = a[aim, row, i] + b[aim, row, j]
            keep = (sums >= lower[row, aim]) & (sums <= upper[row, aim])
            row, i, j = row[keep], i[keep], j[keep]
        servings = np.concatenate([left.servings[i], right.servings[j]], axis=1)
        keep = _keeps_shares(week, kind, held[row, :, 0] * servings, eater)
        row, i, j = row[keep], i[keep], j[keep]
        total = bounds.cost((a[:, row, i] + b[:, row, j]).T) + left.odd[i] + right.odd[j]
        keep = total <= mine[row] + TOUCH
        picked, least, which = cheapest(row[keep], total[keep], (i * len(right.odd) + j)[keep])
        cost[start + picked] = least
        best[start + picked, halves[0]] = left.steps[which // len(right.odd)]
        best[start + picked, halves[1]] = right.steps[which % len(right.odd)]
    return cost, best


@dataclass(frozen=True, slots=True)
class _Combined:
    """Every choice of portions for some courses: (choices, courses), and what each costs for its sizes."""

    steps: "Ints"
    servings: "Floats"
    odd: "Floats"

    @classmethod
    def of(cls, week: Week, sizes: Sequence[Sequence[int]]) -> "_Combined":
        """`sizes` in steps by course; none where the person is not there."""
        import numpy as np

        choices = list(product(*(mine or [AWAY] for mine in sizes)))
        servings = [[0.0 if s == AWAY else week.portion(s) for s in choice] for choice in choices]
        odd = [sum(map(odd_portion, filter(None, choice))) for choice in servings]
        steps = np.maximum(np.array(choices, dtype=np.int64).reshape(len(choices), -1), 0)
        return cls(steps, np.array(servings, dtype=float).reshape(steps.shape), np.array(odd))

    def sums(self, held: "Floats") -> "Floats":
        """From what servings hold (rows, courses, aims) to (aims, rows, choices)."""
        import numpy as np

        found: Floats = np.ascontiguousarray(held.transpose(2, 0, 1)) @ self.servings.T
        return found


def _keeps_shares(week: Week, kind: "Kind", energy: "Floats", eater: Eater) -> "NDArray[np.bool_]":
    """Whether each course brings no more and no less of the day's energy than it may: (days, courses) in percent."""
    import numpy as np

    kept = np.ones(len(energy), dtype=bool)
    for n, course in enumerate(kind.courses):
        least, most = week.share(course)
        if eater.person in course.persons and (least > 0 or most < np.inf):
            kept &= (energy[:, n] >= least - TOUCH) & (energy[:, n] <= most + TOUCH)
    return kept


def plausible_for(week: Week, kind: "Kind", eater: Eater, reach: float) -> "Callable[[Ints], NDArray[np.bool_]]":
    """A test for menus that portions of any size, on the grid or not, could bring to a person's targets.

    A menu fails when in some direction of nutrients even the extreme portions stay on one side of the target's box.
    """
    import numpy as np

    lower, upper = (side[: len(MACROS)] for side in kind.bounds[eater.person].within(reach))
    bounded = np.isfinite(lower) & np.isfinite(upper)
    signs = [d for d in product((-1, 0, 1), repeat=len(MACROS)) if d > (0,) * len(MACROS)]
    directions = np.array([d for d in signs if all(b or not s for s, b in zip(d, bounded, strict=True))], dtype=float).T
    directions = directions.reshape(len(MACROS), -1)
    lower, upper = np.where(bounded, lower, 0.0), np.where(bounded, upper, 0.0)
    middle, half = (lower + upper) / 2 @ directions, (upper - lower) / 2 @ np.abs(directions)
    sizes = [week.portion(s) for s in steps_within(week, reach)]
    least, most = [], []
    for course, shares in zip(kind.courses, kind.shares[eater.person], strict=True):
        there = float(eater.person in course.persons)
        along = shares[:, : len(MACROS)] @ directions * there
        least.append(np.minimum(along * min(sizes), along * max(sizes)).astype(np.float32))
        most.append(np.maximum(along * min(sizes), along * max(sizes)).astype(np.float32))
    least[0] -= (middle + half + SINGLE).astype(np.float32)
    most[0] -= (middle - half - SINGLE).astype(np.float32)

    def test(rows: "Ints") -> "NDArray[np.bool_]":
        return np.concatenate([some(rows[n : n + PLAUSIBLE]) for n in range(0, len(rows) or 1, PLAUSIBLE)])

    def some(rows: "Ints") -> "NDArray[np.bool_]":
        low, high = least[0][rows[:, 0]], most[0][rows[:, 0]]
        for n in range(1, len(least)):
            low += least[n][rows[:, n]]
            high += most[n][rows[:, n]]
        inside: NDArray[np.bool_] = (low.max(axis=1, initial=-1.0) <= 0) & (high.min(axis=1, initial=1.0) >= 0)
        return inside

    return test


def combinations(week: Week, day: Day, eater: Eater, reach: float) -> int:
    """How many choices of portions there are for a person's day."""
    return prod(len(mine) or 1 for mine in _sizes(week, day, eater, reach))


def _sizes(week: Week, day: Day, eater: Eater, reach: float) -> list[list[int]]:
    sizes = steps_within(week, reach)
    return [sizes if eater.person in c.persons else [] for c in day.courses]


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


def cheapest(key: "Ints", cost: "Floats", label: "Ints | None" = None) -> "tuple[Ints, Floats, Ints]":
    """Each key once, at its lowest cost, with the label of that entry."""
    import numpy as np

    label = np.zeros(len(key), dtype=np.int64) if label is None else label
    order = np.lexsort((label, cost, key))
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[order][1:] != key[order][:-1]
    chosen = order[first]
    return key[chosen], cost[chosen], label[chosen]


def in_order(cost: "Floats") -> "Ints":
    """Cheapest first; equally cheap ones spread over all dishes instead of one dish with all its partners."""
    import numpy as np

    scattered = np.arange(len(cost), dtype=np.uint64) * np.uint64(SCATTER)
    return np.lexsort((scattered, cost.round(7)))
