"""`meals plan`, `accept`, `week`: the week ahead."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .session import Session

Week = Annotated[
    datetime | None,
    typer.Argument(formats=["%Y-%m-%d"], help="Any day of the week, YYYY-MM-DD; this week without it.", metavar="DAY"),
]


def add_to(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(accept)
    app.command()(week)


def plan(
    day: Week = None,
    person: Annotated[
        list[str] | None, typer.Option("--for", help="Who eats; repeat it. Everybody without it.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A word no dish may carry, or all of nuts, dairy, gluten; repeat it.")
    ] = None,
    lock: Annotated[list[str] | None, typer.Option(help="A decided meal, as fri:dinner=RECIPE; repeat it.")] = None,
    skip: Annotated[
        list[str] | None, typer.Option(help="A meal nobody needs, as tue:lunch, or one person, tue:lunch=ada.")
    ] = None,
    away: Annotated[
        list[str] | None, typer.Option(help="A travel day, as fri, or of one person, fri=ada; repeat it.")
    ] = None,
    meal: Annotated[list[str] | None, typer.Option(help="Meals of a day; repeat it. All four without it.")] = None,
    diet: Annotated[
        list[str] | None, typer.Option(help="A diet every dish fits, as vegetarian, gluten-free; repeat it.")
    ] = None,
    cuisine: Annotated[list[str] | None, typer.Option(help="Only dishes of this cuisine; repeat it.")] = None,
    include: Annotated[list[str] | None, typer.Option(help="A recipe to serve at least once; repeat it.")] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="What a day holds, as 'fiber>=28', 'sodium<=2300'; 'ada:sugar<=50' for one person, '@0.5' behind it"
            " where missing it by a percent only costs so much. Of fiber, sugar, saturated, sodium; repeat it."
        ),
    ] = None,
    share: Annotated[
        list[str] | None, typer.Option(help="Percent of a day's energy in a meal, as breakfast=15-30; repeat it.")
    ] = None,
    minutes: Annotated[
        list[str] | None, typer.Option(help="No dish that takes longer on that day, as mon=30; repeat it.")
    ] = None,
    max_minutes: Annotated[int | None, typer.Option(help="No dish that takes longer on the other days.")] = None,
    difficulty: Annotated[
        str | None, typer.Option(help="easy: under 30 minutes, medium: up to 60, hard: however long.")
    ] = None,
    max_repeats: Annotated[int, typer.Option(help="How often one dish may be served in the week.")] = 2,
    same_protein: Annotated[
        int | None, typer.Option(help="How many dishes may have the same main protein, as beef or beans.")
    ] = None,
    same_cuisine: Annotated[int | None, typer.Option(help="How many dishes may be of the same cuisine.")] = None,
    cooldown: Annotated[int, typer.Option(help="Days before a dish comes again, also after last week's.")] = 0,
    leftovers: Annotated[int, typer.Option(help="Days for which a dish keeps, to be lunch again.")] = 0,
    pantry: Annotated[bool, typer.Option("--pantry", help="First what is at home, and what goes off before.")] = False,
    relax: Annotated[
        bool, typer.Option("--relax", help="The nearest week where none meets every target and repeats little.")
    ] = False,
    kcal_tolerance: Annotated[float, typer.Option(help="How far a day's energy may be off, in percent.")] = 5,
    macro_tolerance: Annotated[float, typer.Option(help="The same for protein, carbohydrates and fat.")] = 10,
    seed: Annotated[int, typer.Option(help="Another number breaks ties another way.")] = 0,
) -> None:
    """Find the week of meals that meets everybody's targets, and show it.

    When no week can, the rules that cannot hold together are named. What persons never eat and the diets they keep
    (`meals profile ada --diet vegetarian`) hold anyway, and dishes they rated well (`meals rate`) come first.
    Examples: meals plan --exclude nuts --lock fri:dinner=salmon-with-potatoes --skip wed:lunch ·
    meals plan --diet vegetarian --limit 'fiber>=28' --minutes mon=30 --cooldown 10 --leftovers 2 --pantry
    """
    from meal_assets.commands.plan import request_plan
    from meal_assets.contracts.plan_request import PlanRules

    from . import wanted
    from .session import monday_of, session

    with session() as s:
        monday = monday_of(s.day(day))
        rules = PlanRules.model_validate(
            {
                "exclude": exclude or [],
                "locks": [wanted.lock(text, monday) for text in lock or []],
                "skips": [
                    *(wanted.skip(text, monday) for text in skip or []),
                    *(one for text in away or [] for one in wanted.away(text, monday, meal)),
                ],
                "limits": wanted.limits(limit or []),
                "shares": [wanted.share(text) for text in share or []],
                "weekday_minutes": wanted.minutes(minutes or []),
                "max_minutes": wanted.most_minutes(max_minutes, difficulty),
                "max_repeats": max_repeats,
                "diets": diet or [],
                "cuisines": cuisine,
                "include": include or [],
                "most_of_a_protein": same_protein,
                "most_of_a_cuisine": same_cuisine,
                "cooldown_days": cooldown,
                "leftover_days": leftovers,
                "use_pantry": pantry,
                "relax": relax,
                "kcal_tolerance_pct": kcal_tolerance,
                "macro_tolerance_pct": macro_tolerance,
                **({"meals": meal} if meal else {}),
            }
        )
        accepted = request_plan(s.store, monday, s.origin(), persons=person or (), rules=rules, seed=seed)
        s.settle("Planning")
        report(s, accepted.correlation_id, monday)


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
        why = ", ".join(f"{n} ({reason})" for reason, n in found.left_out.items())
        console.print(f"Not considered: {why}.", style="dim", highlight=False)
    tell_position(position)


def report(s: "Session", correlation_id: object, monday: date) -> None:
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Permanent

    for recorded in s.store.read_correlation(correlation_id):
        if isinstance(recorded.event, DeadLettered):
            raise Permanent(recorded.event.error.removeprefix("Permanent: "))
    show_week(s, monday)
