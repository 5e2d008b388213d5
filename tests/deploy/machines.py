"""Machines that share nothing but PostgreSQL and Redis: each has its own program, home and temporary folder.

What runs on them are the commands of deploy/compose.yaml.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from .servers import COMPOSE, PROJECT, STOP_SECONDS, Postgres, Process, await_port

PARTS = ("meal_assets", "deploy", "definitions.py")
DEFAULT_ID = "${TAG:-dev}"
PROGRAMS = Path(sys.executable).parent


@dataclass(slots=True)
class Machine:
    """A copy of the program in a folder, and what runs from it."""

    folder: Path
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    def start(self, command: list[str]) -> Process:
        """A program of this environment, in a session of its own."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder / "app",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self) -> None:
        """The machine is gone: nothing on it gets a chance to say anything."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)
        self.processes.clear()

    def connects_from(self, port: int) -> bool:
        """Whether a process of this machine has a connection from this port."""
        for started in self.processes:
            with suppress(psutil.NoSuchProcess):
                first = psutil.Process(started.pid)
                for process in (first, *first.children(recursive=True)):
                    if any(c.laddr and c.laddr.port == port for c in process.net_connections("tcp4")):
                        return True
        return False

    def healthy(self, service: str, **changed: str) -> bool:
        """What the service's health check says here."""
        kind, *command = COMPOSE["services"][service]["healthcheck"]["test"]
        assert kind == "CMD"
        changed["python"] = sys.executable
        asked = [changed.get(word, word).replace("$$", "$") for word in command]
        done = subprocess.run(asked, cwd=self.folder / "app", env=self.environment, check=False, capture_output=True)
        return done.returncode == 0

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Site:
    """All machines of one service."""

    def __init__(self, folder: Path, postgres: Postgres, broker: str) -> None:
        self.folder, self.postgres, self.broker = folder, postgres, broker
        self.machines: dict[str, Machine] = {}

    def migrate(self) -> None:
        machine = self.machine("migrate", role="meals_owner")
        assert machine.start(command_of("migrate")).wait() == 0, machine.log()

    def code_server(self, name: str, host: str, port: int) -> Machine:
        machine = self.machine(name)
        process = machine.start(command_of("code", **{"0.0.0.0": host, "4000": str(port), DEFAULT_ID: "test"}))
        await_port(port, process, host=host)
        return machine

    def worker(self, name: str) -> Machine:
        machine = self.machine(name)
        machine.start(command_of("worker", **{"worker@%h": f"{name}@%h", "2": "1"}))
        return machine

    def daemon(self, name: str, code_host: str, code_port: int) -> Machine:
        machine = self.machine(name)
        server = {"host": code_host, "port": code_port, "location_name": "meal_assets"}
        workspace = machine.folder / "app" / "deploy" / "workspace.yaml"
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        machine.start(command_of("daemon"))
        return machine

    def machine(self, name: str, role: str = "meals_service") -> Machine:
        """A new machine whose services log in as the role."""
        folder = self.folder / name
        for part in ("app", "home", "tmp"):
            (folder / part).mkdir(parents=True)
        for part in PARTS:
            here, there = PROJECT / part, folder / "app" / part
            if here.is_dir():
                shutil.copytree(here, there, ignore=shutil.ignore_patterns("secrets"))
            else:
                shutil.copy(here, there)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEALS_", "DAGSTER_", "PG", "PYTHON"))}
        environment = kept | {
            "PATH": os.pathsep.join([str(PROGRAMS), kept["PATH"]]),
            "PYTHONPATH": str(folder / "app"),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "MEALS_HOME": str(folder / "home"),
            "DAGSTER_HOME": str(folder / "app" / "deploy"),
            "MEALS_DATABASE_URL": self.postgres.url(role),
            "PGPASSWORD": self.postgres.passwords[role],
            "MEALS_KEY": os.environ["MEALS_KEY"],
            "DAGSTER_CELERY_BROKER_URL": self.broker,
        }
        self.machines[name] = Machine(folder, environment)
        return self.machines[name]

    def logs(self) -> str:
        return "\n".join(f"==> {name}\n{machine.log()}" for name, machine in self.machines.items())

    def stop(self) -> None:
        for machine in reversed(self.machines.values()):
            machine.kill()


def command_of(service: str, **changed: str) -> list[str]:
    """The service's command, with other words where they are given."""
    program, *arguments = COMPOSE["services"][service]["command"]
    return [str(PROGRAMS / program), *(changed.get(word, word) for word in arguments)]
