"""Finds the week and proves how good it is: menus are looked for at the prices that the week sets on its recipes.

As long as some menu of the whole library costs less than its day is worth, it is taken in (column generation, Dantzig
and Wolfe 1960); when none does, no week can cost less than the relaxed one. What a better week could be made of then
lies within the distance of the best week from that bound, and all of it is looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from .kinds import Kind, kinds_of
from .master import IMPROVES, MISSING_DAY, MOST_COLUMNS, NODES, Choice, Pool, Relaxation, choose, nearest, relax
from .menus import MOST_MENUS, Menus, menus_below
from .order import in_sequence
from .promise import promising
from .solver import INFINITY, Solver
from .week import Day, Week

if TYPE_CHECKING:
    from .kinds import Floats, Ints

REACHES = (0.0, 0.5, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 50.0, 200.0, INFINITY)
"""How much a day may cost each person above its cheapest dishes, as the first search widens."""
FIRST_MENUS = 100
"""Menus of each kind of day that are enough to begin with."""
LONGEST = {1: 2_000, 2: 400, 3: 90, 4: 45, 5: 24, 6: 14}
"""Courses -> dishes a course that are tried before more are."""
LONGER = (1, 4)
"""Times as many dishes that are tried before the whole library is."""
FEW_COLUMNS, FEW_NODES = 400, 20
"""Menus, and branches of the integer program, among which a week is looked for before it is known which matter."""
MOST_FIRST = 20_000
"""Menus looked at for these, and in a round over shortened lists."""
MOST_ORDERS = 4
"""How often a week is built day by day because leftovers come before their cooking in the cheapest."""
TAKEN = 400
"""Menus of a kind taken in at a time, those that better the week most."""
ROUNDS = 60
NEAR, WIDER = 0.05, 3.0
"""How far from the relaxed week is looked first, as a part of it, and how much farther each time after that."""
GOOD_ENOUGH, GOOD_AFTER = 0.01, 150_000_000
"""The gap at which the search stops once it has done so much work."""
PROVEN = 1e-5
"""A distance from the bound that is the solver's rounding."""
ENOUGH_WORK = 2_000_000_000
"""With a week in hand, no wider search begins after so many pairs and portions were looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """The best week found, as indices into its pool."""

    pool: Pool
    choice: Choice


@dataclass(frozen=True, slots=True)
class Nothing:
    """No week was found. `without_menu`: days that have no menu at all; `proven`: nobody can find one."""

    pool: Pool
    without_menu: tuple[Day, ...]
    proven: bool


def search(week: Week, solver: Solver, progress: Callable[[str], None]) -> Found | Nothing:
    """The best week within the planner's bounds on work."""
    return _Search(week, solver, progress).run()


def possible(week: Week, pool: Pool, solver: Solver, without: frozenset[int] = frozenset()) -> bool:
    """Whether a week can be put together from these menus, without some of its tallies."""
    relaxation = relax(pool, solver, without)
    columns = nearest(relaxation.excess(pool))
    return relaxation.feasible and bool(choose(week, pool, columns, solver, without).menus)


class _Step(NamedTuple):
    """How many menus there are, and from which cost on some may be missing."""

    found: int
    reach: float
    widest: bool
    """No menu of these dishes is dearer than what was looked for."""


def _enough(steps: Iterator[_Step], enough: int) -> tuple[int, float]:
    """So many, or all there are: how many that is, and from which cost on some may be missing.

    Of a week that is to stay as it is one menu a day is enough: of any other, meals would have to change.
    """
    step = _Step(0, INFINITY, True)
    for step in steps:
        if step.found >= enough or (step.widest and step.found):
            break
    return step.found, step.reach


