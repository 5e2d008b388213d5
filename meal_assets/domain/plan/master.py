"""The week over day menus: which menu for which kind of day, so that the rules of the week are kept.

Its linear relaxation prices every recipe; with these prices it is known of any menu whether it could better the week.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .kinds import Kind, recipes_of
from .menus import Menus
from .order import arranged
from .portions import in_order
from .solver import INFINITY, Program, Solver
from .tallies import Tally, tallies_of
from .week import Week

if TYPE_CHECKING:
    from .kinds import Floats, Ints

MISSING_DAY = 100_000.0
"""Price of a day without a menu, and of a serving that must be and is not: above anything a week can cost."""
BATCH = 500
"""Menus added to the relaxation at a time."""
ROUNDS = 60
IMPROVES = 1e-7
MOST_COLUMNS = 3_000
"""Menus the integer program chooses among."""
NODES = 2_000


@dataclass(slots=True)
class Pool:
    """The menus at hand: `kind[n]` indexes `kinds`, `dishes[n]` its choices, `served[n]` servables; -1 for nothing."""

    kinds: tuple[Kind, ...]
    recipes: tuple[str, ...]
    tallies: tuple[Tally, ...]
    counts: dict[int, list[tuple[int, float]]]
    """Servable -> the tallies it counts in, with its weight."""
    kind: "Ints" = field(init=False)
    cost: "Floats" = field(init=False)
    dishes: "Ints" = field(init=False)
    served: "Ints" = field(init=False)

    @classmethod
    def of(cls, week: Week, kinds: tuple[Kind, ...]) -> "Pool":
        """An empty one."""
        import numpy as np

        tallies, counts = tallies_of(week), dict[int, list[tuple[int, float]]]()
        for n, tally in enumerate(tallies):
            for served, weight in zip(tally.served.tolist(), tally.weight, strict=True):
                counts.setdefault(served, []).append((n, weight))
        pool = cls(kinds, recipes_of(week), tallies, counts)
        courses = max((len(k.courses) for k in kinds), default=0)
        pool.kind, pool.cost = np.zeros(0, dtype=np.int64), np.zeros(0)
        pool.dishes = pool.served = np.zeros((0, courses), dtype=np.int64)
        return pool

    def __len__(self) -> int:
        return len(self.cost)

    def add(self, k: int, menus: Menus) -> int:
        """Take in menus of a kind that are not there; how many those were."""
        import numpy as np

        kind = self.kinds[k]
        dishes = np.full((len(menus.cost), self.dishes.shape[1]), -1, dtype=np.int64)
        dishes[:, : len(kind.courses)] = menus.dishes
        here = self.dishes[self.kind == k]
        _, first = np.unique(np.concatenate([here, dishes]), axis=0, return_index=True)
        new = np.sort(first[first >= len(here)]) - len(here)
        served = np.full((len(new), self.dishes.shape[1]), -1, dtype=np.int64)
        for n, what in enumerate(kind.servables):
            served[:, n] = what[dishes[new, n]]
        self.kind = np.append(self.kind, np.full(len(new), k))
        self.cost = np.append(self.cost, menus.cost[new])
        self.dishes = np.concatenate([self.dishes, dishes[new]])
        self.served = np.concatenate([self.served, served])
        return len(new)

    @property
    def servables(self) -> int:
        """How many things can be served: each recipe, cooked or left over."""
        return 2 * len(self.recipes)

    def servables_of(self, menu: int) -> list[int]:
        """What a menu serves."""
        served = self.served[menu]
        found: list[int] = served[served >= 0].tolist()
        return found

    def servings(self, menu: int) -> list[tuple[int, bool]]:
        """The recipes of a menu, each with whether it is left over."""
        return [(n % len(self.recipes), n >= len(self.recipes)) for n in self.servables_of(menu)]

    def within_most(self, counts: Mapping[int, int]) -> bool:
        """Whether so many servings of each servable, and perhaps more of others, are not too many."""
        return all(total <= self.tallies[n].most for n, total in self._totals(counts).items() if self._only_adds(n))

    def keeps_tallies(self, menus: Sequence[int]) -> bool:
        """Whether a week of these menus keeps every rule of the week."""
        totals = self._totals(Counter(what for menu in menus for what in self.servables_of(menu)))
        needed = {n for n, tally in enumerate(self.tallies) if tally.least > 0}
        return all(self.tallies[n].least <= totals.get(n, 0.0) <= self.tallies[n].most for n in totals.keys() | needed)

    def cost_of(self, menus: Sequence[int]) -> float:
        """What a week of these menus costs."""
        counts = Counter(what for menu in menus for what in self.servables_of(menu))
        return float(self.cost[list(menus)].sum()) + self.tallied(counts)

    def tallied(self, counts: Mapping[int, int]) -> float:
        """What so many servings of each servable cost beside their menus."""
        above = ((self.tallies[n], total) for n, total in self._totals(counts).items() if self.tallies[n].price)
        return sum(t.price * max(0.0, total - t.free) for t, total in above)

    def _totals(self, counts: Mapping[int, int]) -> dict[int, float]:
        totals: dict[int, float] = {}
        for what, count in counts.items():
            for tally, weight in self.counts[what]:
                totals[tally] = totals.get(tally, 0.0) + weight * count
        return totals

    def _only_adds(self, tally: int) -> bool:
        return min(self.tallies[tally].weight) > 0

    def priced(self, price: "Floats") -> "Floats":
        """What each menu costs with the prices of what it serves."""
        import numpy as np

        total: Floats = self.cost + np.append(price, 0.0)[self.served].sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The relaxed week over the menus at hand: what it costs, the price of each servable, and of a day of each kind.

    A menu whose cost and prices come to less than its day's price could better it.
    """

    cost: float
    price: "Floats"
    day: "Floats"
    feasible: bool

    def worthless(self) -> "Relaxation":
        """The same with prices of nothing, which prove that no week costs less than nothing."""
        import numpy as np

        return replace(self, cost=0.0, price=np.zeros_like(self.price), day=np.zeros_like(self.day))

    def prices_of(self, kind: Kind, menus: Menus) -> "Floats":
        """The prices of what each menu serves together."""
        import numpy as np

        rows = [self.price[what[menus.dishes[:, n]]] for n, what in enumerate(kind.servables)]
        total: Floats = np.sum(rows, axis=0)
        return total

    def excess(self, pool: Pool) -> "Floats":
        """What each menu costs above its day's price."""
        import numpy as np

        return pool.priced(self.price) - np.asarray(self.day)[pool.kind]


