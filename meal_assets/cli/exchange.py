"""`meals events export`, `import`, `relay`: the log to and from the outside."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import system

if TYPE_CHECKING:
    from meal_assets.contracts import Event

log = typer.Typer()
SHOWN = 20
"""Conflicts printed; the others are counted."""
MENDED_BY_NOBODY = "Compare with an export or a backup; nothing here can mend it."


def add_to(app: typer.Typer) -> None:
    log.callback(invoke_without_command=True)(system.events)
    app.add_typer(log, name="events")


@log.command("export")
def export_events(
    file: Annotated[Path, typer.Argument(help="To write: .jsonl, .jsonl.gz or .parquet.")],
    after: Annotated[int, typer.Option(min=0, help="Only events after this position.")] = 0,
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; may be given again.")] = None,
) -> None:
    """Write events as CloudEvents 1.0, one a line. Interrupted, the same command goes on."""
    from meal_assets.interchange.export import export

    from .session import console, progress, session

    types, began = _types(topic or []), time.perf_counter()
    with session() as s:
        with progress() as bar:
            task = bar.add_task(f"Writing {file.name}", total=None)
            done = export(
                s.store,
                file,
                after=after,
                types=types,
                progress=lambda at, of: bar.update(task, completed=at, total=of),
            )
        if done.went_on_after is not None:
            console.print(f"Went on after position {done.went_on_after:,}.")
        told = f"{done.events:,} events written to {file}{_rate(done.events, began)}"
        console.print(told, soft_wrap=True, markup=False)


@log.command("import")
def import_events(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="What an export wrote.")],
    as_new: Annotated[bool, typer.Option("--as-new", help="As new events also into an empty log.")] = False,
) -> None:
    """Bring in exported events: exactly as they were into an empty log, else those not yet there as new events.

    Nothing is written before the whole file is checked. The same file again says nothing new.
    """
    from meal_assets.interchange.bring import bring

    from .session import console, progress, session

    with session() as s:
        began = time.perf_counter()
        with progress() as bar:
            task = bar.add_task(f"Checking {file.name}", total=None)
            done = bring(
                s.store,
                file,
                as_new=as_new,
                progress=lambda doing, n, of: bar.update(
                    task, description=f"{doing} {file.name}: {n:,}", completed=n, total=of
                ),
            )
        how = "restored as they were" if done.exact else "appended as new events"
        console.print(
            f"{done.read:,} read, {done.written:,} {how}, {done.there_already:,} there already{_rate(done.read, began)}"
        )
        for conflict in done.conflicts[:SHOWN]:
            console.print(
                f"  line {conflict.line}, id: {conflict.event_id} is something else at position {conflict.position}"
                " ([red]left out[/])",
                highlight=False,
                soft_wrap=True,
            )
        if len(done.conflicts) > SHOWN:
            console.print(f"  … and {len(done.conflicts) - SHOWN:,} more")
        s.settle("Reading what is new")
    if done.conflicts:
        raise typer.Exit(1)


@log.command()
def relay(
    url: Annotated[str, typer.Argument(help="nats://host:4222, file:///path/to/events.jsonl or stdout:")],
    topic: Annotated[list[str] | None, typer.Option(help="Only this topic; may be given again.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Whose place in the log to go on from; made of URL and topics.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Stop at the head of the log.")] = False,
) -> None:
    """Publish events to a broker, at least once and in order, and go on as they happen, until Ctrl-C."""
    from meal_assets.event_store.database import without_password
    from meal_assets.interchange.brokers import broker_at
    from meal_assets.interchange.relay import relay as publish

    from .interrupts import Interrupt
    from .session import progress, session

    interrupt = Interrupt()
    types, broker, bar = _types(topic or []), broker_at(url), progress()
    called = name or " ".join([without_password(url), *sorted(set(topic or []))])
    bar.disable = bar.disable or url == "stdout:"  # what is read by a program
    try:
        with session() as s, bar:
            task = bar.add_task(f"Relaying to {without_password(url)}", total=None)

            def show(at: int, published: int) -> None:
                interrupt.check()
                bar.update(task, description=f"{published:,} events published, up to position {at:,}")

            publish(s.store, broker, called, types, once=once, progress=show)
    except KeyboardInterrupt:
        return
    finally:
        broker.close()


@log.command("archive")
def archive_events(
    until: Annotated[int, typer.Option(min=1, help="Only partitions that end at or before this position.")],
    to: Annotated[Path | None, typer.Option(help="Folder for the files; MEALS_HOME/archive without it.")] = None,
) -> None:
    """Move full partitions of the log to Parquet files. Interrupted, the same command goes on.

    Each file is read back and proven before its partition is dropped. What is looked up however old it is stays, like
    recipes, profiles and flags; a rebuild or a new read model needs the rest back: `meals events restore`.
    """
    from meal_assets.interchange.archive import archive

    from .session import console, progress, session

    with session() as s, progress() as bar:
        task = bar.add_task("Looking", total=None)
        files = archive(
            s.store, to or s.settings.home / "archive", until,
            progress=lambda doing, at, of: bar.update(task, description=doing, completed=at, total=of),
        )  # fmt: skip
    for file in files:
        console.print(f"Archived in {file}, beside it what it holds. Keep both.", soft_wrap=True, markup=False)
    if not files:
        console.print(f"No full partition ends at or before position {until:,}, or all of them are archived.")


@log.command("restore")
def restore_events(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="What an archive wrote.")],
) -> None:
    """Put an archived part of the log back, after it was compared with what was noted of it."""
    from meal_assets.interchange.archive import restore

    from .session import console, progress, session

    with session() as s, progress() as bar:
        task = bar.add_task("Looking", total=None)
        put = restore(
            s.store, file,
            progress=lambda doing, at, of: bar.update(task, description=doing, completed=at, total=of),
        )  # fmt: skip
    console.print(f"Positions {put.first:,} to {put.last:,} are back in the log; the file is not needed any more.")


@log.command()
def verify(
    known: Annotated[str | None, typer.Option(help="A link that an earlier check printed, POSITION:HASH.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Also what is archived, where its files are here.")] = False,
) -> None:
    """Walk the hash chain: is every event the one that was appended, in its place, and none missing?

    What was noted of it elsewhere is compared, too. Keep the link that is printed outside of this database: with it,
    not even who owns the database can pass off another log.
    """
    from meal_assets.errors import Permanent
    from meal_assets.event_store.archives import archives, refuse_archived
    from meal_assets.event_store.verify import first_broken_link
    from meal_assets.event_store.witnesses import first_contradiction, link_at, note_link
    from meal_assets.interchange.archive import prove

    from .session import console, progress, session

    expected = _link(known) if known else None
    with session() as s, progress() as bar:
        head, began = s.store.head(), time.perf_counter()
        task = bar.add_task("Walking the chain")
        broken = first_broken_link(
            s.store.database,
            lambda n, of: bar.update(task, description=f"Walking the chain{_rate(n, began)}", completed=n, total=of),
        )
        if broken is not None:
            raise Permanent(
                f"the chain breaks at position {broken}: that event, or the one before it, is not what was appended."
                f" {MENDED_BY_NOBODY}"
            )
        rate = _rate(head, began)
        with s.store.database.transaction() as db:
            if wrong := first_contradiction(db):
                what = "is gone" if wrong.gone else "or one before it is another event now"
                raise Permanent(
                    f"position {wrong.position} {what}; it was {wrong.by}: the log was cut off, or changed and"
                    f" chained anew. {MENDED_BY_NOBODY}"
                )
            if expected:
                refuse_archived(db, expected[0] - 1, expected[0])
            if expected and link_at(db, expected[0]) != expected[1]:
                raise Permanent(
                    f"position {expected[0]} has another link than {known}: the log was changed and chained anew,"
                    f" or it is another log. {MENDED_BY_NOBODY}"
                )
            if link := link_at(db, head):
                note_link(db, head, link)
            away = archives(db)
        for one in away if files else ():
            prove(
                s.store, Path(one.file),
                progress=lambda doing, at, of: bar.update(task, description=doing, completed=at, total=of),
            )  # fmt: skip
        console.print(f"The chain is whole: {head - sum(sum(one.gone.values()) for one in away):,} events{rate}.")
        for one in away:
            looked = "and are what they were" if files else "and were passed over: --files looks into it"
            told = (
                f"{sum(one.gone.values()):,} of the positions {one.first:,} to {one.last:,} lie in {one.file} {looked}."
            )
            console.print(told, soft_wrap=True, markup=False, highlight=False)
        if link:
            console.print(f"Its last link, to keep elsewhere: {head}:{link.hex()}", soft_wrap=True, highlight=False)


def _types(topics: list[str]) -> "tuple[type[Event], ...]":
    from meal_assets.contracts import TOPICS
    from meal_assets.errors import Invalid

    if unknown := [topic for topic in topics if topic not in TOPICS]:
        raise Invalid("--topic", f"{unknown[0]!r} is none of {', '.join(TOPICS)}")
    return tuple(event for topic in dict.fromkeys(topics) for event in TOPICS[topic])


def _link(text: str) -> tuple[int, bytes]:
    from meal_assets.errors import Invalid

    position, _, link = text.partition(":")
    if not position.isdigit() or not re.fullmatch("[0-9a-f]{64}", link):
        raise Invalid("--known", f"{text!r} is not like 1200:7f3a…, a position and 64 hexadecimal digits")
    return int(position), bytes.fromhex(link)


def _rate(events: int, began: float) -> str:
    return f" ({events / max(time.perf_counter() - began, 0.001):,.0f} events/s)"
