"""`meals plan`, `accept`, `week`: the week ahead."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.contracts.plan_request import Lock, Skip

    from .session import Session

Week = Annotated[
    datetime | None,
    typer.Argument(formats=["%Y-%m-%d"], help="Any day of the week, YYYY-MM-DD; this week without it.", metavar="DAY"),
]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(accept)
    app.command()(week)


def plan(
    day: Week = None,
    person: Annotated[
        list[str] | None, typer.Option("--for", help="Who eats; repeat it. Everybody without it.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="A word no dish may carry; repeat it.")] = None,
    lock: Annotated[list[str] | None, typer.Option(help="A decided meal, as fri:dinner=RECIPE; repeat it.")] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="A meal nobody needs, as tue:lunch, or one person, tue:lunch=ada.")
    ] = None,
    meal: Annotated[list[str] | None, typer.Option(help="Meals of a day; repeat it. All four without it.")] = None,
    max_minutes: Annotated[int | None, typer.Option(help="No dish that takes longer.")] = None,
    max_repeats: Annotated[int, typer.Option(help="How often one dish may be served in the week.")] = 2,
    kcal_tolerance: Annotated[float, typer.Option(help="How far a day's energy may be off, in percent.")] = 5,
    macro_tolerance: Annotated[float, typer.Option(help="The same for protein, carbohydrates and fat.")] = 10,
    seed: Annotated[int, typer.Option(help="Another number breaks ties another way.")] = 0,
) -> None:
    """Find the week of meals that meets everybody's targets, and show it.

    When no week can, the rules that cannot hold together are named.
    Example: meals plan --exclude peanut --lock fri:dinner=salmon-with-potatoes --skip wed:lunch
    """
    from meal_assets.commands.plan import request_plan
    from meal_assets.contracts.plan_request import PlanRules

    from .session import monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        rules = PlanRules.model_validate(
            {
                "exclude": exclude or [],
                "locks": [_lock(text, monday) for text in lock or []],
                "skips": [_skip(text, monday) for text in skip or []],
                "max_minutes": max_minutes,
                "max_repeats": max_repeats,
                "kcal_tolerance_pct": kcal_tolerance,
                "macro_tolerance_pct": macro_tolerance,
                **({"meals": meal} if meal else {}),
            }
        )
        accepted = request_plan(s.store, monday, s.origin(), persons=person or (), rules=rules, seed=seed)
        s.settle("Planning")
        _report(s, accepted.correlation_id, monday)


def accept(day: Week = None) -> None:
    """Cook the week as it is planned, also when it is planned anew later; what is to be published is.

    `meals flags set tandoor.meal_plan on` publishes it in Tandoor's meal plan, `tandoor.shopping_list` in its shopping
    list. Said again, entries that were deleted there are made again.
    """
    from meal_assets.commands.plan import accept_plan
    from meal_assets.contracts.publication import ListPublished, WeekPublished
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Permanent

    from .session import console, monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        accepted = accept_plan(s.store, monday, s.origin())
        console.print(f"The week of {monday:%d %B} is accepted.", highlight=False)
        s.settle("Publishing")
        for recorded in s.store.read_correlation(accepted.correlation_id, accepted.position):
            match recorded.event:
                case DeadLettered() as letter:
                    raise Permanent(letter.error.removeprefix("Permanent: "))
                case WeekPublished() as published:
                    console.print(f"{len(published.meals)} meals are in Tandoor's meal plan.", highlight=False)
                case ListPublished() as published:
                    console.print(f"{len(published.items)} lines are in Tandoor's shopping list.", highlight=False)


def week(day: Week = None) -> None:
    """Show a planned week, each day beside its targets."""
    from .session import monday_of, session

    with session() as s:
        s.settle("Looking")
        show_week(s, monday_of(s.day(day)))


def show_week(s: "Session", monday: date) -> None:
    """Print the week as it stands, or how to get one."""
    from meal_assets.read_models import asking
    from meal_assets.read_models.week_plan import WeekPlan, planned_week

    from .session import console, tell_position
    from .tables import totals_table, week_table

    with asking(s.store, WeekPlan) as (db, position):
        found = planned_week(db, s.household, monday)
    if found is None:
        console.print(f"No plan for the week of {monday:%d %B} yet: `meals plan {monday}`")
        return
    if found.cells:
        console.print(week_table(found))
        console.print(totals_table(found.days))
    if found.proof:
        proof = found.proof
        console.print(
            f"Objective {proof['objective']:.3f}, no week can be below {proof['lower_bound']:.3f}"
            f" (gap {proof['gap']:.1%}); {found.considered} dishes considered, {proof['solver']}.",
            style="dim",
            highlight=False,
        )
    if found.state == "rejected":
        console.print("[red]The last request could not be met.[/] These rules cannot hold together:")
        for rule, detail in found.conflicts:
            console.print(f"  [bold]{rule}[/]: {detail}", highlight=False)
    if found.left_out:
        why = ", ".join(f"{n} with {reason}" for reason, n in found.left_out.items())
        console.print(f"Not considered: {why}.", style="dim", highlight=False)
    tell_position(position)


def _report(s: "Session", correlation_id: object, monday: date) -> None:
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Permanent

    for recorded in s.store.read_correlation(correlation_id):
        if isinstance(recorded.event, DeadLettered):
            raise Permanent(recorded.event.error.removeprefix("Permanent: "))
    show_week(s, monday)


def _lock(text: str, monday: date) -> "Lock":
    from meal_assets.contracts.plan_request import Lock

    slot, _, recipe = text.partition("=")
    day, meal = _slot("--lock", slot, monday)
    return Lock.model_validate({"day": day, "meal": meal, "recipe": recipe})


def _skip(text: str, monday: date) -> "Skip":
    from meal_assets.contracts.plan_request import Skip

    slot, _, person = text.partition("=")
    day, meal = _slot("--skip", slot, monday)
    return Skip.model_validate({"day": day, "meal": meal, "person": person or None})


def _slot(option: str, text: str, monday: date) -> tuple[date, str]:
    from meal_assets.errors import Invalid

    weekday, _, meal = text.partition(":")
    if weekday[:3].casefold() not in WEEKDAYS or not meal:
        raise Invalid(option, f"{text!r} is not like fri:dinner")
    return monday + timedelta(days=WEEKDAYS.index(weekday[:3].casefold())), meal.casefold()
