"""Kills processes at random moments while all of them work on one log, until so many have died."""

import os
import select
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

import psutil
from psycopg.conninfo import conninfo_to_dict

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.database import migrate
from tests.processes import forked, processes

from .proof import Proof, prove
from .server import Server
from .worker import Task, work

PATIENCE = 300.0
"""Seconds of work of the whole crew, after which one of them that should have done something never will."""
IDLE_LOOKS = 60
"""So many looks in a row at which nobody of the crew had worked at all: they wait for each other."""
LOOK_SECONDS = 1.0
PIPE_BYTES = 65_536
"""More than a pipe holds: all that a worker has told."""
AT_WORK_SECONDS = 0.15
"""A victim works for so long at most before it dies."""
MIGRATING_SECONDS = 0.4
UNANSWERED_SHARE = 0.3
"""So many appenders' lives end between a commit and writing down its answer."""
CREW = {"append": 2, "fold": 2, "echo": 2, "reconcile": 1, "build": 1}
SHARES = {"append": 7, "fold": 5, "echo": 4, "reconcile": 2, "build": 3, "migrate": 2, "server": 2}
"""Who dies how often of 25 times."""


@dataclass(slots=True)
class Life:
    """One process of a worker."""

    task: Task
    process: BaseProcess
    told: Connection
    crew: "Crew"

    def until_at_work(self, steps: int = 1) -> bool:
        """Wait until it has done so many more steps from now on; False when it died before."""
        if select.select([self.told.fileno()], [], [], 0)[0] and not os.read(self.told.fileno(), PIPE_BYTES):
            return False
        while steps > 0:
            self._until_told()
            done = os.read(self.told.fileno(), PIPE_BYTES)
            if not done:
                return False
            steps -= len(done)
        return True

    def _until_told(self) -> None:
        """Wait for it, however long a busy machine takes: patience is measured in work that was done meanwhile."""
        began, last, idle = self.crew.worked(), -1.0, 0
        while not select.select([self.told.fileno()], [], [], LOOK_SECONDS)[0]:
            worked = self.crew.worked()
            idle = idle + 1 if worked == last else 0
            if worked - began > PATIENCE or idle > IDLE_LOOKS:
                raise AssertionError(f"{self.task.name} does nothing, and the others have worked {worked - began:g} s")
            last = worked

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.told.close()


class Crew:
    """The workers on one log. On leaving all are killed; raises when one of them failed of itself."""

    def __init__(self, url: str, folder: Path, seed: int, *, once: bool = True) -> None:
        self.url, self.folder, self.seed, self.once = url, folder, seed, once
        self.socket = str(conninfo_to_dict(url)["host"])
        self.lives: dict[str, Life] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for life in self.lives.values():
            life.end()
        failures = [path.read_text() for path in self.folder.glob("*.failure")]
        if failures:
            raise AssertionError("\n".join(failures)) from error

    def start(self, kind: str, number: int = 0, dies_at: int | None = None) -> Life:
        """A worker of this kind, or its next life."""
        name = f"{kind}-{number}"
        if name in self.lives:
            self.lives[name].end()
        task = Task(name, kind, self.url, self.seed, self.folder, self.once, dies_at)
        ours, theirs = processes.Pipe(duplex=False)
        process = forked(work, task, theirs, daemon=True)
        process.start()
        theirs.close()
        self.lives[name] = Life(task, process, ours, self)
        return self.lives[name]

    def start_all(self) -> None:
        """Everybody, at work."""
        for kind, many in CREW.items():
            for number in range(many):
                self.start(kind, number)
        for life in self.lives.values():
            life.until_at_work()

    def worked(self) -> float:
        """Seconds of processor time that those who live have had, they and the server for them."""
        total = 0.0
        pids = [life.process.pid for life in self.lives.values()]
        with suppress(OSError, IndexError, ValueError, psutil.Error):  # the server may be going down, or coming up
            postmaster = int((Path(self.socket) / "postmaster.pid").read_text().split()[0])
            pids += [postmaster, *(child.pid for child in psutil.Process(postmaster).children())]
        for pid in pids:
            with suppress(psutil.Error):
                times = psutil.Process(pid).cpu_times()
                total += times.user + times.system
        return total

    def appenders(self) -> list[Task]:
        return [life.task for life in self.lives.values() if life.task.kind == "append"]


def storm(server: Server, folder: Path, seed: int, kills: int) -> Proof:
    """Kill so many times, each at a random moment of the victim's work, and prove what is left."""
    chance = Random(seed)
    url = server.new_database()
    pause = processes.Event()  # never set: waiting for it is letting a random time pass
    with Crew(url, folder, seed) as crew:
        crew.start_all()
        for victim in schedule(chance, kills):
            if victim == "server":
                pause.wait(chance.uniform(0, AT_WORK_SECONDS))
                server.kill()
                server.up()
            elif victim == "migrate":
                _kill_migration(server, chance)
            else:
                _kill_worker(crew, victim, chance)
    with Database(url) as database:
        return prove(EventStore(database), crew.appenders())


def schedule(chance: Random, kills: int) -> list[str]:
    """Who is killed, one after the other."""
    victims = [kind for kind, share in SHARES.items() for _ in range(share)]
    rounds = [chance.sample(victims, len(victims)) for _ in range(-(-kills // len(victims)))]
    return [victim for each in rounds for victim in each][:kills]


def _kill_worker(crew: Crew, kind: str, chance: Random) -> None:
    """Kill one of this kind at work and start its next life; some appenders have died by themselves, unanswered."""
    number = chance.randrange(CREW[kind])
    life = crew.lives[f"{kind}-{number}"]
    if life.until_at_work():
        life.process.join(chance.uniform(0, AT_WORK_SECONDS))
    dies_at = chance.randint(1, 20) if kind == "append" and chance.random() < UNANSWERED_SHARE else None
    crew.start(kind, number, dies_at)


def _kill_migration(server: Server, chance: Random) -> None:
    """Kill a first start on an empty database; the next start finds a database it can use."""
    url = server.new_database()
    process = forked(migrate, url, daemon=True)
    process.start()
    process.join(chance.uniform(0, MIGRATING_SECONDS))
    process.kill()
    process.join()
    migrate(url)
    with Database(url) as database:
        assert EventStore(database).head() == 0
