"""`meals sync`, `meals remotes`: the services outside, and how we stand with them."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.clients.breaker import State
    from meal_assets.contracts.recipe import RecipesSynced

syncs = typer.Typer(help="Bring in what changed at a service outside.", no_args_is_help=True)
remotes = typer.Typer(
    help="Show the services outside, or leave one alone for a while (trip), or call it again at once (reset).",
    invoke_without_command=True,
)
SHOWN = 20
"""Recipes left out that are printed; the others are counted."""
Name = Annotated[str, typer.Argument(help="Name of a service, as tandoor.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(syncs, name="sync")
    app.add_typer(remotes, name="remotes")


@syncs.callback()
def _sync() -> None:
    """One command a service."""


@syncs.command()
def tandoor(
    full: Annotated[bool, typer.Option("--full", help="Read every recipe, as happens once a day by itself.")] = False,
) -> None:
    """Recipes of your Tandoor (MEALS_TANDOOR_URL): new, changed, deleted and hidden ones; and ticks in its list.

    What changed is seen in Tandoor's list; edits of steps, amounts and foods leave no trace there and come with the
    full sync of each day. Interrupted, it goes on where it was. Ticks are read of a shopping list that was published.
    """
    from meal_assets.clients.tandoor_marks import Marks
    from meal_assets.commands.recipes import request_sync
    from meal_assets.commands.shopping import read_ticks
    from meal_assets.contracts.recipe import RecipesSynced
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Permanent

    from .session import console, progress, session

    with session() as s:
        with progress() as bar:
            bar.add_task("Asking Tandoor", total=None)
            accepted = request_sync(s.store, s.outside, s.origin(), full=full)
            ticked = read_ticks(s.store, s.outside, s.origin(), s.day(None))
        if ticked:
            console.print(f"Ticked in Tandoor's shopping list, or put back: {', '.join(ticked)}.", markup=False)
        if accepted is None:
            console.print("Nothing new in Tandoor's list. `meals sync tandoor --full` reads every recipe.")
            return
        marks = Marks(s.store.database, s.household)

        def so_far() -> str:
            now = marks.progress()
            return f"{now.read:,} of {now.of:,} recipes" if now and now.position == accepted.position else ""

        s.settle("Reading", so_far)
        followed = [r.event for r in s.store.read_correlation(accepted.correlation_id, accepted.position - 1)]
        for letter in (e for e in followed if isinstance(e, DeadLettered)):
            raise Permanent(f"Tandoor's recipes could not be read: {letter.error}")
        for done in (e for e in followed if isinstance(e, RecipesSynced)):
            _print_synced(done)


@remotes.callback()
def list_remotes(context: typer.Context) -> None:
    """Show which services were called, how often today, and which are left alone, since when and why."""
    if context.invoked_subcommand is not None:
        return
    from meal_assets.clients.breaker import states

    from .session import console, session

    with session() as s:
        found = states(s.store.database)
    if not found:
        console.print("No service outside was called yet.")
    for one in found:
        console.print(_told(one), highlight=False, soft_wrap=True)


@remotes.command()
def trip(
    name: Name,
    minutes: Annotated[float, typer.Option(min=0, help="For so long; then one call tries whether it is back.")] = 60,
    reason: Annotated[str, typer.Option(help="Why: shown to all who wait for it.")] = "tripped by hand",
) -> None:
    """Leave a service alone for a while: who needs it waits, all others go on."""
    from meal_assets.clients.breaker import Breaker, states

    from .session import console, session

    with session() as s:
        Breaker(s.store.database, name).trip(timedelta(minutes=minutes), reason)
        for one in states(s.store.database):
            if one.remote == name:
                console.print(_told(one), highlight=False, soft_wrap=True)


@remotes.command()
def reset(name: Name) -> None:
    """Call a service again at once."""
    from meal_assets.clients.breaker import Breaker, states
    from meal_assets.consumers.base import try_at_once
    from meal_assets.errors import Invalid

    from .session import console, session

    with session() as s:
        there = [one.remote for one in states(s.store.database)]
        if name not in there:
            raise Invalid("name", f"{name!r} is none of those that were called: {', '.join(there) or 'none yet'}")
        Breaker(s.store.database, name).reset()
        try_at_once(s.store)
        console.print(f"{name} is called again.")


def _told(one: "State") -> str:
    from rich.markup import escape

    colour = "green" if one.state == "closed" else "yellow"
    return f"{one.remote}: [{colour}]{escape(str(one))}[/]"


def _print_synced(done: "RecipesSynced") -> None:
    from .session import console

    same = done.listed - done.fetched - done.rejected
    console.print(
        f"{done.listed:,} recipes in Tandoor: {done.fetched:,} new or changed, {max(same, 0):,} as before,"
        f" {done.removed:,} gone, {done.rejected:,} left out"
    )
    for one in done.left_out[:SHOWN]:
        console.print(f"  {one.recipe}, {one.field}: {one.reason} ([red]left out[/])", highlight=False)
    if done.rejected > SHOWN:
        console.print(f"  … and {done.rejected - SHOWN:,} more")
