"""`meals up`, `down`, `demo`, `events`, `dead-letters`: the platform itself."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.event_store import Database, Origin

    from .services import Services
    from .session import Session

SHOWN_EVENTS = 20
DATABASE_SECONDS = 10
"""What PostgreSQL may take to stop, after all others."""
GROUPS = ",".join(f"global@global:{group}" for group in ("topics", "consumers", "read_models"))
"""How the Dagster UI names the groups of the graph that are to be open."""


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(demo)
    app.command("dead-letters")(dead_letters)


def up(
    demo: Annotated[bool, typer.Option("--demo", help="Show a planned week of a made-up household.")] = False,
) -> None:
    """Start database, API, code server, daemon and web server; Ctrl-C stops all of it."""
    from meal_assets.errors import Unavailable
    from meal_assets.event_store import Database, EventStore
    from meal_assets.event_store.embedded import restart_embedded
    from meal_assets.settings import Settings

    from .interrupts import Interrupt
    from .made_up import made_up_services
    from .services import Services, free_port, only_one, skip_greeting
    from .session import Session, console

    settings = Settings()
    with only_one(settings.home):
        interrupt = Interrupt()
        services: Services | None = None
        try:
            with console.status("Starting the database") as shown:
                database = Database.open(settings)
            with (
                database,
                made_up_services(settings, database, wanted=demo) as made_up,
                console.status("Starting") as shown,
            ):
                services = Services(
                    settings.home,
                    database.url,
                    free_port(settings.port),
                    free_port(settings.api_port),
                    settings.api_host,
                    demo and settings.api_is_local,
                    made_up.settings,
                )
                services.start(lambda what: shown.update(f"Starting {what}"))
                skip_greeting(services.url)
                shown.stop()
                if demo:
                    session = Session(settings, EventStore(database))
                    _show_demo(session)
                    made_up.bring_in(session, services.url)
                _print_pages(settings.household, database, services)
                _print_where(settings.home, services, own=settings.database_url is not None)
                while True:
                    interrupt.check()
                    for name in services.mend():
                        console.print(f"The {name} had ended by itself and was started again; its log has more.")
                    if settings.database_url is None and restart_embedded(settings.home):
                        console.print("PostgreSQL had ended by itself and was started again; nothing is lost.")
                    time.sleep(0.5)
        except KeyboardInterrupt:
            console.print("Stopping …")
        except Unavailable:
            interrupt.count += 1
            raise
        finally:
            if services:
                services.stop(at_once=interrupt.count > 1)
    console.print("Stopped. Everything is kept: `meals up` goes on from here.")


def down() -> None:
    """Stop a running `meals up`, and whatever one that died has left behind."""
    import os
    import signal

    from meal_assets.event_store.embedded import stop_embedded
    from meal_assets.settings import Settings

    from .services import STOP_SECONDS, clear_leftovers, is_up, running
    from .session import console

    settings, stopped = Settings(), False
    if is_up(settings.home):
        pid = running(settings.home).get("pid")
        if isinstance(pid, int):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS + DATABASE_SECONDS
        with console.status("Stopping"):
            while is_up(settings.home) and time.monotonic() < deadline:
                time.sleep(0.1)
        if is_up(settings.home) and isinstance(pid, int):
            os.kill(pid, signal.SIGKILL)
        console.print("Stopped.")
        stopped = True
    left = clear_leftovers(settings.home)
    if settings.database_url is None and settings.home.exists() and stop_embedded(settings.home):
        left.append("PostgreSQL")
    if left:
        console.print(f"Cleared away what was left behind: {', '.join(left)}.")
    elif not stopped:
        console.print(f"Nothing runs in {settings.home}.", soft_wrap=True)
    (settings.home / "up.lock").unlink(missing_ok=True)


def demo() -> None:
    """A made-up household: two people, the starter library, a planned week, logged days, one reconciliation."""
    from .services import is_up, running
    from .session import console, session

    with session() as s:
        _show_demo(s)
        if is_up(s.settings.home):
            _print_links(str(running(s.settings.home).get("url")))
        else:
            console.print("`meals up` shows all of it in Dagster.")


def events(
    context: typer.Context,
    after: Annotated[int | None, typer.Option(help="Only events after this position; the newest without it.")] = None,
    until: Annotated[int | None, typer.Option(help="With --after: only up to this position.")] = None,
    topic: Annotated[str | None, typer.Option(help="Only this topic.")] = None,
    heard_by: Annotated[str | None, typer.Option(help="Only what this read model or consumer listens to.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = SHOWN_EVENTS,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing what happens, until Ctrl-C.")] = False,
) -> None:
    """Show events of the log, oldest first; or export, import or relay them."""
    if context.invoked_subcommand is not None:
        return
    from meal_assets.contracts import TOPICS
    from meal_assets.errors import Invalid
    from meal_assets.event_store.archives import files_with

    from .archived import tell_archived
    from .interrupts import Interrupt
    from .session import console, session

    if topic is not None and topic not in TOPICS:
        raise Invalid("--topic", f"{topic!r} is none of {', '.join(TOPICS)}")
    if until is not None and (after is None or follow):
        raise Invalid("--until", "ends what begins with --after, and does not go with --follow")
    types = tuple(TOPICS[topic]) if topic else ()
    if heard_by is not None:
        from .steering import subscriber_named

        heard = subscriber_named(heard_by, "--heard-by").listens_to
        types = tuple(e for e in heard if not topic or e.topic == topic)
        if not types:
            raise Invalid("--topic", f"{heard_by} listens to nothing of {topic!r}")
    with session() as s:
        newest = s.store.read_newest(types, limit) if after is None else s.store.read(after, types, limit, until=until)
        if after is None:
            first = newest[0].position if len(newest) == limit else 0
            with s.store.database.transaction() as db:
                tell_archived(files_with(db, first, [t.type_name for t in types]))
        for recorded in newest:
            console.print(_line(recorded), highlight=False, soft_wrap=True)
        if follow:
            last, interrupt = newest[-1].position if newest else s.store.head(), Interrupt()
            try:
                for batch in s.store.follow(last, types):
                    interrupt.check()
                    for recorded in batch:
                        console.print(_line(recorded), highlight=False, soft_wrap=True)
            except KeyboardInterrupt:
                return


def dead_letters(
    retry: Annotated[str | None, typer.Option(help="Let CONSUMER:POSITION be tried again.")] = None,
    retry_all: Annotated[str | None, typer.Option(help="Let all open letters of this consumer be tried again.")] = None,
    error_class: Annotated[str | None, typer.Option(help="With --retry-all: only errors of this class.")] = None,
    discard: Annotated[str | None, typer.Option(help="Say that CONSUMER:POSITION need not be handled.")] = None,
    reason: Annotated[str, typer.Option(help="Why it is discarded.")] = "",
    trace: Annotated[bool, typer.Option("--trace", help="Show where in the program each error was raised.")] = False,
) -> None:
    """Show events that a consumer could not handle; retry one or all of a kind, or discard one with a reason."""
    from meal_assets.commands import dead_letters as commands
    from meal_assets.errors import Invalid
    from meal_assets.read_models.dead_letters import MAX_SHOWN, unsettled_letters

    from .session import console, session
    from .switches import consumer_named
    from .tables import letters_table

    with session() as s:
        if retry:
            consumer, position = _letter(retry)
            commands.retry(s.store, consumer, position, _origin_about(s, position))
        if retry_all:
            consumer_named(retry_all)
            households = commands.households_with_letters(s.store, retry_all)
            every = [commands.retry_all(s.store, retry_all, s.origin(h), error_class) for h in households]
            console.print(f"{sum(map(len, every)):,} of {retry_all} are tried again.", highlight=False)
            if any(len(retried) == commands.MAX_AT_ONCE for retried in every):
                console.print("There may be more: the same command takes the next ones.")
        if discard:
            if not reason:
                raise Invalid("--reason", "is needed to discard an event")
            consumer, position = _letter(discard)
            commands.discard(s.store, consumer, position, reason, _origin_about(s, position))
        s.settle("Looking")
        with s.store.database.transaction() as db:
            letters = unsettled_letters(db)
    if not letters:
        console.print("No open dead letters.")
        return
    console.print(letters_table(letters))
    if len(letters) == MAX_SHOWN:
        console.print(f"These are the first {MAX_SHOWN:,}; there may be more.")
    for letter in letters if trace else ():
        console.print(f"{letter.consumer}:{letter.position} {letter.traceback or letter.error}", markup=False)


def _origin_about(s: "Session", position: int) -> "Origin":
    """The operator decides about letters of all households: each decision is the household's whose event it is."""
    from meal_assets.commands.dead_letters import household_at

    return s.origin(household_at(s.store, position))