@dataclass(frozen=True, slots=True)
class Choice:
    """A week as indices into the pool, one for each day, kind by kind; no menus and an infinite cost where none is.

    `bound`: no week of the menus it was chosen among costs less; infinite when there is none.
    """

    menus: tuple[int, ...]
    cost: float
    bound: float


def relax(pool: Pool, solver: Solver, without: frozenset[int] = frozenset()) -> Relaxation:
    """Solve the relaxed week, taking in the menus that better it a few at a time; without some of its tallies."""
    import numpy as np

    chosen = np.zeros(0, dtype=np.int64)
    price, day, cost, feasible = np.zeros(pool.servables), np.full(len(pool.kinds), MISSING_DAY), INFINITY, False
    for _ in range(ROUNDS):
        reduced = pool.priced(price) - day[pool.kind]
        new = np.setdiff1d(_cheapest_of_each_kind(pool, reduced if len(chosen) else pool.cost), chosen)
        new = new[reduced[new] < -IMPROVES] if len(chosen) else new
        if len(chosen) and len(new) == 0:
            break
        chosen = np.union1d(chosen, new)
        master = _Master(pool, chosen, missing=True, without=without)
        solution = solver.minimise(master.program, relax=True)
        cost, kinds = solution.objective, len(pool.kinds)
        day = np.array(solution.duals[:kinds])
        price = master.prices(solution.duals[kinds:])
        feasible = max(solution.values[column] for column in master.missing) < IMPROVES
    return Relaxation(cost, price, day, feasible)


