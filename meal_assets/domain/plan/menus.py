"""Day menus by the hundred thousand: a day's courses in two halves, whose sums are joined inside the target's box.

Menus are enumerated for the person with the fewest and then tried on the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...contracts.values import MACROS
from .join import join
from .portions import (
    TOUCH,
    best_portions,
    cheapest,
    coarse,
    combinations,
    deviations,
    plausible_for,
    radius_of,
    shares_of,
    steps_within,
)
from .score import odd_portion, tolerance, wanted
from .week import Day, Dish, Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .portions import Floats, Ints

MOST_HALVES = 3_000_000
"""Partial menus of half a day; a longer library loses its least preferred dishes (about 250 MB at this size)."""
MOST_MENUS = 200_000
"""Menus enumerated for the first person before the rest is left out."""
MOST_PAIRS = 20_000_000
"""Pairs of halves that meet the first person's targets."""
PAIR_WORK = 10
"""What a pair counts as in work, against a combination of portions tried."""
SAMPLE = 500
"""Rows of a half on which the number of pairs is estimated."""
MOST_SAMPLED = 1_000_000
"""Pairs after which the estimate is good enough."""
MOST_TRIALS = 200_000_000
"""Combinations of menu and portions tried on each further person."""


@dataclass(frozen=True, slots=True)
class Menus:
    """Menus of one kind of day: row n serves choices[course][dishes[n, course]] and costs that much by itself.

    No menu that is missing costs less than `reach`.
    """

    day: Day
    choices: tuple[tuple[Dish, ...], ...]
    dishes: "Ints"
    cost: "Floats"
    reach: float
    work: int
    """Pairs of halves and combinations of portions looked at."""


@dataclass(frozen=True, slots=True)
class Half:
    """Partial menus of some courses: the dish of each, sums in percent of the target, cost of odd portions."""

    dishes: "Ints"
    sums: "Floats"
    cost: "Floats"


