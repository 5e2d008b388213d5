"""`meals as-of`, `audit`, `trace`: how a read model stood, which events made a row, and what a command led to."""

import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from .archived import Archived, archived_too, tell_archived

if TYPE_CHECKING:
    from rich.table import Table
    from rich.tree import Tree

    from meal_assets.event_store import EventStore, Recorded
    from meal_assets.event_store.checkpoints import TakenIn
    from meal_assets.read_models import ReadModel

SHOWN_ROWS = 20
SHOWN_EVENTS = 100
"""Events of a row or a command shown, at most: the newest."""
SHOWN_BATCHES = 200
"""Batches shown that took in events of a command, at most: the first."""
MAX_SAID = 120


def add_to(app: typer.Typer) -> None:
    app.command("as-of")(as_of)
    app.command()(audit)
    app.command()(trace)


def as_of(
    when: Annotated[str, typer.Argument(help="A position, or a date or date and time like 2026-11-23T18:00, as here.")],
    model: Annotated[str, typer.Argument(help="Name of a read model.")],
    archived: Archived = False,
) -> None:
    """Show a read model as it stood at a position or a moment, rebuilt from the log; nothing is changed."""
    from psycopg import sql
    from rich.table import Table

    from meal_assets.read_models.base import tables_as_of

    from .session import console, session

    chosen = _model(model)
    with session() as s, archived_too(s.store, wanted=archived):
        position = _position(s.store, when)
        with tables_as_of(chosen(), s.store, position) as db:
            cursor = db.execute(sql.SQL("{} LIMIT %s").format(sql.SQL(chosen.shows)), (SHOWN_ROWS,))
            table = Table(*[c.name for c in cursor.description or ()])
            for row in s.store.personal.opened(db, cursor.fetchall()):
                table.add_row(*map(_cell, row))
            counts = {
                name: db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
                for name in chosen.tables
            }
        console.print(table)
        said = ", ".join(f"{row[0]:,} rows in {name}" for name, row in counts.items() if row)
        console.print(f"{model} at position {position:,}: {said}")


def audit(
    model: Annotated[str, typer.Argument(help="Name of a read model.")],
    key: Annotated[list[str], typer.Argument(help="The row's key, without the household; its end may be left out.")],
    archived: Archived = False,
) -> None:
    """Show which events made a row, and what those follow from: made the row in bold, the rest led to it."""
    from meal_assets.event_store.archives import files_with
    from meal_assets.read_models.base import events_behind, narrowing, row_key, with_causes

    from .session import console, session

    chosen = _model(model)
    with session() as s, archived_too(s.store, wanted=archived):
        with s.store.database.transaction() as db:
            columns = row_key(db, chosen, key, s.household)
            behind = events_behind(db, chosen, columns)
            every = s.store.personal.opened(db, with_causes(db, behind[-SHOWN_EVENTS:]))
            types = [event.type_name for event in chosen.listens_to]
            by_day = "day" in columns and all(e.stays or "day" in e.model_fields for e in chosen.listens_to)
            days = [columns["day"]] if by_day and "day" not in chosen.made_by else None
            away = files_with(db, 0, types, days, causes_missing(every))
        tell_archived(away)
        if not behind:
            console.print(f"No event of {model} concerns {_key(columns)}.")
            return
        for tree in _trees(every, made={r.event_id for r in behind}):
            console.print(tree, highlight=False, soft_wrap=True)
        more = f", the newest {SHOWN_EVENTS} shown" if len(behind) > SHOWN_EVENTS else ""
        console.print(f"{len(behind):,} events concern {_key(columns)}{more}.", highlight=False)
        for event in {type(r.event) for r in behind}:
            if wide := [c for c in columns if c not in narrowing(chosen, event, list(columns))]:
                console.print(f"[dim]{event.type_name} does not say {', '.join(wide)}: some may be of other rows.[/]")


def trace(
    command: Annotated[str, typer.Argument(help="A correlation id, or the position of any event of the command.")],
    archived: Archived = False,
) -> None:
    """Show what a command led to: who said what because of what, how long after its first event, and who took it in."""
    from meal_assets.errors import Invalid
    from meal_assets.event_store.archives import files_with
    from meal_assets.event_store.checkpoints import taken_in

    from .services import is_up, running
    from .session import console, session

    with session() as s, archived_too(s.store, wanted=archived):
        if command.isdigit() and len(command) < len(UUID(int=0).hex):
            found = s.store.read(int(command) - 1, limit=1, until=int(command))
            if not found:
                raise Invalid("command", f"there is no position {command}; the log ends at {s.store.head()}")
            correlation = found[0].correlation_id
        else:
            try:
                correlation = UUID(command)
            except ValueError:
                raise Invalid("command", f"{command!r} is neither a correlation id nor a position") from None
        every = s.store.read_correlation(correlation)
        with s.store.database.transaction() as db:  # what follows from a command comes after its first event
            away = files_with(db, every[0].position if every else 0, ids=causes_missing(every))
        tell_archived(away)
        if not every:
            raise Invalid("command", f"no event carries {correlation.hex}")
        for tree in _trees(every[:SHOWN_EVENTS], made={r.event_id for r in every}):
            console.print(tree, highlight=False, soft_wrap=True)
        took = (every[-1].recorded_at - every[0].recorded_at).total_seconds()
        console.print(f"{len(every):,} events in {took:.3f} s, correlation {correlation.hex}", highlight=False)
        with s.store.database.transaction() as db:
            taken = taken_in(db, [r.position for r in every[:SHOWN_EVENTS]], SHOWN_BATCHES)
        console.print(_taken_table(taken))
        if is_up(s.settings.home):
            where = f"{running(s.settings.home).get('url')}/assets/NAME?view=events"
            console.print(f"What Dagster shows of each: {where}", highlight=False, soft_wrap=True)