def _letter(text: str) -> tuple[str, int]:
    from meal_assets.errors import Invalid

    consumer, _, position = text.partition(":")
    if not position.isdigit():
        raise Invalid("letter", f"{text!r} is not like generate_plan:7")
    return consumer, int(position)


def _line(recorded: object) -> str:
    from rich.markup import escape

    from meal_assets.event_store import Recorded

    assert isinstance(recorded, Recorded)
    said = recorded.event.model_dump_json(exclude_none=True)
    when = recorded.recorded_at.astimezone()
    return (
        f"[dim]{recorded.position:>7} {when:%Y-%m-%d %H:%M:%S}[/] [bold]{recorded.event.type_name}[/]"
        f" [dim]by {escape(recorded.actor)}[/] {escape(said if len(said) < 200 else said[:199] + '…')}"
    )


def _show_demo(s: "Session") -> None:
    from meal_assets import demo

    from .eat import show_days
    from .people import show_targets
    from .session import console, monday_of
    from .week import show_week

    today = s.day(None)
    console.print("[bold]A household of two[/]: Ada and Ben, the starter library, a planned week, three logged days.")
    for doing, act in demo.steps(s.store, s.origin, today):
        act()
        s.settle(doing)
    show_targets(s)
    show_week(s, monday_of(today))
    show_days(s, *demo.logged_days(today))


