"""`meals connect`, `disconnect`, `sync fatsecret`: persons' accounts at services outside."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from .outside import syncs

if TYPE_CHECKING:
    from meal_assets.commands.connections import Connecting

connects = typer.Typer(
    help="Connect a person's account at a service outside; without one, show who is connected.",
    invoke_without_command=True,
)
disconnects = typer.Typer(help="Let go of a person's account at a service outside.", no_args_is_help=True)
Person = Annotated[str, typer.Argument(help="Short id of the person, such as ada.")]
ATTEMPTS = 3
"""At typing the code."""


def add_to(app: typer.Typer) -> None:
    app.add_typer(connects, name="connect")
    app.add_typer(disconnects, name="disconnect")
    syncs.command("fatsecret")(sync_fatsecret)


@connects.callback()
def show(context: typer.Context) -> None:
    """Show who is connected to what, since when, and who has to connect again."""
    if context.invoked_subcommand is not None:
        return
    from rich.markup import escape

    from meal_assets.clients.fatsecret_answers import NAME
    from meal_assets.event_store.connections import Connections

    from .session import console, session

    with session() as s:
        connected = Connections(s.store.database, s.household, NAME).all()
    if not connected:
        console.print("Nobody is connected: `meals connect fatsecret ada`")
    for one in connected:
        state = f"[yellow]{escape(one.refused)}[/]" if one.refused else f"since {one.since.astimezone():%d %B %Y}"
        console.print(f"{one.person}: {NAME}, {state}", highlight=False, soft_wrap=True)


@connects.command()
def fatsecret(person: Person) -> None:
    """Connect a person's FatSecret account (MEALS_FATSECRET_KEY): their diary and weights are then read.

    Prints the address of a page where the person agrees, and asks for the code that the page then shows. What FatSecret
    gives for it is kept encrypted in the database, and nowhere else.
    """
    from meal_assets.commands.connections import Connecting

    from .session import console, session

    with session() as s:
        connecting = Connecting(s.store, s.outside, s.household, person)
        console.print("Open this page, agree, and come back with the code that it shows:")
        console.print(connecting.page, soft_wrap=True, highlight=False)
        account = _finished(connecting)
        console.print(f"{person} is connected to the FatSecret account with {account}.", highlight=False)
        console.print(f"If that is not theirs: `meals disconnect fatsecret {person}`.", highlight=False)


@disconnects.callback()
def _disconnect() -> None:
    """One command a service."""


@disconnects.command("fatsecret")
def disconnect_fatsecret(person: Person) -> None:
    """Remove the token to a person's FatSecret account. What was read stays; FatSecret is not told."""
    from meal_assets.commands.connections import disconnect

    from .session import console, session

    with session() as s:
        disconnect(s.store, s.household, person)
        console.print(
            f"{person} is not connected to FatSecret any more. To take the consent back there as well: FatSecret's"
            " settings, under external apps.",
            soft_wrap=True,
        )


def sync_fatsecret(
    person: Annotated[
        str | None, typer.Argument(help="Short id of a person; all who are connected without it.")
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; the last week without it.")
    ] = None,
    to: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; today without it.")] = None,
) -> None:
    """FatSecret's diaries of persons who are connected, the newest day first: a day is said only when it changed.

    A day is a call, of which FatSecret allows so many a day. What is left over is read by the hour while `meals up`
    runs, or by the same command tomorrow.
    """
    from meal_assets.clients.fatsecret_entries import left_out
    from meal_assets.commands.fatsecret import REFRESHED, sync_diaries

    from .session import console, progress, session

    with session() as s:
        last = s.day(to)
        first = from_.date() if from_ else last - REFRESHED + timedelta(days=1)
        read = changed = 0
        try:
            with progress() as bar:
                task = bar.add_task("Reading", total=(last - first).days + 1)
                for done in sync_diaries(s.store, s.outside, s.origin(), first, last, person):
                    read, changed = read + 1, changed + len(done.changed)
                    bar.update(task, completed=read, description=f"Reading {done.day:%d %B %Y}")
        finally:
            console.print(f"{read:,} days read, {changed:,} of them new or changed.", highlight=False)
        s.settle("Adding up")
        for whose, day, why, count in left_out(s.store.database, s.household, first, last):
            console.print(f"{whose}, {day}: {count} meals logged here are not written there: {why}", highlight=False)


def _finished(connecting: "Connecting") -> str:
    from meal_assets.errors import RemoteRefused

    from .session import console

    for left in reversed(range(ATTEMPTS)):
        try:
            return connecting.finish(typer.prompt("Code"))
        except RemoteRefused as error:
            if not left:
                raise
            console.print(f"[yellow]{error}[/]", soft_wrap=True)
    raise AssertionError("the loop returns or raises")
