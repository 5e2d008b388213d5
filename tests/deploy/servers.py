"""The servers that a service would have: PostgreSQL and Redis from the distribution's packages, with passwords."""

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text())
READY_SECONDS = 60
STOP_SECONDS = 10
OLDEST_POSTGRES = 15
Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server that has run deploy/postgres/roles.sql; `passwords` by role."""

    port: int
    passwords: dict[str, str]

    def url(self, role: str) -> str:
        """What the machines are told; the password comes to them another way."""
        return f"postgresql://{role}@127.0.0.1:{self.port}/meals"

    def url_with_password(self, role: str) -> str:
        return self.url(role).replace("@", f":{self.passwords[role]}@", 1)


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """The newest PostgreSQL installed here, with the settings of deploy/compose.yaml, in the folder."""
    programs = _postgres_programs()
    data, port = folder / "data", free_port()
    passwords = {role: secrets.token_urlsafe(12) for role in ("postgres", "meals_owner", "meals_service")}
    for role, password in passwords.items():
        (folder / role).write_text(password)
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    for path in (folder, *folder.iterdir()) if user else ():
        shutil.chown(path, user)
    options = ["-U", "postgres", "--pwfile", folder / "postgres", "-A", "scram-sha-256", "--locale", "C.UTF-8"]
    subprocess.run([programs / "initdb", "-D", data, *options], check=True, stdout=subprocess.DEVNULL, user=user)
    settings = COMPOSE["services"]["postgres"]["command"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                programs / "postgres",
                "-D",
                data,
                "-p",
                str(port),
                "-k",
                folder,
                "-c",
                "listen_addresses=127.0.0.1",
                *settings,
            ],
            stdout=log,
            stderr=log,
            user=user,
        )
    environment = os.environ | {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(port),
        "PGUSER": "postgres",
        "PGPASSWORD": passwords["postgres"],
        "OWNER_PASSWORD_FILE": str(folder / "meals_owner"),
        "SERVICE_PASSWORD_FILE": str(folder / "meals_service"),
    }
    try:
        await_port(port, process, ready=lambda: _quietly([programs / "pg_isready", "-q"], environment))
        roles = PROJECT / "deploy" / "postgres" / "roles.sql"
        subprocess.run(
            [programs / "psql", "-q", "-d", "postgres", "-f", roles],
            check=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        yield Postgres(port, passwords)
    finally:
        process.send_signal(2)  # fast shutdown: it does not wait for its clients
        process.wait(STOP_SECONDS)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """URL of a Redis that keeps nothing on the disk."""
    program = shutil.which("redis-server") or pytest.skip("there is no redis-server here: apt-get install redis-server")
    port, password = free_port(), secrets.token_urlsafe(12)
    process = subprocess.Popen([program, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=folder)
    assert process.stdin
    process.stdin.write(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\n'.encode())
    process.stdin.close()
    try:
        await_port(port, process)
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(STOP_SECONDS)


def _postgres_programs() -> Path:
    """The folder of the newest server's programs, where it is new enough."""
    found = {int(p.parts[-3]): p.parent for p in Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")}
    if not found or max(found) < OLDEST_POSTGRES:
        pytest.skip(f"there is no PostgreSQL {OLDEST_POSTGRES} or newer here: apt-get install postgresql")
    return found[max(found)]


def _quietly(command: list[object], environment: dict[str, str]) -> bool:
    return subprocess.run(list(map(str, command)), env=environment, check=False).returncode == 0


def await_port(port: int, process: Process, host: str = "127.0.0.1", ready: Callable[[], bool] = lambda: True) -> None:
    """Until somebody listens, and is ready; fails when the process ends before."""
    for _ in range(READY_SECONDS * 20):
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            if ready():
                return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{process.args!r} ended with {process.wait(timeout=0.05)}")
    raise AssertionError(f"{process.args!r} does not listen on {host}:{port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