def _print_where(home: object, services: "Services", *, own: bool) -> None:
    from .session import console

    url = services.url

    where = "your own (MEALS_DATABASE_URL)" if own else f"embedded, in {home}/postgres"
    console.print(f"Database: {where} · Dagster: {url} · logs: {home}/logs", highlight=False, soft_wrap=True)
    if services.open:
        told = "open to everybody on this machine, since this is a demo: `meals up` without --demo asks for a token"
    else:
        told = "who asks needs a token: `meals token create NAME`"
    console.print(f"API: {services.api_url}/openapi.json, {told}.", highlight=False, soft_wrap=True)
    _print_links(url)
    console.print("Ctrl-C stops it. In another terminal: `meals status`, `meals week`, `meals --help`.")


def _print_pages(household: str, database: "Database", services: "Services") -> None:
    from meal_assets.event_store.tokens import create_link

    from .session import console

    pages = f"{services.api_url}/app/today"
    if not services.open:
        link = create_link(database, household, services.api_url)
        pages = f"{link} (logs you in, once; `meals token link` makes another)"
    console.print(f"Pages: {pages}", markup=False, highlight=False, soft_wrap=True)


def _print_links(url: str) -> None:
    from .session import console

    for what, path in (
        ("Who reacts to what", f"/asset-groups?expanded={GROUPS}"),
        ("The planned week, and which events made it", "/assets/read_model/week_plan"),
        ("Days as eaten", "/assets/read_model/daily_nutrition"),
    ):
        console.print(f"  {what}: [link={url}{path}]{url}{path}[/link]", highlight=False, soft_wrap=True)
