"""Plans a week of meals: shared dishes, own portions, every hard rule kept, and a proof of how good the week is."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from ...contracts.plan import PlanGenerated, PlanRejected
from ...contracts.plan_request import PlanRules
from .conflicts import explain
from .funnel import shortages
from .report import days, meals, proof, tables_of
from .search import Nothing, search
from .solver import Solver
from .week import Dish, Eater, too_long, week_of

NOTHING_LEFT_OUT: Mapping[str, int] = MappingProxyType({})
"""No recipe was left out."""

__all__ = ["Dish", "Eater", "plan_week"]


def plan_week(
    week: date,
    eaters: Sequence[Eater],
    dishes: Sequence[Dish],
    rules: PlanRules,
    *,
    seed: int = 0,
    position: int = 0,
    left_out: Mapping[str, int] = NOTHING_LEFT_OUT,
    progress: Callable[[str], None] | None = None,
) -> PlanGenerated | PlanRejected:
    """The best week from Monday `week` on, or the rules that cannot hold together.

    The caller has taken out what cannot be eaten and says so in `left_out`; dishes above `rules.max_minutes` are
    added to it. A person who skips every meal of a day is away that day. The same input in any order gives the same
    plan; `seed` decides between equally good ones.
    """
    say = progress or (lambda _: None)
    solver = Solver()
    problem = week_of(week, eaters, dishes, rules, seed)
    long = sum(too_long(d, rules) for d in dishes) - len(problem.locked_in)
    reasons = Counter(left_out)
    if long:
        reasons[f"longer than {rules.max_minutes} minutes"] += long
    context: dict[str, Any] = {
        "week": week,
        "considered": len(dishes) - long,
        "left_out": dict(sorted(reasons.items())),
        "library_position": position,
    }
    say(f"{len(dishes) - long} dishes for {len(eaters)} persons")
    if conflicts := shortages(problem, reasons):
        return PlanRejected(conflicts=conflicts, **context)
    found = search(problem, solver, say) if any(problem.days) else None
    if isinstance(found, Nothing):
        say("no week keeps every rule; looking for the rules in the way")
        return PlanRejected(conflicts=explain(problem, found, solver), **context)
    tables = tables_of(problem, found) if found else []
    return PlanGenerated(
        meals=meals(problem, tables),
        days=days(problem, tables),
        proof=proof(problem, tables, found.choice.bound if found else 0.0, solver),
        **context,
    )
