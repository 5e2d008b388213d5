"""`meals follow`: read models and, if asked, consumers followed by this process, with what they do on the screen."""

import time
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from meal_assets.clients.outside import Outside
    from meal_assets.event_store import EventStore
    from meal_assets.settings import Settings
    from meal_assets.subscriptions import Seen

SHOW_SECONDS = 0.5
"""The screen is drawn anew, or a line printed, no more often."""
RATE_SECONDS = 5.0
"""Over which a rate is taken."""
AGAIN_SECONDS = 1.0
"""After which a database that is gone is tried again."""


def add_to(app: typer.Typer) -> None:
    app.command()(follow)


def follow(
    consumers: Annotated[bool, typer.Option("--consumers", help="Also run the consumers, in this process.")] = False,
) -> None:
    """Bring read models to the head of the log as events come, without Dagster or beside it; Ctrl-C ends it.

    Dagster shows later what was folded here. Any number of these may run: each batch is folded by one of them.
    """
    from .interrupts import Interrupt
    from .session import console, session

    interrupt = Interrupt(each=True)
    with session() as s:
        screen = Screen(consumers=consumers)
        who = "Read models and consumers follow" if consumers else "Read models follow"
        console.print(f"{who} the log from {s.store.head():,} on. Ctrl-C ends it.", highlight=False)
        try:
            looking = _for_ever(s.store, s.settings, s.outside if consumers else None)
            with screen.live() as live, closing(looking) as looks:
                for seen in looks:
                    interrupt.check()
                    screen.note(seen)
                    screen.show(s.store, live)
        except KeyboardInterrupt:
            console.print("Ending what was begun; Ctrl-C again does not wait.")
            _end_threads()
    console.print(screen.summary(), highlight=False)


class Screen:
    """What was folded here, how fast, and how far each subscriber is behind: a table, or lines where none can be."""

    def __init__(self, *, consumers: bool) -> None:
        self._consumers = consumers
        self._total, self._shown = Counter[str](), Counter[str]()
        self._past = deque([(time.monotonic(), Counter[str]())])
        self._next = 0.0
        self._failed: dict[str, str] = {}
        self._told: dict[str, str] = {}

    @contextmanager
    def live(self) -> "Iterator[Live | None]":
        from rich.live import Live

        from .session import console

        if not console.is_terminal:
            yield None
            return
        with Live(console=console, auto_refresh=False) as live:
            yield live

    def note(self, seen: "Seen") -> None:
        """Add what was done."""
        done = Counter(seen.folded) + Counter({n: c.handled + c.set_aside for n, c in seen.consumed.items()})
        self._total += done
        self._failed = {
            name: why for name, why in self._failed.items() if name not in done and name not in seen.consumed
        }
        self._failed |= {
            name: f"{type(e).__name__}: {str(e).partition(chr(10))[0]}" for name, e in seen.failures.items()
        }
        self._failed |= {name: c.failed for name, c in seen.consumed.items() if c.failed}

    def show(self, store: "EventStore", live: "Live | None") -> None:
        """Draw it, if it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + SHOW_SECONDS
        self._past.append((now, self._total.copy()))
        while len(self._past) > 1 and now - self._past[0][0] > RATE_SECONDS:
            self._past.popleft()
        if live is not None:
            live.update(self._table(store), refresh=True)
        elif self._total != self._shown or self._failed != self._told:
            self._print(store)
        self._shown, self._told = self._total.copy(), dict(self._failed)

    def summary(self) -> str:
        return f"{self._total.total():,} events taken in here."

    def _rate(self, name: str) -> float:
        (began, before), (now, total) = self._past[0], self._past[-1]
        return (total[name] - before[name]) / (now - began) if now > began else 0.0

    def _table(self, store: "EventStore") -> "RenderableType":
        from rich.table import Table

        from meal_assets.consumers import Consumer
        from meal_assets.subscriptions import standings

        table = Table("subscriber", "at", "lag", "taken in here", "events/s", "state")
        for standing in standings(store):
            subscriber = standing.subscriber
            if issubclass(subscriber, Consumer) and not self._consumers:
                continue
            name = subscriber.name
            failed = self._failed.get(name) or standing.stopped_because
            table.add_row(
                name,
                f"{max(standing.position, 0):,}",
                f"{standing.lag:,}, {standing.lag_seconds:,.1f} s" if standing.behind else "",
                f"{self._total[name]:,}",
                f"{self._rate(name):,.1f}",
                _state(paused=standing.paused, failed=failed, behind=standing.behind),
            )
        return table

    def _print(self, store: "EventStore") -> None:
        from meal_assets.subscriptions import standings

        from .session import console

        stand = {s.subscriber.name: s for s in standings(store)}
        for name, count in (self._total - self._shown).items():
            at = stand[name]
            console.print(
                f"{datetime.now():%H:%M:%S} {name}: {count:,} events, {self._rate(name):,.1f}/s,"
                f" at {at.position:,}, {at.lag:,} behind",
                highlight=False,
                soft_wrap=True,
            )
        for name, why in self._failed.items():
            if self._told.get(name) != why:
                line = f"{datetime.now():%H:%M:%S} {name} cannot go on: {why}"
                console.print(line, markup=False, highlight=False, soft_wrap=True)


def _state(*, paused: bool, failed: str | None, behind: bool) -> str:
    from rich.markup import escape

    if paused:
        return "[yellow]paused[/]"
    if failed:
        return f"[red]cannot go on[/]: {escape(failed)}"
    return "[yellow]behind[/]" if behind else "[green]current[/]"


def _for_ever(store: "EventStore", settings: "Settings", consumers: "Outside | None") -> "Generator[Seen, None, None]":
    """What is done; where the database goes away, it is waited for, and an embedded one started again."""
    import psycopg

    from meal_assets.errors import Unavailable
    from meal_assets.event_store.embedded import restart_embedded
    from meal_assets.subscriptions import follow

    from .session import console

    while True:
        try:
            with closing(follow(store, consumers=consumers)) as looks:
                yield from looks
        except (psycopg.OperationalError, Unavailable) as error:
            first = str(error).strip().partition("\n")[0]
            console.print(f"The database is gone ({first}); trying again.", markup=False, soft_wrap=True)
            time.sleep(AGAIN_SECONDS)
            if settings.database_url is None:
                restart_embedded(settings.home)


def _end_threads() -> None:
    """Wait for what the threads are at; a second Ctrl-C does not, and what it cuts off is done again later."""
    import os
    import threading

    try:
        for thread in threading.enumerate():
            if thread.name.startswith(("fold", "consume")):
                thread.join()
    except KeyboardInterrupt:
        os._exit(130)
