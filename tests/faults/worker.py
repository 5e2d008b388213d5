"""What gets killed: a process that does one kind of work for ever. An appender writes down what was acknowledged."""

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import psycopg

from meal_assets.consumers import Consumer, Said, consume
from meal_assets.consumers.reconcile import Reconcile
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.diary import DayClosed, MealLogged, MealLogRetracted
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.event_store import Appended, Database, EventStore, Origin, Recorded
from meal_assets.event_store.database import fetch_row, migrate
from meal_assets.read_models import READ_MODELS, rebuild
from meal_assets.subscriptions import fold_all

MOST_BEHIND = 100
LOOK_SECONDS = 0.2
"""A follower looks by itself this often, beside being notified."""
DAYS = [date(2026, 11, 23) + timedelta(days=n) for n in range(200)]
DEEDS = [e for e in EVENTS.values() if e.topic not in ("system", "diary")]
"""What examples may be said of again and again; of a diary entry that would break its rules."""
REBUILT = [model for n, model in enumerate(READ_MODELS.values()) if n % 2]
"""Every other read model: a rebuild would mend what a fold broke, so the others show what folding alone comes to."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is to do, and where it says what it did."""

    name: str
    kind: str
    url: str
    seed: int
    folder: Path
    once: bool = True
    """Without it an append whose answer was lost is repeated without its key: the bug this harness must find."""
    dies_at: int | None = None
    """After so many commits it dies between the commit and writing it down: the answer is lost for certain."""

    @property
    def journal(self) -> "Journal":
        return Journal(self.folder / f"{self.name}.journal")


class Journal:
    """Which appends of a worker were acknowledged, and at which positions; it survives its writer's death."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[tuple[int, int, int]]:
        """(number of the append, first position, last position), without a last line that was not written out."""
        if not self.path.exists():
            return []
        *lines, _ = self.path.read_text().split("\n")
        return [tuple(json.loads(line)) for line in lines]

    def next(self) -> int:
        """The number of the first append that nobody acknowledged; forgets half a line."""
        entries = self.entries()
        self.path.write_text("".join(json.dumps(e) + "\n" for e in entries))
        return len(entries)

    def write(self, n: int, answer: Appended) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps([n, answer.first, answer.last]) + "\n")
            file.flush()
            os.fsync(file.fileno())


class Echo(Consumer):
    """Says exactly one event about each meal, and one that no other meal could have made it say."""

    listens_to = (MealLogged,)
    says = (ItemTicked,)

    def __init__(self, step: Callable[[], None]) -> None:
        self.step = step

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        assert isinstance(recorded.event, MealLogged)
        yield Said(ItemTicked(week=DAYS[0], item=f"echo of {recorded.event.entry}"))
        self.step()


class Reconciling(Reconcile):
    """The real one, seen at work."""

    def __init__(self, step: Callable[[], None]) -> None:
        self.step = step

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        yield from super().handle(recorded, log)
        self.step()


def deed(worker: str, seed: int, n: int) -> list[Event]:
    """What the n-th append of a worker says: the same in each of its lives."""
    chance = Random(f"{seed}/{worker}/{n}")
    if chance.random() < 0.4:
        kind = chance.choice(DEEDS)
        return [kind.model_validate(chance.choice(kind.examples))]
    person, day = chance.choice(["ada", "ben"]), chance.choice(DAYS)
    if chance.random() < 0.1:
        return [DayClosed(person=person, day=day)]
    meal = MealLogged.examples[1] | {"person": person, "day": day}
    logged = [
        MealLogged.model_validate(
            meal | {"entry": f"{worker}.{n}.{part}", "nutrition": meal["nutrition"] | {"kcal": chance.randint(1, 900)}}
        )
        for part in range(chance.randint(1, 4))
    ]
    last = logged[-1]
    if chance.random() < 0.7:
        return [*logged]
    return [*logged, MealLogRetracted(entry=last.entry, person=person, day=day, before=last.nutrition)]


def say(store: EventStore, task: Task, n: int) -> Appended:
    """The n-th append of the worker."""
    events = deed(task.name, task.seed, n)
    return store.append(
        events[0].stream_in("home"),
        events,
        origin=Origin("home", f"{task.name}:{n}"),
        once=f"{task.name}:{n}" if task.once else None,
    )


def append(task: Task, store: EventStore, step: Callable[[], None]) -> None:
    n, commits = task.journal.next(), 0
    with store.listen() as wait:
        while True:
            answer = say(store, task, n)
            commits += 1
            if commits == task.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            task.journal.write(n, answer)
            n += 1
            step()
            while _too_far_ahead(store):
                wait(LOOK_SECONDS)


def _too_far_ahead(store: EventStore) -> bool:
    """Whether those who follow cannot keep up: more would only make a backlog, and nobody's work would ever end."""
    with store.database.transaction() as db:
        (behind,) = fetch_row(
            db,
            "SELECT (SELECT coalesce(max(position), 0) FROM log.events) - coalesce(min(position), 0)"
            " FROM log.checkpoints WHERE subscriber IN ('echo', 'event_statistics')",
        )
    return bool(behind > MOST_BEHIND)


def fold(task: Task, store: EventStore, step: Callable[[], None]) -> None:
    with store.listen() as wait:
        while True:
            for failure in fold_all(store):
                raise failure
            step()
            wait(LOOK_SECONDS)


def echo(task: Task, store: EventStore, step: Callable[[], None]) -> None:
    _react(Echo(step), store, step)


def reconcile(task: Task, store: EventStore, step: Callable[[], None]) -> None:
    _react(Reconciling(step), store, step)


def _react(consumer: Consumer, store: EventStore, step: Callable[[], None]) -> None:
    with store.listen() as wait:
        while True:
            done = consume(consumer, store)
            step()
            if not done.failed:
                wait(LOOK_SECONDS)


def build(task: Task, store: EventStore, step: Callable[[], None]) -> None:
    chance = Random(os.urandom(8))
    while True:
        rebuild(chance.choice(REBUILT)(), store, progress=lambda _: step())
        step()


KINDS = {"append": append, "fold": fold, "echo": echo, "reconcile": reconcile, "build": build}


def work(task: Task, told: Connection) -> None:
    """One life of a worker. It goes on through outages of the server; whatever else happens to it is written down."""
    os.set_blocking(told.fileno(), False)

    def step() -> None:
        with suppress(BlockingIOError):  # nobody looks just now
            os.write(told.fileno(), b".")

    try:
        with Database(task.url) as database:
            while True:
                try:
                    migrate(task.url)
                    KINDS[task.kind](task, EventStore(database), step)
                except psycopg.OperationalError:
                    _until_up(database)
    except Exception:
        (task.folder / f"{task.name}.failure").write_text(traceback.format_exc())
        raise


def _until_up(database: Database) -> None:
    """Return when the server answers: the pool waits for it, and throws away connections that are cut."""
    while True:
        try:
            with database.transaction() as db:
                db.execute("SELECT 1")
                return
        except psycopg.OperationalError:
            continue
