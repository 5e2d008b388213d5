"""Rules of the whole week: how many servings of some recipes there may be, must be, and what more of them cost."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .kinds import recipes_of
from .score import REPEAT
from .solver import INFINITY
from .week import DAYS, Dish, Week

if TYPE_CHECKING:
    from .kinds import Ints

TIMES_AGAIN = 2
"""How often what is cooked once may be eaten again."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum over what is served in the week, each serving with its weight: from `least` to `most`, each above `free`
    costs `price`.
    """

    rule: str
    served: "Ints"
    """As indices of `Kind.servables`."""
    weight: tuple[float, ...]
    least: float = 0.0
    most: float = INFINITY
    free: float = INFINITY
    price: float = 0.0


def most_servings(week: Week) -> int:
    """How often a recipe may be served in the week."""
    if week.rules.relax:
        return 28
    return 1 if week.rules.cooldown_days >= DAYS else week.rules.max_repeats


def tallies_of(week: Week) -> tuple[Tally, ...]:
    """All of them: those of each recipe, of what is left over, and of the groups that rules name."""
    import numpy as np

    recipes = recipes_of(week)
    again, left = len(recipes), week.rules.leftover_days > 0
    most, found = most_servings(week), []
    for n, recipe in enumerate(recipes):
        found.append(Tally("", np.array([n]), (1.0,), free=1.0, price=REPEAT * len(week.eaters)))
        both = np.array([n, n + again] if left else [n])
        name = f"at most {most} servings of a recipe a week"
        found.append(Tally(name, both, (1.0,) * len(both), most=float(most)))
        if left:
            name = f"{recipe} is left over only after it was cooked"
            found.append(Tally(name, np.array([n, n + again]), (-float(TIMES_AGAIN), 1.0), least=-INFINITY, most=0.0))
    if left:
        days = sum(bool(day.courses) for day in week.days)
        found.append(
            Tally("nothing is left over on the first day", np.arange(again, 2 * again), (1.0,) * again, most=days - 1.0)
        )
    number = {recipe: n for n, recipe in enumerate(recipes)}
    for recipe in sorted(set(week.rules.include)):
        if recipe in number:
            found.append(Tally(f"{recipe} is served", np.array([number[recipe]]), (1.0,), least=1.0))
    for name, most_of, group in _groups(week):
        members = np.array([number[d.recipe] for d in group])
        members = np.concatenate([members, members + again]) if left else members
        found.append(Tally(name, members, (1.0,) * len(members), most=float(most_of)))
    return tuple(found)


def _groups(week: Week) -> Iterator[tuple[str, int, list[Dish]]]:
    dishes = [week.known[recipe] for recipe in recipes_of(week)]
    if most := week.rules.most_of_a_protein:
        for protein in sorted({d.protein for d in dishes if d.protein}):
            yield f"at most {most} dishes of {protein} a week", most, [d for d in dishes if d.protein == protein]
    if most := week.rules.most_of_a_cuisine:
        for cuisine in sorted({d.cuisine for d in dishes if d.cuisine}):
            yield f"at most {most} {cuisine} dishes a week", most, [d for d in dishes if d.cuisine == cuisine]
