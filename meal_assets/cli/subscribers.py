"""`meals status`, `rebuild`: where everybody who follows the log stands, and read models built anew."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from .archived import Archived, archived_too

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from meal_assets.event_store import EventStore
    from meal_assets.read_models import Rebuilt
    from meal_assets.subscriptions import Relaying, Standing

REBUILDS_AT_ONCE = 4
"""Each takes two connections, and a core or so of the database."""


def add_to(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(rebuild)


def status() -> None:
    """Show what runs, where every read model and consumer stands, and what waits for a decision."""
    from rich.markup import escape
    from rich.table import Table

    from meal_assets.consumers.base import failed_attempts
    from meal_assets.event_store.database import without_password
    from meal_assets.read_models import ReadModel
    from meal_assets.read_models.dead_letters import open_letters
    from meal_assets.subscriptions import relays, standings

    from .services import is_up, running
    from .session import console, session

    with session() as s:
        up = is_up(s.settings.home)
        console.print(f"Dagster: {running(s.settings.home).get('url') if up else 'not running (`meals up`)'}")
        console.print(f"Database: {without_password(s.store.database.url)}", highlight=False, soft_wrap=True)
        console.print(f"Head of the log: {s.store.head():,}")
        tried = failed_attempts(s.store)
        table = Table()
        for title in ("", "subscriber", "at", "newest", "lag", "looked", "state"):
            table.add_column(title, no_wrap=title != "state", overflow="fold")
        reasons = {}
        for standing in standings(s.store):
            name = standing.subscriber.name
            table.add_row(
                "read model" if issubclass(standing.subscriber, ReadModel) else "consumer",
                name,
                f"{max(standing.position, 0):,}",
                f"{standing.head:,}",
                f"{standing.lag:,}, {standing.lag_seconds:,.1f} s" if standing.behind else "",
                _ago(standing.looked_at) if standing.looked_at else "never",
                _state(standing, tried[name].attempts if name in tried else None),
            )
            if standing.stopped_at and not standing.paused:
                reasons[name] = standing.stopped_because or ""
        for relay in relays(s.store):
            table.add_row(
                "relay",
                escape(relay.name),
                f"{relay.position:,}",
                f"{relay.head:,}",
                f"{relay.lag:,}, {relay.lag_seconds:,.1f} s" if relay.behind else "",
                _ago(relay.looked_at) if relay.looked_at else "never",
                _relay_state(relay),
            )
            if relay.stopped_at:
                reasons[relay.name] = relay.stopped_because or ""
        console.print(table)
        for name, reason in reasons.items():
            console.print(f"[red]{escape(name)}[/]: {escape(reason)}", soft_wrap=True)
        with s.store.database.transaction() as db:
            letters = open_letters(db)
        if letters:
            console.print(f"[red]{len(letters)} dead letters wait for a decision:[/] `meals dead-letters`")


def _state(standing: "Standing", attempts: int | None) -> str:
    """Current, behind, kept where it is by a flag, or since when it stopped."""
    from .steering import paused_since

    if standing.paused:
        return paused_since(standing)
    if standing.stopped_at:
        waits = "[red]stopped" if attempts is None else "[yellow]waiting"
        how = f"[yellow]tried {attempts} times, first" if attempts else waits
        return f"{how} {_ago(standing.stopped_at)}[/]"
    if standing.switch.mode == "shadow":
        return "[yellow]only its shadow[/]"
    return "[yellow]behind[/]" if standing.behind else "[green]current[/]"


def _relay_state(relay: "Relaying") -> str:
    if relay.stopped_at:
        return f"[red]stopped {_ago(relay.stopped_at)}[/]"
    return "[yellow]behind[/]" if relay.behind else "[green]current[/]"


def rebuild(
    model: Annotated[str, typer.Argument(help="Name of a read model, or all.")],
    undo: Annotated[bool, typer.Option("--undo", help="Put back what was there before the last rebuild.")] = False,
    archived: Archived = False,
) -> None:
    """Build a read model anew from the whole log, compare, and exchange; the old one serves until then."""
    from meal_assets.errors import Invalid
    from meal_assets.read_models import READ_MODELS, undo_rebuild

    from .session import console, session

    if model != "all" and model not in READ_MODELS:
        raise Invalid("model", f"{model!r} is none of all, {', '.join(READ_MODELS)}")
    if undo and model == "all":
        raise Invalid("--undo", "takes one read model back at a time")
    with session() as s:
        if undo:
            position = undo_rebuild(READ_MODELS[model](), s.store)
            console.print(f"{model} is as before its last rebuild, at {position:,}, and goes on from there.")
            return
        began = time.perf_counter()
        with archived_too(s.store, wanted=archived):
            rebuilt = _rebuild_together(s.store, list(READ_MODELS) if model == "all" else [model])
        seconds = time.perf_counter() - began
        for name, done in rebuilt.items():
            console.print(_told(name, done), highlight=False, soft_wrap=True)
        events = sum(done.events for done in rebuilt.values())
        console.print(f"{events:,} events folded in {seconds:.2f} s: {events / seconds:,.0f} events/s")


def _rebuild_together(store: "EventStore", names: "Sequence[str]") -> "dict[str, Rebuilt]":
    """Several at once, a progress bar each; one that fails stops no other, and is raised at the end."""
    from concurrent.futures import ThreadPoolExecutor

    from meal_assets.read_models import READ_MODELS
    from meal_assets.read_models import rebuild as build

    from .session import progress

    head = store.head()
    with progress() as bar, ThreadPoolExecutor(REBUILDS_AT_ONCE) as threads:
        running = {}
        for name in names:
            show = partial(_show_position, bar, bar.add_task(f"Rebuilding {name}", total=head))
            running[name] = threads.submit(build, READ_MODELS[name](), store, progress=show)
    return {name: future.result() for name, future in running.items()}


def _show_position(bar: "Progress", task: "TaskID", position: int) -> None:
    bar.update(task, completed=position)


def _told(name: str, done: "Rebuilt") -> str:
    """What a rebuild found, in one line; a difference nobody expected is an alarm, with an example."""
    from rich.markup import escape

    line = f"{name} stands at {done.position:,}: {done.difference.rows:,} rows in {done.seconds:.2f} s"
    found = done.difference
    if done.from_version is None:
        return line
    if not done.alarming:
        return f"{line}, " + (f"{found.differing:,} new in version {done.version}" if found.differing else "as before")
    example = "; ".join(f"{one['table']} {one['key']} {one['how']}" for one in found.sample[:1])
    return (
        f"{line}. [red]{found.differing:,} rows were not what the log says[/] ({found.only_live:,} too many,"
        f" {found.only_rebuilt:,} missing, {found.different:,} different), like {escape(example)}."
        f" They are mended; `meals rebuild {name} --undo` shows them again."
    )


def _ago(moment: datetime) -> str:
    return f"{max((datetime.now(UTC) - moment).total_seconds(), 0):,.1f} s ago"
