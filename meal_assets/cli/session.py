"""One command's way into the log, and waiting until everybody has reacted to it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from meal_assets.clients.outside import Outside
from meal_assets.errors import Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.settings import Settings

from .services import is_up, running

PATIENCE_SECONDS = 120
"""How long to wait for somebody else's process without seeing anything move."""
LOOK_SECONDS = 0.2

console = Console()


@dataclass(frozen=True, slots=True)
class Session:
    """The settings of this machine and the log they name."""

    settings: Settings
    store: EventStore

    @property
    def household(self) -> str:
        return self.settings.household

    def origin(self, household: str | None = None) -> Origin:
        """A new command by the person at the keyboard, for this machine's household or another one."""
        return Origin(household or self.settings.household, self.settings.actor)

    def day(self, given: datetime | None) -> date:
        """The day that was given, or the household's today."""
        return given.date() if given else self.settings.today()

    @property
    def outside(self) -> Outside:
        """Whom this machine's settings know outside."""
        return Outside.of(self.settings)

    def settle(self, doing: str, so_far: Callable[[], str] = str) -> None:
        """Wait until every read model and consumer has reacted to all there is, with progress on the screen.

        `so_far` says more about how far it is.
        Where `meals up` runs, its Dagster does the work; else this process does.
        """
        with progress() as bar:
            task = bar.add_task(doing, total=None)
            if is_up(self.settings.home):
                _watch(self.store, bar, task, doing, so_far)
            else:
                _work(self.store, self.outside, bar, task, lambda: f"{doing} {so_far()}".strip())


@contextmanager
def session() -> Iterator[Session]:
    """The settings and the opened log."""
    settings = _with_made_up(Settings())
    with Database.open(settings) as database:
        yield Session(settings, EventStore(database))


def tell_position(position: int) -> None:
    """Say what is in what was shown."""
    console.print(f"As of position {position:,} of the log.", style="dim", highlight=False)


def _with_made_up(settings: Settings) -> Settings:
    """Where a demo runs in this home, its made-up services stand in for those that nobody set."""
    if not is_up(settings.home):
        return settings
    others = running(settings.home).get("others")
    given = {name.removeprefix("MEALS_").lower(): v for name, v in (others if isinstance(others, dict) else {}).items()}
    made_up: dict[str, Any] = {name: v for name, v in given.items() if not _is_set(settings, name.partition("_")[0])}
    return Settings(**made_up) if made_up else settings


def _is_set(settings: Settings, service: str) -> bool:
    return bool({"tandoor": settings.tandoor_url, "fatsecret": settings.fatsecret_key}.get(service))


def progress() -> Progress:
    """A progress display that leaves no trace when it is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _work(store: EventStore, outside: Outside, bar: Progress, task: TaskID, doing: Callable[[], str]) -> None:
    from meal_assets.subscriptions import settle

    failure: list[BaseException] = []

    def run() -> None:
        try:
            settle(store, outside)
        except BaseException as error:
            failure.append(error)

    worker = threading.Thread(target=run, name="settle", daemon=True)
    first = store.head()
    worker.start()
    while worker.is_alive():
        worker.join(LOOK_SECONDS)
        _show(bar, task, doing(), store.head() - first)
    if failure:
        raise failure[0]
    _complain(store)


def _watch(store: EventStore, bar: Progress, task: TaskID, doing: str, so_far: Callable[[], str]) -> None:
    from meal_assets.subscriptions import standings

    first = store.head()
    seen: object = None
    moved = time.monotonic()
    with store.listen() as wait:
        while behind := [s for s in standings(store) if s.due]:
            now = [(s.subscriber.name, s.position, so_far()) for s in behind]
            if now != seen:
                seen, moved = now, time.monotonic()
            what = f"{doing} {so_far()}".strip()
            _show(bar, task, f"{what}: {', '.join(s.subscriber.name for s in behind)}", store.head() - first)
            if _complain(store):
                return
            if time.monotonic() - moved > PATIENCE_SECONDS:
                raise Unavailable(
                    f"{', '.join(name for name, *_ in now)} did not move for {PATIENCE_SECONDS} s."
                    " `meals status` shows what runs; `meals down`, then `meals up`, starts it anew. Nothing is lost."
                )
            wait(LOOK_SECONDS)


def _show(bar: Progress, task: TaskID, doing: str, events: int) -> None:
    bar.update(task, description=f"{doing} ({events:,} new events)" if events else doing)


def _complain(store: EventStore) -> bool:
    """Say which consumers could not go on; True when one will not soon, so that waiting makes no sense."""
    from meal_assets.consumers import Consumer
    from meal_assets.consumers.base import failed_attempts
    from meal_assets.subscriptions import standings

    tried = failed_attempts(store)
    stuck = {
        name: f"{f'will try again[/] (attempt {t.attempts})' if t.attempts else 'waits[/]'}: {escape(t.error)}"
        for name, t in tried.items()
        if t.backing_off
    }
    for standing in standings(store):
        if standing.stopped_at and issubclass(standing.subscriber, Consumer) and standing.subscriber.name not in tried:
            stuck[standing.subscriber.name] = f"waits[/]: {escape(standing.stopped_because or '')}"
    for name, why in stuck.items():
        console.print(f"[yellow]{name} could not go on and {why}", soft_wrap=True)
    return bool(stuck)
