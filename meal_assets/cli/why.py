"""`meals why`, `why-not`, `swap`, `replan`: what a week would be with another rule, and having it so."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .week import Week, report

if TYPE_CHECKING:
    from meal_assets.consumers.alternatives import Asked
    from meal_assets.contracts.plan_request import PlanRules

    from .session import Session

Slot = Annotated[str, typer.Argument(help="The day and the meal, as fri:dinner.", metavar="SLOT")]
MOST_CHANGES = 6
"""Meals shown that would be another."""
WORDS = {
    "deviation": "distance from the targets",
    "portions": "large and small portions",
    "repeats": "repeated dishes",
    "liking": "dishes liked less",
    "cooking": "cooking",
    "changes": "changed meals",
}


def add_to(app: typer.Typer) -> None:
    app.command()(why)
    app.command("why-not")(why_not)
    app.command()(swap)
    app.command()(replan)


def why(slot: Slot, day: Week = None) -> None:
    """Tell why a meal is in the week: what the best week without it would cost, and what would be eaten.

    A cost of 1 is one percent by which one nutrient of one person misses its target on one day.
    Example: meals why fri:dinner
    """
    from . import wanted
    from .session import console, monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        asked = _asked(s, monday)
        at, meal = wanted.meal_slot("SLOT", slot, monday)
        dish = asked.at(at, meal)
        who = ", ".join(f"{person} {portion:g}" for person, portion in sorted(dish.portions.items()))
        console.print(f"[bold]{dish.title}[/] ({who}) is planned for {meal} on {at:%A}.", highlight=False)
        _compare(asked, asked.without(dish), "Without it")


def why_not(
    recipe: Annotated[str, typer.Argument(help="A recipe, by its id or title.")], slot: Slot, day: Week = None
) -> None:
    """Tell why a dish is not served at a meal: it was left out, or what the week with it would cost.

    Example: meals why-not shakshuka sun:breakfast
    """
    from meal_assets.commands.ratings import recipe_known

    from . import wanted
    from .session import monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        asked = _asked(s, monday)
        at, meal = wanted.meal_slot("SLOT", slot, monday)
        name = recipe_known(s.store, recipe, s.household)
        _compare(asked, asked.with_dish(at, meal, name), "With it")


def swap(slot: Slot, day: Week = None) -> None:
    """Have another dish at one meal; the rest of the week stays. Example: meals swap fri:dinner"""
    from meal_assets.commands.plan import swap_meal

    from . import wanted
    from .session import monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        at, meal = wanted.meal_slot("SLOT", slot, monday)
        accepted = swap_meal(s.store, monday, at, meal, s.origin())
        s.settle("Planning")
        report(s, accepted.correlation_id, monday)


def replan(
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day that may change; today without it.")
    ] = None,
    keep: Annotated[float, typer.Option(help="What each changed meal costs; 0 changes freely.")] = 2.0,
) -> None:
    """Plan the rest of the week anew from what was eaten, with as few changes as are worth it.

    Meals of that day that were logged, and those before them, are over: their food counts.
    """
    from meal_assets.commands.plan import replan as again

    from .session import monday_of, session

    with session() as s:
        first = s.day(since)
        monday = monday_of(first)
        accepted = again(s.store, monday, s.origin(), since=first, keep=keep)
        s.settle("Planning")
        report(s, accepted.correlation_id, monday)


def _asked(s: "Session", monday: date) -> "Asked":
    from meal_assets.consumers.alternatives import asked

    return asked(s.store, s.household, monday)


def _compare(asked: "Asked", rules: "PlanRules", what: str) -> None:
    from meal_assets.consumers.problem import planned
    from meal_assets.contracts.plan import PlanRejected
    from meal_assets.domain.plan.difference import NOTHING, difference

    from .session import console

    with console.status(f"{what}: planning"):
        other = planned(asked.problem, rules, asked.request.position)
    if isinstance(other, PlanRejected):
        console.print(f"{what} no week keeps every rule:")
        for conflict in other.conflicts:
            console.print(f"  [bold]{conflict.rule}[/]: {conflict.detail}", highlight=False)
        return
    found = difference(asked.plan, other)
    if abs(found.cost) <= NOTHING:
        console.print(f"{what} a week is as good.", highlight=False)
    else:
        word = "more" if found.cost > 0 else "less"
        console.print(f"{what} the best week costs {abs(found.cost):.2f} {word}:", highlight=False)
        for name, cost in sorted(found.terms.items(), key=lambda term: -abs(term[1])):
            console.print(f"  {WORDS.get(name, name)} {cost:+.2f}", highlight=False)
    for was, would in found.changed[:MOST_CHANGES]:
        one = was or would
        assert one is not None
        titles = [m.title if m else "nothing" for m in (was, would)]
        console.print(f"  {one.day:%a} {one.meal}: {titles[0]} → {titles[1]}", highlight=False)
    if len(found.changed) > MOST_CHANGES:
        console.print(f"  and {len(found.changed) - MOST_CHANGES} other meals", style="dim", highlight=False)
