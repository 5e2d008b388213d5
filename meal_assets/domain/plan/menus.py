"""Day menus by the hundred thousand: a day's courses in two halves, whose sums are joined inside the target's box.

At the prices of the week's recipes only menus below a limit matter, and so few dishes can be in one of them. In a menu
of a household somebody's day costs no more than the average: for each person those menus are looked for in which that
is theirs, and then tried on the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .aims import TOUCH
from .join import SINGLE, join
from .portions import best_portions, cheapest, coarse, combinations, in_order, plausible_for, steps_within
from .score import odd_portion
from .week import Eater, Week

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .join import Singles
    from .kinds import Floats, Ints, Kind

MOST_HALVES = 3_000_000
"""Partial menus of half a day (about 100 MB at this size); longer lists of dishes lose their dearest."""
MOST_MENUS = 2_000_000
"""Menus kept before the rest is left out."""
PAIRS = 300
"""Pairs of halves looked at for each person, times the menus that may be kept."""
SAMPLE = 1_000
"""Menus on which it is seen who is the strictest."""
TRIALS, MOST_TRIALS = 2_000, 400_000_000
"""Combinations of menu and portions tried on each person of a household, times the menus that may be kept; at most."""
BINS = 500
"""Steps of cost in which partial menus are counted before they are made."""


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
class Plates:
    """What a course may put before a person: each dish in each size. Sums in percent, cost above the cheapest dish."""

    dish: "Ints"
    sums: "Floats"
    cost: "Floats"


@dataclass(frozen=True, slots=True)
class Half:
    """Partial menus of some courses: the plate of each (courses, rows), sums (aims, rows), cost above the least."""

    courses: tuple[int, ...]
    plates: "NDArray[np.int32]"
    sums: "Singles"
    cost: "Singles"


class _Cheapest:
    """Menus by number, each once at its lowest cost; sorted now and then, so that much can be added a little a time."""

    def __init__(self) -> None:
        import numpy as np

        self._ids, self._costs = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        self._sorted, self._added = 0, 0

    def __len__(self) -> int:
        return self._sorted

    def add(self, ids: "Ints", costs: "Floats") -> None:
        self._ids.append(ids)
        self._costs.append(costs)
        self._added += len(ids)
        if self._added > max(self._sorted, MOST_MENUS // 4):
            self.all()

    def all(self) -> "tuple[Ints, Floats]":
        import numpy as np

        ids, costs, _ = cheapest(np.concatenate(self._ids), np.concatenate(self._costs))
        self._ids, self._costs, self._sorted, self._added = [ids], [costs], len(ids), 0
        return ids, costs


def menus_below(
    week: Week,
    kind: "Kind",
    priced: Sequence["Floats"],
    limit: float,
    *,
    longest: int | None = None,
    order: Sequence["Floats"] | None = None,
    most: int = MOST_MENUS,
) -> Menus:
    """All menus that keep the rules of a day and cost at most `limit` with these prices of each course's dishes.

    With `longest` no more than so many dishes a course, the first in `order`, or the cheapest; when there are more than
    `most` menus to look at, some of them: `reach` tells.
    """
    import numpy as np

    least = [float(p.min(initial=np.inf)) for p in priced]
    bottom = sum(least)
    room = limit - bottom
    if not room >= 0:
        return Menus(np.zeros((0, len(kind.courses)), dtype=np.int64), np.zeros(0), limit, 0)
    excess = [p - low for p, low in zip(priced, least, strict=True)]
    search = _Search(week, kind, excess, room, most)
    kept, missing = search.shortened(longest, order)
    reach = bottom if coarse(week) else min(limit, bottom + missing)
    dishes, cost, work, complete = search.among(kept)
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
    room: float
    most: int

    def shortened(self, longest: int | None, order: Sequence["Floats"] | None) -> tuple[list["Ints"], float]:
        """The dishes of each course that are looked at, and from which cost above the least on menus are missing."""
        import numpy as np

        within = [np.flatnonzero(above <= self.room + TOUCH) for above in self.excess]
        most = max(map(len, within))
        if longest is not None:
            most = min(most, longest)
        by = self.excess if order is None else order
        ranked = [w[np.argsort(key[w], kind="stable")] for w, key in zip(within, by, strict=True)]
        while (
            most > 1 and self._rows(self._split([r[:most] for r in ranked]), [r[:most] for r in ranked]) > MOST_HALVES
        ):
            most = max(1, int(most * 0.8))
        missing = min(
            (float(above[r[most:]].min()) for above, r in zip(self.excess, ranked, strict=True) if len(r) > most),
            default=float("inf"),
        )
        return [np.sort(r[:most]) for r in ranked], missing

    def among(self, kept: Sequence["Ints"]) -> "tuple[Ints, Floats, int, bool]":
        """Dishes, costs above the least, work, and whether these are all."""
        import numpy as np

        there = self.week.there(self.kind.day)
        sizes, found, work, complete = [max(1, len(k)) for k in kept], _Cheapest(), 0, True
        for eater in there:
            pairs = 0
            for new, cost, looked in self._menus_of(eater, kept, sizes, len(there)):
                found.add(new, cost)
                pairs += looked
                if len(found) > self.most or pairs > PAIRS * self.most:
                    complete = False
                    break
            work += pairs
        ids, costs = found.all()
        rows = np.stack(np.unravel_index(ids, sizes), axis=1)
        dishes = np.stack([k[rows[:, n]] if len(k) else rows[:, n] for n, k in enumerate(kept)], axis=1)
        if len(there) == 1:
            return dishes, costs, work, complete
        costs = np.sum([above[dishes[:, n]] for n, above in enumerate(self.excess)], axis=0)
        return self._tried(there, dishes, costs, work, complete)

    def _tried(
        self, there: Sequence[Eater], dishes: "Ints", costs: "Floats", work: int, complete: bool
    ) -> "tuple[Ints, Floats, int, bool]":
        """The menus whose price leaves room for everybody's day."""
        import numpy as np

        for eater in self._strictest_first(there, dishes, costs):
            keep = plausible_for(self.week, self.kind, eater, self.room)(dishes)
            dishes, costs = dishes[keep], costs[keep]
            trials = combinations(self.week, self.kind.day, eater, self.room)
            if len(dishes) > (most := min(MOST_TRIALS, TRIALS * self.most) // trials):
                first = np.sort(in_order(costs)[:most])
                dishes, costs, complete = dishes[first], costs[first], False
            work += len(dishes) * trials
            costs = costs + best_portions(self.week, self.kind, dishes, eater, self.room - costs)[0]
            dishes, costs = dishes[np.isfinite(costs)], costs[np.isfinite(costs)]
        return dishes, costs, work, complete

    def _strictest_first(self, there: Sequence[Eater], dishes: "Ints", costs: "Floats") -> list[Eater]:
        """Whoever finds the fewest of some menus good first: the others look at what is left."""
        import numpy as np

        some = slice(None, None, 1 + len(dishes) // SAMPLE)
        left = {
            e.person: int(
                np.isfinite(best_portions(self.week, self.kind, dishes[some], e, self.room - costs[some])[0]).sum()
            )
            for e in there
        }
        return sorted(there, key=lambda e: (left[e.person], e.person))

    def _menus_of(
        self, eater: Eater, kept: Sequence["Ints"], sizes: list[int], persons: int
    ) -> "Iterator[tuple[Ints, Floats, int]]":
        """Menus, by number, in which the person's day costs no more than its part of what the dishes leave of the room;
        what each costs with all days as dear as that one; and how many pairs of halves were looked at for them.
        """
        import numpy as np

        plates = [self._plates(eater, n, kept[n], persons) for n in range(len(kept))]
        bounds = self.kind.bounds[eater.person]
        lower, upper = bounds.within(self.room / persons)
        left, right = (self._half(plates, courses, lower, upper) for courses in self._split(kept))
        if left.cost.shape[0] < right.cost.shape[0]:
            left, right = right, left
        for a, b, looked in join(left.sums, right.sums, left.cost, right.cost, lower, upper, self.room):
            sums, cost = np.zeros((len(a), len(lower))), np.zeros(len(a))
            dish = np.zeros((len(kept), len(a)), dtype=np.int64)
            for half, rows in ((left, a), (right, b)):
                for place, course in enumerate(half.courses):
                    plate = half.plates[place, rows]
                    sums += plates[course].sums[plate]
                    cost += plates[course].cost[plate]
                    dish[course] = plates[course].dish[plate]
            cost += persons * bounds.cost(sums)
            keep = (cost <= self.room + TOUCH) & ((sums >= lower) & (sums <= upper)).all(axis=1)
            keep &= self._all_different(dish, kept)
            new, least, _ = cheapest(np.ravel_multi_index(tuple(dish[:, keep]), sizes).astype(np.int64), cost[keep])
            yield new, least, looked

    def _plates(self, eater: Eater, course: int, kept: "Ints", persons: int) -> Plates:
        """By places among the dishes that are kept."""
        import numpy as np

        shares = self.kind.shares[eater.person][course][kept]
        eats = eater.person in self.kind.courses[course].persons
        servings = [self.week.portion(s) for s in steps_within(self.week, self.room / persons)] if eats else [0.0]
        dish = np.tile(np.arange(len(shares)), len(servings))
        sums = (np.array(servings)[:, None, None] * shares).reshape(-1, shares.shape[1])
        odd = np.repeat([persons * odd_portion(s) if eats else 0.0 for s in servings], len(shares))
        cost = odd + self.excess[course][kept][dish]
        least, most = self.week.share(self.kind.courses[course])
        keep = cost <= self.room + TOUCH
        if eats:
            keep &= (sums[:, 0] >= least - TOUCH) & (sums[:, 0] <= most + TOUCH)
        order = np.flatnonzero(keep)[np.argsort(cost[keep], kind="stable")]
        return Plates(dish[order], sums[order], cost[order])

    def _half(self, plates: Sequence[Plates], courses: tuple[int, ...], lower: "Floats", upper: "Floats") -> Half:
        """All partial menus that the other courses could still bring between these sums."""
        import numpy as np

        rest = {n: p.sums.max(axis=0, initial=0.0) for n, p in enumerate(plates)}
        rows = np.zeros((0, 1), dtype=np.int32)
        sums, cost = np.zeros((len(lower), 1), dtype=np.float32), np.zeros(1, dtype=np.float32)
        for n in courses:
            del rest[n]
            mine, price = plates[n].sums.T.astype(np.float32), plates[n].cost.astype(np.float32)
            short = lower - np.sum(list(rest.values()), axis=0) if rest else lower
            counts = np.searchsorted(price, self.room + SINGLE - cost, side="right")
            a = np.repeat(np.arange(len(cost)), counts)
            b = np.arange(len(a)) - np.repeat(np.cumsum(counts) - counts, counts)
            for d in range(len(lower)):
                total = sums[d, a] + mine[d, b]
                keep = (total <= upper[d] + SINGLE) & (total >= short[d] - SINGLE)
                a, b = a[keep], b[keep]
            rows = np.concatenate([rows[:, a], b[None].astype(np.int32)])
            sums, cost = sums[:, a] + mine[:, b], cost[a] + price[b]
        return Half(courses, rows, sums, cost)

    def _split(self, kept: Sequence["Ints"]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The courses in two halves of nearly equal size: the longest list with the shortest."""
        halves: tuple[list[int], list[int]] = [], []
        sizes = [1, 1]
        for n in sorted(range(len(kept)), key=lambda n: (-len(kept[n]), n)):
            smaller = int(sizes[1] < sizes[0])
            halves[smaller].append(n)
            sizes[smaller] *= max(1, len(kept[n]))
        return tuple(sorted(halves[0])), tuple(sorted(halves[1]))

    def _rows(self, split: tuple[tuple[int, ...], ...], kept: Sequence["Ints"]) -> float:
        """About how many partial menus the larger half has, before their sums are looked at."""
        import numpy as np

        portions, most = len(steps_within(self.week, self.room)), 0.0
        for courses in split:
            found = np.ones(1)
            for n in courses:
                step = (self.excess[n][kept[n]] * (BINS / max(self.room, 1e-9))).astype(np.int64)
                each = np.bincount(np.minimum(step, BINS), minlength=BINS + 1).astype(float)
                found = np.convolve(found, each * portions)[: BINS + 1]
            most = max(most, float(found.sum()))
        return most

    def _all_different(self, dish: "Ints", kept: Sequence["Ints"]) -> "NDArray[np.bool_]":
        import numpy as np

        served = [r[k][d] for d, r, k in zip(dish, self.kind.recipes, kept, strict=True)]
        different = np.ones(dish.shape[1], dtype=bool)
        for n, mine in enumerate(served):
            for other in served[:n]:
                different &= mine != other
        return different