class _Search:
    def __init__(self, week: Week, solver: Solver, progress: Callable[[str], None]) -> None:
        self._week, self._solver, self._say = week, solver, progress
        self._kinds = kinds_of(week)
        self._pool = Pool.of(week, self._kinds)
        self._longest = LONGEST[max(len(k.courses) for k in self._kinds)]
        self._best = Choice((), INFINITY, INFINITY)
        self._bound = 0.0
        self._work = 0
        self._orders = 0

    def run(self) -> Found | Nothing:
        import numpy as np

        if nothing := self._begin():
            return nothing
        self._improve(nearest(self._pool.cost, FEW_COLUMNS), FEW_NODES)
        relaxation, whole = self._price()
        self._improve(nearest(relaxation.excess(self._pool), FEW_COLUMNS), FEW_NODES)
        gap = self._gap(relaxation)
        while gap is not None and not self._is_good() and not self._has_done_enough():
            whole &= self._take_in_below(relaxation, gap)
            excess = relaxation.excess(self._pool)
            inside = np.flatnonzero(excess <= gap + IMPROVES)
            choice = self._improve(inside[nearest(excess[inside])])
            if not whole or len(inside) > MOST_COLUMNS:
                break
            self._bound = max(self._bound, min(choice.bound, relaxation.cost + gap))
            gap = self._gap(relaxation, above=gap) if self._orders < MOST_ORDERS else None
        if not self._best.menus:
            no_week = not relaxation.feasible or self._bound >= MISSING_DAY
            return Nothing(self._pool, (), proven=whole and no_week)
        return Found(self._pool, replace(self._best, bound=min(self._bound, self._best.cost)))

    def _begin(self) -> Nothing | None:
        """Take in the first menus of each kind of day, until they make a week; what comes of it when one has none."""
        order = promising(self._week, self._kinds, self._solver)
        wider = [self._widening(k, kind, order[k]) for k, kind in enumerate(self._kinds)]
        for k, kind in enumerate(self._kinds):
            found, reach = _enough(wider[k], 1 if self._week.keep else FIRST_MENUS)
            if not found:
                return Nothing(self._pool, (kind.day,), proven=reach == INFINITY)
            self._say(f"{found} menus to begin with for {kind.count} days")
        for k, kind in enumerate(self._kinds):
            self._include(k, kind, order[k])
        while not relax(self._pool, self._solver).feasible:
            if not [step for step in (next(w, None) for w in wider) if step]:
                break
        return None

    def _widening(self, k: int, kind: Kind, order: Sequence["Floats"]) -> Iterator[_Step]:
        """Take in dearer and dearer menus, of the shortened lists first."""
        import numpy as np

        found, bottom = 0, sum(float(costs.min(initial=np.inf)) for costs in kind.costs)
        for longest in (self._longest, None):
            for reach in REACHES:
                limit = bottom + reach * len(self._week.eaters)
                menus = menus_below(self._week, kind, kind.costs, limit, longest=longest, order=order, most=MOST_FIRST)
                found += self._pool.add(k, self._spread(menus))
                self._work += menus.work
                yield _Step(found, menus.reach, reach == INFINITY)

    def _include(self, k: int, kind: Kind, order: Sequence["Floats"]) -> None:
        """Take in menus with each recipe that must be served: the relaxed week would ask for it at any price."""
        import numpy as np

        number = {recipe: n for n, recipe in enumerate(self._pool.recipes)}
        for recipe in sorted(set(self._week.rules.include) & number.keys()):
            for course, recipes in enumerate(kind.recipes):
                only = (recipes == number[recipe]) & ~np.array([d.leftover for d in kind.choices[course]], dtype=bool)
                if only.any():
                    priced = [np.where(only, p, MISSING_DAY) if n == course else p for n, p in enumerate(kind.costs)]
                    bottom = sum(float(costs.min()) for costs in priced)
                    for reach in REACHES[:-1]:
                        limit = bottom + reach * len(self._week.eaters)
                        menus = menus_below(self._week, kind, priced, limit, longest=self._longest, order=order)
                        self._work += menus.work
                        if self._pool.add(k, self._spread(menus)):
                            break

    def _spread(self, menus: Menus) -> Menus:
        """Not more than the master can use: of equal ones spread over the dishes."""
        rows = nearest(menus.cost, 10 * FIRST_MENUS)
        return replace(menus, dishes=menus.dishes[rows], cost=menus.cost[rows])

    def _price(self) -> tuple[Relaxation, bool]:
        """Take in menus until none betters the relaxed week, and whether that is known of the whole library."""
        for _ in range(ROUNDS):
            relaxation = relax(self._pool, self._solver)
            if relaxation.feasible and relaxation.cost <= PROVEN:
                return relaxation.worthless(), True  # nothing costs less than nothing
            if self._has_done_enough():
                break
            if any(self._add_bettering(relaxation, times * self._longest)[0] for times in LONGER):
                continue
            added, below, whole = self._add_bettering(relaxation, None)
            if relaxation.feasible:
                self._bound = max(self._bound, relaxation.cost - below)
            if not added:
                return relaxation, whole
            if self._work > GOOD_AFTER:
                self._improve(nearest(relaxation.excess(self._pool), FEW_COLUMNS), FEW_NODES)
                if self._is_good():
                    break
        return relaxation, False  # menus that better it are left: it bounds nothing

    def _add_bettering(self, relaxation: Relaxation, longest: int | None) -> tuple[int, float, bool]:
        """How many menus were taken in, how much the bound lies below the relaxed week, whether all were looked at."""
        import numpy as np

        added, below, whole = 0, 0.0, True
        for k, kind in enumerate(self._kinds):
            day = float(relaxation.day[k])
            few = MOST_MENUS if longest is None else MOST_FIRST
            menus = menus_below(self._week, kind, kind.priced(relaxation.price), day, longest=longest, most=few)
            self._work += menus.work
            whole &= menus.reach >= day
            reduced = menus.cost + relaxation.prices_of(kind, menus) - day
            below += kind.count * max(0.0, -float(reduced.min(initial=0.0)), day - menus.reach)
            new = np.flatnonzero(reduced < -IMPROVES)
            new = new[nearest(reduced[new], TAKEN)]
            added += self._pool.add(k, replace(menus, dishes=menus.dishes[new], cost=menus.cost[new]))
        return added, below, whole

    def _take_in_below(self, relaxation: Relaxation, gap: float) -> bool:
        """All menus that cost less than `gap` above their day's price; whether these are all there are."""
        whole = True
        for k, kind in enumerate(self._kinds):
            limit = float(relaxation.day[k]) + gap
            menus = menus_below(self._week, kind, kind.priced(relaxation.price), limit)
            self._pool.add(k, menus)
            self._work += menus.work
            whole &= menus.reach >= limit
        self._say(f"{len(self._pool)} menus within {gap:.4f} of the relaxed week")
        return whole

    def _improve(self, columns: "Ints", nodes: int = NODES) -> Choice:
        choice = choose(self._week, self._pool, columns, self._solver, nodes=nodes)
        self._orders += not choice.menus
        if not choice.menus and choice.bound < INFINITY and self._orders <= MOST_ORDERS:
            relaxation = relax(self._pool, self._solver)
            menus = in_sequence(self._week, self._pool, columns, relaxation.excess(self._pool))
            if menus is not None:
                choice = replace(choice, menus=menus, cost=self._pool.cost_of(menus))
        if choice.menus and choice.cost < self._best.cost:
            self._best = choice
            self._say(f"a week that costs {choice.cost:.4f}, no week costs less than {self._bound:.4f}")
        return choice

    def _gap(self, relaxation: Relaxation, above: float = 0.0) -> float | None:
        """How far from the relaxed week the next menus to look at may be; None when nothing is left to look at."""
        distance = self._best.cost - relaxation.cost
        if not relaxation.feasible or above >= min(distance, MISSING_DAY) - IMPROVES:
            return None
        return min(distance, WIDER * above or max(NEAR * relaxation.cost, NEAR))

    def _has_done_enough(self) -> bool:
        return self._work > ENOUGH_WORK and bool(self._best.menus)

    def _is_good(self) -> bool:
        cost = self._best.cost
        return cost - self._bound <= max(PROVEN, GOOD_ENOUGH * cost if self._work > GOOD_AFTER else 0.0)
