"""Day menus by the hundred thousand: a day's courses in two halves, whose sums are joined inside the target's box.

At the prices of the week's recipes only menus below a limit matter, and so few dishes can be in one of them. Menus are
enumerated for the person with the fewest and then tried on the others.
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
    steps_within,
)
from .score import odd_portion, tolerance, wanted
from .week import Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .kinds import Kind
    from .portions import Floats, Ints

MOST_HALVES = 3_000_000
"""Partial menus of half a day (about 250 MB at this size); longer lists of dishes lose their dearest."""
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
    """Row n serves choices[course][dishes[n, course]] of its kind of day and costs that much by itself.

    No menu that is missing costs less than `reach` at the prices it was looked for with.
    """

    dishes: "Ints"
    cost: "Floats"
    reach: float
    work: int
    """Pairs of halves and combinations of portions looked at."""


@dataclass(frozen=True, slots=True)
class Half:
    """Partial menus of some courses: the dish of each, sums in percent of the target, cost above the least."""

    dishes: "Ints"
    sums: "Floats"
    cost: "Floats"


def menus_below(
    week: Week,
    kind: "Kind",
    priced: Sequence["Floats"],
    limit: float,
    *,
    longest: int | None = None,
    order: Sequence["Floats"] | None = None,
) -> Menus:
    """All menus that keep the rules of a day and cost at most `limit` with these prices of each course's dishes.

    With `longest` no more than so many dishes a course, the first in `order`, or the cheapest; when there are too many
    menus, some of them: `reach` tells.
    """
    import numpy as np

    least = [float(p.min(initial=np.inf)) for p in priced]
    bottom = sum(least)
    room = limit - bottom
    if not room >= 0:
        return Menus(np.zeros((0, len(kind.day)), dtype=np.int64), np.zeros(0), limit, 0)
    portions = len(steps_within(week, room))
    most = int(MOST_HALVES**0.5) // max(portions, 1)
    most = most if longest is None else min(most, longest)
    excess = [p - low for p, low in zip(priced, least, strict=True)]
    kept, reach = [], np.inf
    for course, above in enumerate(excess):
        within = np.flatnonzero(above <= room + TOUCH)
        if len(within) > most:
            by = (above if order is None else order[course])[within]
            ranked = within[np.argsort(by, kind="stable")]
            reach = min(reach, bottom + float(above[ranked[most:]].min()))
            within = np.sort(ranked[:most])
        kept.append(within)
    reach = min(reach, limit) if not coarse(week) else min(reach, bottom)
    search = _Search(week, kind, excess, kept, room)
    first, *others = sorted(week.there(kind.day), key=lambda e: (search.matches(e), e.person))
    plausible = [plausible_for(week, kind, eater, room) for eater in others]
    most_menus = MOST_MENUS
    for eater in others:
        most_menus = min(most_menus, MOST_TRIALS // len(combinations(week, kind.day, eater, room)))
    dishes, cost, work, complete = search.of(first, plausible, most_menus)
    for eater in others:
        work += len(dishes) * len(combinations(week, kind.day, eater, room))
        cost = cost + best_portions(week, kind, dishes, eater, room - cost)[0]
        dishes, cost = dishes[np.isfinite(cost)], cost[np.isfinite(cost)]
    own = cost + bottom
    for course, (costs, prices) in enumerate(zip(kind.costs, priced, strict=True)):
        own = own + (costs - prices)[dishes[:, course]]
    order_of = np.lexsort((*dishes.T[::-1], own.round(9)))
    return Menus(dishes[order_of], own[order_of], reach if complete else bottom, work)


@dataclass(frozen=True, slots=True)
class _Search:
    """The menus of one kind of day that cost at most `room` more than the cheapest dishes do together."""

    week: Week
    kind: "Kind"
    excess: Sequence["Floats"]
    kept: Sequence["Ints"]
    room: float

    def matches(self, eater: Eater) -> int:
        """About how many menus bring a person to the targets: whoever has the fewest decides first."""
        import numpy as np

        if len(self.week.there(self.kind.day)) == 1:
            return 0
        left, right = (self._half(eater, courses) for courses in self._split())
        stride = max(1, len(left.sums) // SAMPLE)
        goal = np.array(wanted(eater.target))
        found = 0
        for a, _ in join(left.sums[::stride], right.sums, goal, radius_of(self.week, self.room)):
            found += len(a)
            if found > MOST_SAMPLED:
                break
        return stride * found

    def of(
        self, eater: Eater, plausible: "list[Callable[[Ints], NDArray[np.bool_]]]", most: int
    ) -> "tuple[Ints, Floats, int, bool]":
        """Dishes, costs above the least, work, and whether these are all."""
        import numpy as np

        split = self._split()
        left, right = (self._half(eater, courses) for courses in split)
        radius, sizes, pairs = radius_of(self.week, self.room), [max(1, len(k)) for k in self.kept], 0
        ids, costs = np.zeros(0, dtype=np.int64), np.zeros(0)
        complete = True
        for a, b in join(left.sums, right.sums, np.array(wanted(eater.target)), radius):
            cost = left.cost[a] + right.cost[b]
            within = cost <= self.room + TOUCH
            a, b = a[within], b[within]
            cost = cost[within] + deviations(self.week, eater, left.sums[a] + right.sums[b])
            rows = np.zeros((len(a), len(self.kind.day)), dtype=np.int64)
            rows[:, split[0]], rows[:, split[1]] = left.dishes[a], right.dishes[b]
            keep = (cost <= self.room + TOUCH) & self._all_different(rows)
            new, least, _ = cheapest(np.ravel_multi_index(tuple(rows[keep].T), sizes).astype(np.int64), cost[keep])
            for test in plausible:
                keep = test(self._whole(np.stack(np.unravel_index(new, sizes), axis=1)))
                new, least = new[keep], least[keep]
            ids, costs, _ = cheapest(np.concatenate([ids, new]), np.concatenate([costs, least]))
            pairs += len(a)
            if len(ids) > most or pairs > MOST_PAIRS:
                complete = False
                break
        dishes = self._whole(np.stack(np.unravel_index(ids, sizes), axis=1))
        return dishes, costs, pairs * PAIR_WORK, complete

    def _whole(self, rows: "Ints") -> "Ints":
        """Places among the dishes that are kept as places among all."""
        import numpy as np

        columns = [kept[rows[:, n]] if len(kept) else rows[:, n] for n, kept in enumerate(self.kept)]
        return np.stack(columns, axis=1)

    def _split(self) -> tuple[list[int], list[int]]:
        """The courses in two halves of nearly equal size: the longest list with the shortest."""
        halves: tuple[list[int], list[int]] = [], []
        sizes = [1, 1]
        for n in sorted(range(len(self.kept)), key=lambda n: (-len(self.kept[n]), n)):
            smaller = int(sizes[1] < sizes[0])
            halves[smaller].append(n)
            sizes[smaller] *= max(1, len(self.kept[n]))
        return sorted(halves[0]), sorted(halves[1])

    def _half(self, eater: Eater, courses: list[int]) -> Half:
        """By places among the dishes that are kept."""
        import numpy as np

        half = Half(np.zeros((1, 0), dtype=np.int64), np.zeros((1, len(MACROS))), np.zeros(1))
        most = np.array(wanted(eater.target)) + [tolerance(self.week, m) for m in MACROS] + TOUCH
        for n in courses:
            eats = eater.person in self.kind.day[n].persons
            servings = [self.week.portion(s) for s in steps_within(self.week, self.room)] if eats else [0.0]
            shares = self.kind.shares[eater.person][n][self.kept[n]]
            dish = np.tile(np.arange(len(shares)), len(servings))
            sums = (np.array(servings)[:, None, None] * shares).reshape(-1, len(MACROS))
            odd = np.repeat([odd_portion(s) if eats else 0.0 for s in servings], len(shares))
            cost = odd + self.excess[n][self.kept[n]][dish]
            half = _extended(half, dish, sums, cost, self.room, most)
        return half

    def _all_different(self, rows: "Ints") -> "NDArray[np.bool_]":
        import numpy as np

        served = [r[k][rows[:, n]] for n, (r, k) in enumerate(zip(self.kind.recipes, self.kept, strict=True))]
        different = np.ones(len(rows), dtype=bool)
        for n, mine in enumerate(served):
            for other in served[:n]:
                different &= mine != other
        return different


def _extended(half: Half, dish: "Ints", sums: "Floats", cost: "Floats", room: float, most: "Floats") -> Half:
    """Each partial menu with each of these dishes that leaves it within the room and the targets."""
    import numpy as np

    order = np.argsort(cost, kind="stable")
    dish, sums, cost = dish[order], sums[order], cost[order]
    counts = np.searchsorted(cost, room + TOUCH - half.cost, side="right")
    a = np.repeat(np.arange(len(half.cost)), counts)
    b = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts, counts)
    total = half.sums[a] + sums[b]
    keep = (total <= most).all(axis=1)
    a, b = a[keep], b[keep]
    return Half(np.column_stack([half.dishes[a], dish[b]]), total[keep], half.cost[a] + cost[b])
