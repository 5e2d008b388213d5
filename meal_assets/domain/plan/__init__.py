"""Plans a week of meals: shared dishes, own portions, every hard rule kept, and a proof of how good the week is."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from ...contracts.plan import PlanGenerated, PlannedDay, PlannedMeal, PlanRejected
from ...contracts.plan_request import PlanRules
from ...contracts.values import MEALS, Meal, Nutrients
from .conflicts import explain
from .funnel import shortages
from .report import days, meals, proof, tables_of
from .search import Nothing, search
from .solver import Solver
from .week import Dish, Eater, week_of
from .week import left_out as why_not

NOTHING_LEFT_OUT: Mapping[str, int] = MappingProxyType({})
"""No recipe was left out."""

__all__ = ["ANEW", "Dish", "Eater", "UnderWay", "plan_week"]


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A week that is planned anew: what was planned of it, and how far it has gone."""

    plan: PlanGenerated | None = None
    keep: float = 0.0
    """What changing a meal of the plan costs."""
    since: date | None = None
    """The first day that is planned; those before stay as they were planned."""
    eaten: Mapping[tuple[date, str], Nutrients] = field(default_factory=dict)
    """What each person has eaten of a day already."""
    done: frozenset[tuple[date, Meal]] = frozenset()
    """Meals that are over."""

    def stays(self, day: date, meal: Meal) -> bool:
        """Whether it is not planned any more."""
        return (self.since is not None and day < self.since) or (day, meal) in self.done

    @property
    def recipes(self) -> dict[tuple[date, Meal], str]:
        """What was planned for each meal."""
        return {(m.day, m.meal): m.recipe for m in self.plan.meals} if self.plan else {}

    def past_meals(self) -> list[PlannedMeal]:
        """As they were planned."""
        return [m for m in self.plan.meals if self.stays(m.day, m.meal)] if self.plan else []

    def past_days(self, anew: Sequence[PlannedDay]) -> list[PlannedDay]:
        """As they were planned: the days before, and those of persons whose meals of the first day are all over."""
        if self.plan is None or self.since is None:
            return []
        planned = {(d.day, d.person) for d in anew}
        return [d for d in self.plan.days if d.day <= self.since and (d.day, d.person) not in planned]


ANEW = UnderWay()
"""Nothing was planned."""


def plan_week(
    week: date,
    eaters: Sequence[Eater],
    dishes: Sequence[Dish],
    rules: PlanRules,
    *,
    seed: int = 0,
    position: int = 0,
    left_out: Mapping[str, int] = NOTHING_LEFT_OUT,
    under_way: UnderWay = ANEW,
    progress: Callable[[str], None] | None = None,
) -> PlanGenerated | PlanRejected:
    """The best week from Monday `week` on, or the rules that cannot hold together.

    The caller has taken out what cannot be eaten and says so in `left_out`; dishes that the rules leave out of the
    whole week are added to it. A person who skips every meal of a day is away that day. The same input in any order
    gives the same plan; `seed` decides between equally good ones.
    """
    say = progress or (lambda _: None)
    solver = Solver()
    problem = week_of(
        week, eaters, dishes, rules, seed,
        keep=under_way.keep, before=under_way.recipes, since=under_way.since, eaten=under_way.eaten,
        done=under_way.done,
    )  # fmt: skip
    reasons = Counter(left_out)
    locked = {d.recipe for d in problem.locked_in}
    reasons.update(why for d in dishes if d.recipe not in locked and (why := why_not(d, week, rules)))
    context: dict[str, Any] = {
        "week": week,
        "considered": len(problem.known),
        "left_out": dict(sorted(reasons.items())),
        "library_position": position,
    }
    say(f"{len(problem.known)} dishes for {len(eaters)} persons")
    if conflicts := shortages(problem, reasons):
        return PlanRejected(conflicts=conflicts, **context)
    found = search(problem, solver, say) if any(day.courses for day in problem.days) else None
    if isinstance(found, Nothing):
        say("no week keeps every rule; looking for the rules in the way")
        return PlanRejected(conflicts=explain(problem, found, solver), **context)
    tables = tables_of(problem, found) if found else []
    served, anew = [*under_way.past_meals(), *meals(problem, tables)], days(problem, tables)
    return PlanGenerated(
        meals=tuple(sorted(served, key=lambda m: (m.day, MEALS.index(m.meal)))),
        days=(*under_way.past_days(anew), *anew),
        proof=proof(problem, tables, found.choice.bound if found else 0.0, solver),
        **context,
    )
