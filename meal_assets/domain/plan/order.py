"""Which menu on which day: equal ones apart, and what is left over after it was cooked, while it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kinds import Kind
from .week import DAYS, Week

if TYPE_CHECKING:
    from .kinds import Floats, Ints
    from .master import Pool

WEEKS, MENUS = 60, 15
"""Unfinished weeks that are gone on with, and menus with the same leftovers that each is gone on with."""

Servings = Sequence[tuple[int, bool]]
"""The recipes of a menu, each with whether it is left over."""


def arranged(week: Week, kinds: Sequence[Kind], menus: Sequence[tuple[int, Servings]]) -> list[int] | None:
    """The menus, each of a kind, in the order of the days that have courses; None when there is no such order."""
    of_day = [next(k for k, kind in enumerate(kinds) if kind.day == day) for day in week.days if day.courses]
    numbers = [n for n, day in enumerate(week.days) if day.courses]
    left = _spread(menus)
    order: list[int] = []

    def place(at: int, cooked: dict[int, int]) -> bool:
        if at == len(of_day):
            return True
        tried = set()
        for menu in [m for m in left if menus[m][0] == of_day[at]]:
            served = tuple(menus[menu][1])
            if served in tried or not _keeps(week, served, cooked, numbers[at]):
                continue
            tried.add(served)
            left.remove(menu)
            order.append(menu)
            if place(at + 1, cooked | {recipe: numbers[at] for recipe, again in served if not again}):
                return True
            order.pop()
            left.append(menu)
            left.sort(key=spread.index)
        return False

    spread = list(left)
    return order if place(0, {}) else None


def _keeps(week: Week, served: Servings, cooked: dict[int, int], day: int) -> bool:
    """Whether all that is left over was cooked on one of the days before that it keeps."""
    return all(day - cooked.get(recipe, -DAYS * 2) <= week.rules.leftover_days for recipe, again in served if again)


def _spread(menus: Sequence[tuple[int, Servings]]) -> list[int]:
    """Of each kind every second, then the rest: equal menus follow each other in `menus`."""
    found: list[int] = []
    for kind in sorted({k for k, _ in menus}):
        mine = [n for n, (k, _) in enumerate(menus) if k == kind]
        found += mine[::2] + mine[1::2]
    return found


@dataclass(frozen=True, slots=True)
class _Begun:
    """The first days of a week: its menus, what they cost above their days' prices, and when each recipe was cooked."""

    menus: tuple[int, ...]
    excess: float
    cooked: dict[int, int]
    counts: dict[int, int]


def in_sequence(week: Week, pool: "Pool", columns: "Ints", excess: "Floats") -> tuple[int, ...] | None:
    """A good week of these menus, built day by day so that leftovers follow their cooking: a beam search.

    `excess` of each menu of the pool guides it. None when it ends in none that keeps the rules of the week.
    """
    number = {kind.day: k for k, kind in enumerate(pool.kinds)}
    by_leftovers: dict[tuple[int, frozenset[int]], list[int]] = {}
    for menu in sorted(columns.tolist(), key=lambda m: (excess[m], m)):
        again = frozenset(recipe for recipe, left in pool.servings(menu) if left)
        by_leftovers.setdefault((int(pool.kind[menu]), again), []).append(menu)
    begun = [_Begun((), 0.0, {}, {})]
    for at, day in enumerate(week.days):
        if not day.courses:
            continue
        longer = []
        for before in begun:
            fresh = {r for r, cooked in before.cooked.items() if at - cooked <= week.rules.leftover_days}
            for again in (frozenset[int](), *(frozenset({r}) for r in sorted(fresh))):
                for menu in by_leftovers.get((number[day], again), ())[:MENUS]:
                    if (one := _longer(pool, before, menu, at, float(excess[menu]))) is not None:
                        longer.append(one)
        begun = sorted(longer, key=lambda b: (b.excess + pool.tallied(b.counts), b.menus))[:WEEKS]
    whole = [(pool.cost_of(b.menus), b.menus) for b in begun if pool.keeps_tallies(b.menus)]
    return min(whole)[1] if whole else None


def _longer(pool: "Pool", before: _Begun, menu: int, day: int, excess: float) -> _Begun | None:
    counts = dict(before.counts)
    for what in pool.servables_of(menu):
        counts[what] = counts.get(what, 0) + 1
    if not pool.within_most(counts):
        return None
    cooked = before.cooked | {recipe: day for recipe, left in pool.servings(menu) if not left}
    return _Begun((*before.menus, menu), before.excess + excess, cooked, counts)
