"""Which menu on which day: equal ones apart, and what is left over after it was cooked, while it keeps."""

from collections.abc import Sequence

from .kinds import Kind
from .week import DAYS, Week

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
