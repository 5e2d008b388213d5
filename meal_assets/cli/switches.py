"""`meals flags`, `replay`: what is switched on for whom, and what a consumer would say that only shadows or replays."""

from typing import TYPE_CHECKING, Annotated

import typer

from .archived import Archived, archived_too

if TYPE_CHECKING:
    from meal_assets.consumers import Consumer

    from .session import Session

MAX_SHOWN = 100
"""Differences shown."""

flags_app = typer.Typer(help="Show flags; set one; compare what a consumer said in its shadow with the log.")


def add_to(app: typer.Typer) -> None:
    app.add_typer(flags_app, name="flags")
    app.command()(replay)


@flags_app.callback(invoke_without_command=True)
def flags(context: typer.Context) -> None:
    """Show every flag, what it says to whom, and who set it; `set` changes one, `diff` compares a shadow."""
    if context.invoked_subcommand is None:
        from .session import session

        with session() as s:
            _show_flags(s)


@flags_app.command("set")
def set_flag(
    name: Annotated[
        str, typer.Argument(help="The flag, such as new-pages, consumer.generate_plan or read_model.week_plan.")
    ],
    value: Annotated[
        str, typer.Argument(help="on, off, or a text; for a consumer on, shadow or off; for a read model on or off.")
    ],
    household: Annotated[str | None, typer.Option(help="Only for this household.")] = None,
    person: Annotated[str | None, typer.Option(help="Only for this person.")] = None,
    percent: Annotated[
        float, typer.Option(min=0, max=100, help="Only for so many percent of them, always the same; 0 takes it back.")
    ] = 100.0,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Let a flag say something to everybody, or to whom you name.

    Example: meals flags set consumer.generate_plan shadow
    """
    from meal_assets.commands.flags import set_flag
    from meal_assets.contracts.system import CONSUMER_FLAG, READ_MODEL_FLAG, FlagSet
    from meal_assets.errors import Invalid
    from meal_assets.subscriptions import SUBSCRIBERS, flag_of

    from .session import session

    switches = [flag_of(s) for s in SUBSCRIBERS.values()]
    if name.startswith((CONSUMER_FLAG, READ_MODEL_FLAG)) and name not in switches:
        raise Invalid("name", f"{name!r} is none of {', '.join(switches)}")
    flag = FlagSet(
        flag=name, value=value, target_household=household, target_person=person, percent=percent, reason=reason
    )
    with session() as s:
        set_flag(s.store, flag, s.origin())
        _show_flags(s)


@flags_app.command("diff")
def diff(consumer: Annotated[str, typer.Argument(help="Name of a consumer.")]) -> None:
    """Show where what the consumer said in its shadow is not what it said in the log."""
    from meal_assets.consumers.base import shadow_differences, shadow_of
    from meal_assets.event_store.checkpoints import checkpoints

    from .session import console, session
    from .tables import differences_table

    chosen = consumer_named(consumer)
    with session() as s:
        with s.store.database.transaction() as db:
            shadow = checkpoints(db).get(shadow_of(consumer))
        found = shadow_differences(chosen(), s.store, MAX_SHOWN)
    if shadow is None:
        told = f"{consumer} never had a shadow: `meals flags set consumer.{consumer} shadow` begins one."
        console.print(told, soft_wrap=True, highlight=False)
        return
    if not found:
        console.print(f"No difference: {consumer} said the same in its shadow, up to position {shadow.position:,}.")
        return
    console.print(differences_table(found, "its shadow"))
    if len(found) == MAX_SHOWN:
        console.print(f"These are the first {MAX_SHOWN}; there may be more.")


def replay(
    consumer: Annotated[str, typer.Argument(help="Name of a consumer.")],
    after: Annotated[int, typer.Option(min=0, help="Only events after this position.")] = 0,
    until: Annotated[int | None, typer.Option(min=0, help="Only events up to this position.")] = None,
    say: Annotated[
        bool, typer.Option("--say", help="Append what the log does not have yet; what it has stays.")
    ] = False,
    act: Annotated[bool, typer.Option("--act", help="Do again what it does outside, with the same keys.")] = False,
    archived: Archived = False,
) -> None:
    """Let a consumer handle again what it handled before, and show where it would say something else now.

    Nothing is appended or done outside unless you say so, its checkpoint stays, and what it said before it never says
    twice.
    """
    from meal_assets.consumers.base import replay as handle_again

    from .session import console, progress, session
    from .tables import differences_table

    chosen = consumer_named(consumer)
    with session() as s, archived_too(s.store, wanted=archived):
        last = s.store.head() if until is None else min(until, s.store.head())
        with progress() as bar:
            task = bar.add_task(f"Replaying {consumer}", total=max(last - after, 0))
            found = handle_again(
                chosen(s.outside), s.store, after, last, say=say, act=act, limit=MAX_SHOWN,
                progress=lambda at: bar.update(task, completed=at - after),
            )  # fmt: skip
        if say:
            s.settle("Reacting")
    where = f"{consumer} from {after + 1:,} to {last:,}"
    if not found:
        console.print(f"No difference: {where} says what it said.", highlight=False)
        return
    console.print(differences_table(found, "the replay"))
    first = f"the first {MAX_SHOWN} differences" if len(found) == MAX_SHOWN else f"{len(found)} differences"
    console.print(f"{where}: {first}.", highlight=False)


def consumer_named(name: str) -> "type[Consumer]":
    """Raises `Invalid`, with the names there are."""
    from meal_assets.consumers import CONSUMERS
    from meal_assets.errors import Invalid

    if name not in CONSUMERS:
        raise Invalid("consumer", f"{name!r} is none of {', '.join(CONSUMERS)}")
    return CONSUMERS[name]


def _show_flags(s: "Session") -> None:
    from rich.markup import escape
    from rich.table import Table

    from meal_assets.contracts.system import READ_MODEL_FLAG
    from meal_assets.event_store.switches import mode_of
    from meal_assets.read_models import catch_up
    from meal_assets.read_models.flags import Flags, set_flags

    from .session import console

    catch_up(Flags(), s.store)
    with s.store.database.transaction() as db:
        rows = set_flags(db)
        paused = mode_of(db, READ_MODEL_FLAG + Flags.name) == "off"
    if paused:
        console.print("[yellow]flags is paused:[/] what was set since is in force, but missing here.")
    if not rows:
        console.print("No flag was ever set; every read model and every consumer is on.")
        return
    table = Table("flag", "value", "household", "person", "percent", "set by", "why", "since")
    for row in rows:
        whom = (row.household or "all", row.person or "all", f"{row.percent:g}")
        since = f"{row.since.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(row.flag, row.value, *whom, row.actor, escape(row.reason or ""), since)
    console.print(table)
