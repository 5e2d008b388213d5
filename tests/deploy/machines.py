"""Machines that share nothing but PostgreSQL and Redis: each has its own program, home and temporary folder."""

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

from .servers import PROJECT, STOP_SECONDS, Postgres, Process, await_port

PARTS = ("meal_assets", "deploy", "definitions.py")


@dataclass(slots=True)
class Machine:
    """A copy of the program in a folder, and what runs from it."""

    folder: Path
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)

    def start(self, *arguments: str) -> Process:
        """A Python module of the program's environment, in a session of its own."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=self.folder / "app",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def run(self, *arguments: str) -> None:
        """The same, to its end."""
        assert self.start(*arguments).wait() == 0, self.log()

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

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


class Site:
    """All machines of one service."""

    def __init__(self, folder: Path, postgres: Postgres, broker: str) -> None:
        self.folder, self.postgres, self.broker = folder, postgres, broker
        self.machines: dict[str, Machine] = {}

    def machine(self, name: str, role: str = "meals_service", workspace: str | None = None) -> Machine:
        """A new machine whose services log in as the role."""
        folder = self.folder / name
        for part in ("app", "home", "tmp"):
            (folder / part).mkdir(parents=True)
        for name_of_part in PARTS:
            here, there = PROJECT / name_of_part, folder / "app" / name_of_part
            if here.is_dir():
                shutil.copytree(here, there)
            else:
                shutil.copy(here, there)
        if workspace:
            (folder / "app" / "deploy" / "workspace.yaml").write_text(workspace)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEALS_", "DAGSTER_", "PG", "PYTHON"))}
        environment = kept | {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "MEALS_HOME": str(folder / "home"),
            "DAGSTER_HOME": str(folder / "app" / "deploy"),
            "MEALS_DATABASE_URL": self.postgres.url(role),
            "PGPASSWORD": self.postgres.passwords[role],
            "DAGSTER_CELERY_BROKER_URL": self.broker,
        }
        self.machines[name] = Machine(folder, environment)
        return self.machines[name]

    def code_server(self, name: str, host: str, port: int) -> Machine:
        """Serves definitions.py; all code servers are the same one to whoever asks."""
        machine = self.machine(name)
        arguments = ["-m", "definitions", "-h", host, "-p", str(port), "--fixed-server-id", "meals"]
        process = machine.start("dagster", "api", "grpc", *arguments)
        await_port(port, process, host=host)
        return machine

    def worker(self, name: str) -> Machine:
        machine = self.machine(name)
        machine.start("celery", "-A", "deploy.celery_app", "worker", "-n", f"{name}@%h", "-c", "1", "-l", "info")
        return machine

    def daemon(self, name: str, code_host: str, code_port: int) -> Machine:
        server = {"host": code_host, "port": code_port, "location_name": "meal_assets"}
        machine = self.machine(name, workspace=yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        machine.start("dagster._daemon", "run", "-w", "deploy/workspace.yaml")
        return machine

    def logs(self) -> str:
        return "\n".join(f"==> {name}\n{machine.log()}" for name, machine in self.machines.items())

    def stop(self) -> None:
        for machine in reversed(self.machines.values()):
            machine.kill()
