"""The week over day menus: which menu for which kind of day, so that recipes repeat as little as possible.

Its linear relaxation prices every recipe; with these prices any set of menus gives a bound that no week can beat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
MOST_COLUMNS = 1_500
"""Menus the integer program chooses among."""
NODES = 300


@dataclass(frozen=True, slots=True)
class Pool:
    """All menus at hand: `kind[n]` indexes `kinds`, `row[n]` its rows, `served[n]` indices of `recipes`, or -1."""

    kinds: tuple[Menus, ...]
    days: tuple[int, ...]
    """How many days there are of each kind."""
    recipes: tuple[str, ...]
    kind: "Ints"
    row: "Ints"
    cost: "Floats"
    served: "Ints"

    def prices(self, price: "Floats") -> "Floats":
        """The sum of the prices of each menu's recipes."""
        import numpy as np

        padded = np.append(price, 0.0)
        total: Floats = padded[self.served].sum(axis=1)
        return total


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The relaxed week: what each menu costs above the cheapest of its kind at the recipes' prices, and the bound."""

    excess: "Floats"
    unseen: float
    """No menu outside the pool is less than this above the cheapest of its kind."""
    bound: float
    feasible: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A week as indices into the pool, one for each day, kind by kind, and a bound that no week of any menus can beat.

    No menus and an infinite cost when nothing was found; the bound is infinite when there is nothing to find.
    """

    menus: tuple[int, ...]
    cost: float
    bound: float


def pool_of(week: Week, kinds: Sequence[Menus]) -> Pool:
    """The menus of all kinds of day side by side."""
    import numpy as np

    recipes = tuple(sorted({d.recipe for m in kinds for dishes in m.choices for d in dishes}))
    number = {recipe: n for n, recipe in enumerate(recipes)}
    served = np.full((sum(len(m.cost) for m in kinds), max((len(m.day) for m in kinds), default=0)), -1, dtype=np.int64)
    start = 0
    for menus in kinds:
        for n, dishes in enumerate(menus.choices):
            of_course = np.array([number[d.recipe] for d in dishes], dtype=np.int64)
            served[start : start + len(menus.cost), n] = of_course[menus.dishes[:, n]]
        start += len(menus.cost)
    return Pool(
        tuple(kinds),
        tuple(week.days.count(m.day) for m in kinds),
        recipes,
        np.repeat(np.arange(len(kinds)), [len(m.cost) for m in kinds]),
        np.concatenate([np.arange(len(m.cost)) for m in kinds]),
        np.concatenate([m.cost for m in kinds]),
        served,
    )


def relax(week: Week, pool: Pool, solver: Solver) -> Relaxation:
    """Solve the relaxed week by column generation over the pool; its prices are those of the menus at hand."""
    return _relax(week, pool, [MISSING_DAY] * len(pool.kinds), solver)


def optimistic_bound(week: Week, pool: Pool, solver: Solver) -> float:
    """The relaxed week when every missing menu is as cheap as it can be and uses no recipe: no week is cheaper."""
    return _relax(week, pool, [min(MISSING_DAY, m.reach) for m in pool.kinds], solver).bound


def _relax(week: Week, pool: Pool, missing: list[float], solver: Solver) -> Relaxation:
    import numpy as np

    chosen = np.zeros(0, dtype=np.int64)
    price, feasible = np.zeros(len(pool.recipes)), False
    lowest = np.zeros(len(pool.kinds))
    for _ in range(ROUNDS):
        reduced = pool.cost + pool.prices(price) - lowest[pool.kind]
        new = np.setdiff1d(_cheapest_of_each_kind(pool, reduced if len(chosen) else pool.cost), chosen)
        new = new[reduced[new] < -IMPROVES] if len(chosen) else new
        if len(chosen) and len(new) == 0:
            break
        chosen = np.union1d(chosen, new)
        solution = solver.minimise(_program(week, pool, chosen, missing), relax=True)
        kinds = len(pool.kinds)
        lowest = np.array(solution.duals[:kinds])
        repeats, limits = np.reshape(solution.duals[kinds:], (-1, 2)).T
        price = np.zeros(len(pool.recipes))
        price[_recipes_in(pool, chosen)] = -(repeats + limits)
        feasible = max(solution.values[len(chosen) :][:kinds]) < IMPROVES
        constant = float(repeats.sum() + week.rules.max_repeats * limits.sum())
    priced = pool.cost + pool.prices(price)
    floors = np.array([m.reach for m in pool.kinds])
    least = np.array([priced[pool.kind == k].min(initial=INFINITY) for k in range(len(pool.kinds))])
    floor = np.minimum(least, floors)
    bound = float(floor @ np.array(pool.days)) + constant
    return Relaxation(priced - floor[pool.kind], float((floors - floor).min()), bound, feasible)


def choose(week: Week, pool: Pool, relaxation: Relaxation, known: float, solver: Solver) -> Choice:
    """The cheapest week found among the menus that can be part of one cheaper than `known`."""
    import numpy as np

    order = _in_order(relaxation.excess)
    near = relaxation.excess[order] <= known - relaxation.bound + IMPROVES
    columns, rest = np.sort(order[near][:MOST_COLUMNS]), np.append(order[near][MOST_COLUMNS:], order[~near])
    left_out = min(relaxation.unseen, relaxation.excess[rest].min(initial=INFINITY))
    solution = solver.minimise(_program(week, pool, columns, None), nodes=NODES)
    bound = max(relaxation.bound, min(solution.bound, relaxation.bound + left_out))
    if not solution.values:
        return Choice((), INFINITY, bound)
    counts = np.round(solution.values[: len(columns)]).astype(int)
    return Choice(tuple(np.repeat(columns, counts).tolist()), solution.objective, bound)


def _program(week: Week, pool: Pool, columns: "Ints", missing: list[float] | None) -> Program:
    """A day without a menu costs `missing` of its kind, or is not allowed.

    Rows: the days of each kind; then for each recipe in `_recipes_in` its repeats and its limit.
    """
    program = Program()
    covers: list[dict[int, float]] = [{} for _ in pool.kinds]
    uses: dict[int, dict[int, float]] = {recipe: {} for recipe in _recipes_in(pool, columns).tolist()}
    for n in columns.tolist():
        kind = int(pool.kind[n])
        column = program.column(float(pool.cost[n]), upper=float(pool.days[kind]), integer=True)
        covers[kind][column] = 1.0
        for recipe in pool.served[n].tolist():
            if recipe >= 0:
                uses[recipe][column] = 1.0
    for kind, cover in enumerate(covers):
        days = float(pool.days[kind])
        if missing is not None:
            cover[program.column(missing[kind], upper=days)] = 1.0
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
