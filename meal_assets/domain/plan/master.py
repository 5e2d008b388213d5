"""The week over day menus: which menu for which kind of day, so that recipes repeat as little as possible.

Its linear relaxation prices every recipe; with these prices it is known of any menu whether it could better the week.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .kinds import Kind, recipes_of
from .menus import Menus
from .score import REPEAT
from .solver import INFINITY, Program, Solver
from .week import Week

if TYPE_CHECKING:
    from .portions import Floats, Ints

MISSING_DAY = 100_000.0
"""Price of a day without a menu in the relaxation: above anything a week can cost."""
BATCH = 500
"""Menus added to the relaxation at a time."""
ROUNDS = 60
IMPROVES = 1e-7
SCATTER = 0x9E3779B97F4A7C15
"""Fibonacci hashing: multiplied by this, modulo 2**64, neighbours land far apart."""
MOST_COLUMNS = 3_000
"""Menus the integer program chooses among."""
NODES = 2_000


@dataclass(slots=True)
class Pool:
    """The menus at hand: `kind[n]` indexes `kinds`, `dishes[n]` its choices, `served[n]` `recipes`; -1 for nothing."""

    kinds: tuple[Kind, ...]
    recipes: tuple[str, ...]
    kind: "Ints" = field(init=False)
    cost: "Floats" = field(init=False)
    dishes: "Ints" = field(init=False)
    served: "Ints" = field(init=False)

    @classmethod
    def of(cls, week: Week, kinds: tuple[Kind, ...]) -> "Pool":
        """An empty one."""
        import numpy as np

        pool = cls(kinds, recipes_of(week))
        courses = max((len(k.day) for k in kinds), default=0)
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
        dishes[:, : len(kind.day)] = menus.dishes
        here = self.dishes[self.kind == k]
        _, first = np.unique(np.concatenate([here, dishes]), axis=0, return_index=True)
        new = np.sort(first[first >= len(here)]) - len(here)
        served = np.full((len(new), self.dishes.shape[1]), -1, dtype=np.int64)
        for n, recipes in enumerate(kind.recipes):
            served[:, n] = recipes[dishes[new, n]]
        self.kind = np.append(self.kind, np.full(len(new), k))
        self.cost = np.append(self.cost, menus.cost[new])
        self.dishes = np.concatenate([self.dishes, dishes[new]])
        self.served = np.concatenate([self.served, served])
        return len(new)

    def priced(self, price: "Floats") -> "Floats":
        """What each menu costs with the prices of its recipes."""
        import numpy as np

        total: Floats = self.cost + np.append(price, 0.0)[self.served].sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The relaxed week over the menus at hand: what it costs, the price of each recipe, and of a day of each kind.

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
        """The prices of each menu's recipes together."""
        import numpy as np

        rows = [self.price[recipes[menus.dishes[:, n]]] for n, recipes in enumerate(kind.recipes)]
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


def relax(week: Week, pool: Pool, solver: Solver) -> Relaxation:
    """Solve the relaxed week, taking in the menus that better it a few at a time."""
    import numpy as np

    chosen = np.zeros(0, dtype=np.int64)
    price, day, cost, feasible = np.zeros(len(pool.recipes)), np.full(len(pool.kinds), MISSING_DAY), INFINITY, False
    for _ in range(ROUNDS):
        reduced = pool.priced(price) - day[pool.kind]
        new = np.setdiff1d(_cheapest_of_each_kind(pool, reduced if len(chosen) else pool.cost), chosen)
        new = new[reduced[new] < -IMPROVES] if len(chosen) else new
        if len(chosen) and len(new) == 0:
            break
        chosen = np.union1d(chosen, new)
        solution = solver.minimise(_program(week, pool, chosen, missing=True), relax=True)
        kinds = len(pool.kinds)
        day, cost = np.array(solution.duals[:kinds]), solution.objective
        repeats, limits = np.reshape(solution.duals[kinds:], (-1, 2)).T
        price = np.zeros(len(pool.recipes))
        price[_recipes_in(pool, chosen)] = -(repeats + limits)
        feasible = max(solution.values[len(chosen) :][:kinds]) < IMPROVES
    return Relaxation(cost, price, day, feasible)


def choose(week: Week, pool: Pool, columns: "Ints", solver: Solver) -> Choice:
    """The cheapest week among these menus of the pool, as far as the bound on work allows."""
    import numpy as np

    solution = solver.minimise(_program(week, pool, columns, missing=False), nodes=NODES)
    if not solution.values:
        return Choice((), INFINITY, solution.bound)
    counts = np.round(solution.values[: len(columns)]).astype(int)
    return Choice(tuple(np.repeat(columns, counts).tolist()), solution.objective, solution.bound)


def nearest(excess: "Floats", most: int = MOST_COLUMNS) -> "Ints":
    """The menus of least excess, at most so many, spread over the dishes where they are equal."""
    import numpy as np

    return np.sort(_in_order(excess)[:most])


def _program(week: Week, pool: Pool, columns: "Ints", *, missing: bool) -> Program:
    """A day without a menu has its price, or is not allowed.

    Rows: the days of each kind; then for each recipe in `_recipes_in` its repeats and its limit.
    """
    program = Program()
    covers: list[dict[int, float]] = [{} for _ in pool.kinds]
    uses: dict[int, dict[int, float]] = {recipe: {} for recipe in _recipes_in(pool, columns).tolist()}
    for kind, cost, served in zip(
        pool.kind[columns].tolist(), pool.cost[columns].tolist(), pool.served[columns].tolist(), strict=True
    ):
        column = program.column(cost, upper=float(pool.kinds[kind].count), integer=True)
        covers[kind][column] = 1.0
        for recipe in served:
            if recipe >= 0:
                uses[recipe][column] = 1.0
    for cover, of in zip(covers, pool.kinds, strict=True):
        days = float(of.count)
        if missing:
            cover[program.column(MISSING_DAY, upper=days)] = 1.0
        program.row(cover, days, days)
    for use in uses.values():
        repeats = program.column(REPEAT)
        program.row({**use, repeats: -1.0}, upper=1.0)
        program.row(use, upper=float(week.rules.max_repeats))
    return program


def _recipes_in(pool: Pool, columns: "Ints") -> "Ints":
    import numpy as np

    served = np.unique(pool.served[columns])
    return served[served >= 0]


def _cheapest_of_each_kind(pool: Pool, cost: "Floats") -> "Ints":
    import numpy as np

    order = _in_order(cost)
    return np.concatenate([order[pool.kind[order] == k][:BATCH] for k in range(len(pool.kinds))])


def _in_order(cost: "Floats") -> "Ints":
    """Cheapest first; equally cheap ones spread over all dishes instead of one dish with all its partners."""
    import numpy as np

    scattered = np.arange(len(cost), dtype=np.uint64) * np.uint64(SCATTER)
    return np.lexsort((scattered, cost.round(7)))