def choose(
    week: Week,
    pool: Pool,
    columns: "Ints",
    solver: Solver,
    without: frozenset[int] = frozenset(),
    nodes: int = NODES,
) -> Choice:
    """The cheapest week among these menus of the pool, as far as the bound on work allows.

    It has no menus, but the bound, where those found cannot be put in an order in which leftovers follow their cooking.
    """
    import numpy as np

    solution = solver.minimise(_Master(pool, columns, missing=False, without=without).program, nodes=nodes)
    if not solution.values:
        return Choice((), INFINITY, solution.bound)
    counts = np.round(solution.values[: len(columns)]).astype(int)
    menus = tuple(np.repeat(columns, counts).tolist())
    order = arranged(week, pool.kinds, [(int(pool.kind[m]), pool.servings(m)) for m in menus])
    if order is None:
        return Choice((), INFINITY, solution.bound)
    return Choice(tuple(menus[n] for n in order), solution.objective, solution.bound)


def nearest(excess: "Floats", most: int = MOST_COLUMNS) -> "Ints":
    """The menus of least excess, at most so many, spread over the dishes where they are equal."""
    import numpy as np

    return np.sort(in_order(excess)[:most])


class _Master:
    """The program over some menus. Rows: the days of each kind, then those of the tallies that count any of them.

    Where `missing`, a day without a menu and a serving that must be and is not have their price.
    """

    def __init__(self, pool: Pool, columns: "Ints", *, missing: bool, without: frozenset[int] = frozenset()) -> None:
        self.program, self.missing = Program(), list[int]()
        self._pool, self._rows = pool, list[int]()
        covers: list[dict[int, float]] = [{} for _ in pool.kinds]
        uses: dict[int, dict[int, float]] = {n: {} for n, t in enumerate(pool.tallies) if t.least > 0}
        for kind, cost, served in zip(
            pool.kind[columns].tolist(), pool.cost[columns].tolist(), pool.served[columns].tolist(), strict=True
        ):
            column = self.program.column(cost, upper=float(pool.kinds[kind].count), integer=True)
            covers[kind][column] = 1.0
            for what in served:
                for tally, weight in pool.counts[what] if what >= 0 else ():
                    use = uses.setdefault(tally, {})
                    use[column] = use.get(column, 0.0) + weight
        for cover, of in zip(covers, pool.kinds, strict=True):
            days = float(of.count)
            if missing:
                cover[self._missing(days)] = 1.0
            self.program.row(cover, days, days)
        for n in sorted(uses.keys() - without):
            self._count(n, uses[n], missing)

    def _count(self, number: int, use: dict[int, float], missing: bool) -> None:
        tally = self._pool.tallies[number]
        if tally.price:
            above = self.program.column(tally.price)
            self.program.row({**use, above: -1.0}, upper=tally.free)
            self._rows.append(number)
        if tally.least > 0 or tally.most < INFINITY:
            if missing and tally.least > 0:
                use = {**use, self._missing(tally.least): 1.0}
            self.program.row(use, tally.least if tally.least > 0 else -INFINITY, tally.most)
            self._rows.append(number)

    def _missing(self, most: float) -> int:
        column = self.program.column(MISSING_DAY, upper=most)
        self.missing.append(column)
        return column

    def prices(self, duals: Sequence[float]) -> "Floats":
        """What serving each servable once more costs the week."""
        import numpy as np

        price = np.zeros(self._pool.servables)
        for number, dual in zip(self._rows, duals, strict=True):
            if dual:
                tally = self._pool.tallies[number]
                price[tally.served] -= dual * np.array(tally.weight)
        return price


def _cheapest_of_each_kind(pool: Pool, cost: "Floats") -> "Ints":
    import numpy as np

    order = in_order(cost)
    return np.concatenate([order[pool.kind[order] == k][:BATCH] for k in range(len(pool.kinds))])