def menus_of(week: Week, day: Day, reach: float) -> Menus:
    """All menus that keep the rules of a day and cost at most `reach`; when there are too many, some of them."""
    import numpy as np

    choices, whole = _shortened(week, day, reach)
    first, *others = sorted(week.there(day), key=lambda e: (_matches(week, day, choices, e, reach), e.person))
    most = MOST_MENUS
    for eater in others:
        most = min(most, MOST_TRIALS // len(combinations(week, day, eater, reach)))
    plausible = [plausible_for(week, day, choices, eater, reach) for eater in others]
    dishes, cost, work, complete = _first_person(week, day, choices, first, plausible, reach, most)
    for eater in others:
        work += len(dishes) * len(combinations(week, day, eater, reach))
        cost = cost + best_portions(week, day, choices, dishes, eater, reach - cost)[0]
        dishes, cost = dishes[np.isfinite(cost)], cost[np.isfinite(cost)]
    order = np.lexsort((*dishes.T[::-1], cost.round(9)))
    return Menus(day, choices, dishes[order], cost[order], reach if complete and whole else 0.0, work)


def together(old: Menus, new: Menus) -> Menus:
    """The menus of both, so that a sample of dear menus does not lose the cheap ones that were complete."""
    import numpy as np

    if old.choices != new.choices:
        return new
    dishes, cost = np.concatenate([old.dishes, new.dishes]), np.concatenate([old.cost, new.cost])
    ids = np.ravel_multi_index(tuple(dishes.T), [len(c) for c in old.choices]).astype(np.int64)
    _, cost, row = cheapest(ids, cost, np.arange(len(ids)))
    return Menus(old.day, old.choices, dishes[row], cost, max(old.reach, new.reach), new.work)


def _shortened(week: Week, day: Day, reach: float) -> tuple[tuple[tuple[Dish, ...], ...], bool]:
    portions = len(steps_within(week, reach))
    longest = int(MOST_HALVES**0.5) // portions
    choices = [week.candidates(course) for course in day]
    short = tuple(c[:longest] for c in choices)
    return short, all(len(c) <= longest for c in choices) and not coarse(week)


def _matches(week: Week, day: Day, choices: tuple[tuple[Dish, ...], ...], eater: Eater, reach: float) -> int:
    """About how many menus bring a person to the targets: whoever has the fewest decides first."""
    import numpy as np

    if len(week.there(day)) == 1:
        return 0
    left, right = (_half(week, day, choices, eater, courses, reach) for courses in _split(choices))
    stride = max(1, len(left.sums) // SAMPLE)
    goal = np.array(wanted(eater.target))
    found = 0
    for a, _ in join(left.sums[::stride], right.sums, goal, radius_of(week, reach)):
        found += len(a)
        if found > MOST_SAMPLED:
            break
    return stride * found


def _first_person(
    week: Week,
    day: Day,
    choices: tuple[tuple[Dish, ...], ...],
    eater: Eater,
    plausible: "list[Callable[[Ints], NDArray[np.bool_]]]",
    reach: float,
    most: int,
) -> "tuple[Ints, Floats, int, bool]":
    import numpy as np

    split = _split(choices)
    left, right = (_half(week, day, choices, eater, courses, reach) for courses in split)
    radius, sizes, pairs = radius_of(week, reach), [len(c) for c in choices], 0
    ids, costs = np.zeros(0, dtype=np.int64), np.zeros(0)
    complete = True
    for a, b in join(left.sums, right.sums, np.array(wanted(eater.target)), radius):
        cost = deviations(week, eater, left.sums[a] + right.sums[b]) + left.cost[a] + right.cost[b]
        rows = np.zeros((len(a), len(day)), dtype=np.int64)
        rows[:, split[0]], rows[:, split[1]] = left.dishes[a], right.dishes[b]
        keep = (cost <= reach + TOUCH) & _all_different(choices, rows)
        new, least, _ = cheapest(np.ravel_multi_index(tuple(rows[keep].T), sizes).astype(np.int64), cost[keep])
        for test in plausible:
            keep = test(np.stack(np.unravel_index(new, sizes), axis=1))
            new, least = new[keep], least[keep]
        ids, costs, _ = cheapest(np.concatenate([ids, new]), np.concatenate([costs, least]))
        pairs += len(a)
        if len(ids) > most or pairs > MOST_PAIRS:
            complete = False
            break
    return np.stack(np.unravel_index(ids, sizes), axis=1), costs, pairs * PAIR_WORK, complete


def _split(choices: Sequence[Sequence[Dish]]) -> tuple[list[int], list[int]]:
    """The courses in two halves of nearly equal size: the longest list with the shortest."""
    by_length = sorted(range(len(choices)), key=lambda n: (len(choices[n]), n))
    if len(by_length) < 4:
        return by_length[-1:], sorted(by_length[:-1])
    return sorted([by_length[0], by_length[3]]), sorted([by_length[1], by_length[2]])


def _half(
    week: Week, day: Day, choices: Sequence[Sequence[Dish]], eater: Eater, courses: list[int], reach: float
) -> Half:
    import numpy as np

    half = Half(np.zeros((1, 0), dtype=np.int64), np.zeros((1, len(MACROS))), np.zeros(1))
    room = np.array(wanted(eater.target)) + [tolerance(week, m) for m in MACROS] + TOUCH
    for n in courses:
        eats = eater.person in day[n].persons
        servings = [week.portion(s) for s in steps_within(week, reach)] if eats else [0.0]
        shares = shares_of(eater, choices[n])
        dish = np.tile(np.arange(len(shares)), len(servings))
        sums = (np.array(servings)[:, None, None] * shares).reshape(-1, len(MACROS))
        odd = np.repeat([odd_portion(s) if eats else 0.0 for s in servings], len(shares))
        a, b = np.repeat(np.arange(len(half.cost)), len(dish)), np.tile(np.arange(len(dish)), len(half.cost))
        cost, total = half.cost[a] + odd[b], half.sums[a] + sums[b]
        keep = (cost <= reach + TOUCH) & (total <= room).all(axis=1)
        half = Half(np.column_stack([half.dishes[a], dish[b]])[keep], total[keep], cost[keep])
    return half


def _all_different(choices: Sequence[Sequence[Dish]], rows: "Ints") -> "NDArray[np.bool_]":
    import numpy as np

    number = {recipe: n for n, recipe in enumerate(sorted({d.recipe for dishes in choices for d in dishes}))}
    served = [np.array([number[d.recipe] for d in c], dtype=np.int64)[rows[:, n]] for n, c in enumerate(choices)]
    different = np.ones(len(rows), dtype=bool)
    for n, mine in enumerate(served):
        for other in served[:n]:
            different &= mine != other
    return different
