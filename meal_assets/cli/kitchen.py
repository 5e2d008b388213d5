"""`meals shopping`, `prep`, `pantry`: from a planned week to the kitchen."""

from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .week import Week

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meal_assets.contracts.values import Meal
    from meal_assets.domain.prep import Step
    from meal_assets.domain.shop import ToBuy

    from .session import Session

pantry = typer.Typer(help="What is at home: the shopping list needs that much less.", no_args_is_help=True)
Item = Annotated[str, typer.Argument(help="What it is, as a recipe would call it: red lentils.")]


def add_to(app: typer.Typer) -> None:
    app.command()(shopping)
    app.command()(prep)
    app.add_typer(pantry, name="pantry")


def shopping(
    day: Week = None,
    tick: Annotated[list[str] | None, typer.Option(help="An item that is in the basket; repeat it.")] = None,
    untick: Annotated[list[str] | None, typer.Option(help="An item that is not; repeat it.")] = None,
) -> None:
    """Show what to buy for a week by aisle, less what is at home, in the packs it is sold in; and tick it off."""
    from meal_assets.commands.shopping import tick as tick_item
    from meal_assets.errors import Invalid
    from meal_assets.read_models.shopping_list import items_of

    from .session import console, monday_of, session, tell_position
    from .tables import shopping_table

    with session() as s:
        monday = monday_of(s.day(day))
        s.settle("Adding up")
        with s.store.database.transaction() as db:
            known = {i.item for i in items_of(db, s.household, monday)}
        origin = s.origin()
        for items, done in ((tick or [], True), (untick or [], False)):
            for item in items:
                if item not in known:
                    raise Invalid(item, "is not on the list: write it as `meals shopping` shows it")
                tick_item(s.store, monday, item, origin, done=done)
        s.settle("Ticking")
        lines, ticked, position = _to_buy(s, monday)
        if not lines:
            console.print(f"Nothing to buy for the week of {monday:%d %B}: `meals plan` first.")
        else:
            console.print(shopping_table(monday, lines, ticked))
            tell_position(position)


def prep(
    day: Week = None,
    ics: Annotated[
        Path | None, typer.Option(help="Write the meals and the steps into this iCalendar file.", dir_okay=False)
    ] = None,
) -> None:
    """Show what to cook when: batches, start times counted back from the meals, what to thaw.

    Times are those of the recipes; one that tells none is ready by its meal. A calendar that imports the file of a week
    again, also of one planned anew, replaces what it had. Example: meals prep --ics week.ics
    """
    from .session import console, monday_of, session
    from .tables import prep_table

    with session() as s:
        monday = monday_of(s.day(day))
        s.settle("Looking")
        times = _meal_times(s)
        steps = _steps(s, monday, times)
        if not steps:
            console.print(f"Nothing to cook in the week of {monday:%d %B}: `meals plan` first.")
            return
        console.print(prep_table(monday, steps, s.settings.zone))
        if ics is not None:
            ics.write_bytes(_calendar(s, monday, steps, times))
            console.print(f"{ics} can be imported into any calendar.", highlight=False)


@pantry.command()
def add(
    item: Item,
    amount: Annotated[float, typer.Argument(help="How much, as a number.")],
    unit: Annotated[str, typer.Argument(help="Of what: g, kg, ml, l, cup, can … Pieces without it.")] = "",
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day on which it is good.", metavar="DAY")
    ] = None,
    frozen: Annotated[
        bool, typer.Option("--frozen", help="It is in the freezer: `meals prep` says when to thaw.")
    ] = False,
) -> None:
    """Put something away. Example: meals pantry add "red lentils" 500 g --expires 2027-03-01"""
    from meal_assets.commands.pantry import stock

    from .session import session

    with session() as s:
        stock(s.store, item, amount, unit, s.origin(), expires=expires.date() if expires else None, frozen=frozen)
        _show_pantry(s)


@pantry.command()
def use(
    item: Item,
    amount: Annotated[float | None, typer.Argument(help="How much, as a number; all there is without it.")] = None,
    unit: Annotated[
        str, typer.Argument(help="In the unit in which `meals pantry list` shows it, or one like it.")
    ] = "",
) -> None:
    """Take something out, what expires first before the others. Example: meals pantry use "red lentils" 200 g"""
    from meal_assets.commands.pantry import use as take

    from .session import session

    with session() as s:
        take(s.store, item, None if amount is None else (amount, unit), s.origin())
        _show_pantry(s)


@pantry.command("list")
def show() -> None:
    """Show what is at home, what expires first before the others."""
    from .session import session

    with session() as s:
        _show_pantry(s)


def _show_pantry(s: "Session") -> None:
    from meal_assets.read_models.pantry import lots_in

    from .session import console
    from .tables import pantry_table

    s.settle("Looking")
    with s.store.database.transaction() as db:
        lots = lots_in(db, s.household)
    if lots:
        console.print(pantry_table(lots, s.settings.today()))
    else:
        console.print("The pantry is empty: `meals pantry add ITEM AMOUNT UNIT`")


def _to_buy(s: "Session", monday: date) -> tuple[list["ToBuy"], set[str], int]:
    """The week's list, which of its items are in the basket, and the position of the log that is in it."""
    from meal_assets.domain.shop import to_buy
    from meal_assets.foods.shop import shop
    from meal_assets.read_models import asking
    from meal_assets.read_models.pantry import Pantry, lots_in
    from meal_assets.read_models.shopping_list import ShoppingList, items_of

    with asking(s.store, ShoppingList, Pantry) as (db, position):
        items = items_of(db, s.household, monday)
        lots = lots_in(db, s.household)
    return to_buy([i.needed for i in items], lots, shop()), {i.item for i in items if i.ticked}, position


def _meal_times(s: "Session") -> "Mapping[Meal, time]":
    from meal_assets.domain.publication import MEAL_TIMES

    return {**MEAL_TIMES, **s.settings.meal_times}


def _steps(s: "Session", monday: date, times: "Mapping[Meal, time]") -> list["Step"]:
    from meal_assets.domain.prep import schedule
    from meal_assets.read_models.prep_schedule import cooked_in

    lines, *_ = _to_buy(s, monday)
    with s.store.database.transaction() as db:
        cooked = cooked_in(db, s.household, monday)
    taken = [taken for line in lines for taken in line.taken]
    return schedule(cooked.batches, cooked.times, times, s.settings.zone, taken)


def _calendar(s: "Session", monday: date, steps: list["Step"], times: "Mapping[Meal, time]") -> bytes:
    from meal_assets.contracts.plan import PlanGenerated
    from meal_assets.interchange.calendar import MealEntry, calendar_of

    plans = [r for r in s.store.read_stream(f"{s.household}/plan/{monday}") if isinstance(r.event, PlanGenerated)]
    newest = plans[-1]
    assert isinstance(newest.event, PlanGenerated)
    meals = [
        MealEntry(
            (m.day, m.meal),
            m.title,
            ", ".join(f"{person} {amount:g}" for person, amount in sorted(m.portions.items())),
            datetime.combine(m.day, times[m.meal], s.settings.zone),
        )
        for m in newest.event.meals
    ]
    return calendar_of(s.household, meals, steps, newest.recorded_at, newest.position)