def _taken_table(taken: "Sequence[TakenIn]") -> "Table":
    """A row for each batch that took in some of the events; subscribers are called as in Dagster."""
    from rich.table import Table

    from meal_assets.read_models import READ_MODELS

    table = Table(title="Taken in by", title_justify="left", caption=None if taken else "nobody, in what is kept of it")
    for title in ("subscriber", "events", "batch", "when", "in Dagster"):
        table.add_column(title, overflow="fold", no_wrap=title == "subscriber")
    for one in taken:
        kind = "read_model" if one.subscriber in READ_MODELS else "consumer"
        table.add_row(
            f"{kind}/{one.subscriber}",
            _ranges(one.positions),
            f"{one.after + 1}–{one.to}",
            f"{one.folded_at.astimezone():%Y-%m-%d %H:%M:%S}",
            "not yet" if one.reported_at is None else f"since {one.reported_at.astimezone():%H:%M:%S}",
        )
    return table


def _ranges(positions: "Sequence[int]") -> str:
    """Positions in order, as 2–5, 9."""
    stretches: list[list[int]] = []
    for position in positions:
        if stretches and position == stretches[-1][-1] + 1:
            stretches[-1].append(position)
        else:
            stretches.append([position])
    return ", ".join(f"{s[0]}–{s[-1]}" if len(s) > 1 else str(s[0]) for s in stretches)


def causes_missing(events: "Sequence[Recorded]") -> list[UUID]:
    """The events that some of these follow from and that are not among them."""
    there = {recorded.event_id for recorded in events}
    return [r.causation_id for r in events if r.causation_id is not None and r.causation_id not in there]


def _model(name: str) -> "type[ReadModel]":
    from meal_assets.errors import Invalid
    from meal_assets.read_models import READ_MODELS

    if name not in READ_MODELS:
        raise Invalid("model", f"{name!r} is none of {', '.join(READ_MODELS)}")
    return READ_MODELS[name]


def _position(store: "EventStore", when: str) -> int:
    """A position, at most the head; or the last one by a moment of this machine's time zone, a day counting whole."""
    from meal_assets.errors import Invalid
    from meal_assets.read_models import position_at

    if when.isdigit():
        return min(int(when), store.head())
    try:
        day_only = re.fullmatch(r"\d{4}-\d\d-\d\d", when)
        moment = datetime.combine(date.fromisoformat(when), datetime.max.time()) if day_only else None
        moment = moment or datetime.fromisoformat(when)
    except ValueError:
        raise Invalid(
            "when", f"{when!r} is neither a position nor a date like 2026-11-23 or 2026-11-23T18:00"
        ) from None
    return position_at(store, moment if moment.tzinfo else moment.astimezone())


def _trees(events: "Sequence[Recorded]", made: Collection[UUID]) -> "list[Tree]":
    """One tree a command: each event below its cause, in the order of the log, timed from the command's first."""
    from rich.tree import Tree

    began: dict[UUID, datetime] = {}
    nodes: dict[UUID, Tree] = {}
    roots: list[Tree] = []
    for recorded in events:
        first = began.setdefault(recorded.correlation_id, recorded.recorded_at)
        label = _label(recorded, (recorded.recorded_at - first).total_seconds(), made=recorded.event_id in made)
        cause = nodes.get(recorded.causation_id) if recorded.causation_id else None
        nodes[recorded.event_id] = cause.add(label) if cause else Tree(label)
        if cause is None:
            roots.append(nodes[recorded.event_id])
    return roots


def _label(recorded: "Recorded", seconds: float, *, made: bool) -> str:
    from rich.markup import escape

    name = f"[bold]{recorded.event.type_name}[/]" if made else f"[dim]{recorded.event.type_name}[/]"
    when = f"+{seconds:.3f} s" if seconds else f"{recorded.recorded_at.astimezone():%Y-%m-%d %H:%M:%S}"
    said = recorded.event.model_dump_json(exclude_none=True)
    said = said if len(said) <= MAX_SAID else f"{said[: MAX_SAID - 1]}…"
    return f"{name} [dim]{recorded.position} {when} by {escape(recorded.actor)}[/] {escape(said)}"


def _key(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in columns.items())


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case datetime():
            return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)
