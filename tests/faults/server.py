"""An embedded server of the harness's own, which may be killed and restarted, and the databases on it."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import conninfo_to_dict

from meal_assets.event_store.embedded import embedded_server, embedded_url, stop_embedded

numbers = count(1)


class Server:
    """The embedded server of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.up()

    def up(self) -> None:
        """Start it if it does not run, as the first command after a crash does."""
        self.url = embedded_url(self.home)

    def new_database(self) -> str:
        """URL of an empty database."""
        name = f"fault_{next(numbers)}"
        with self.owner() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?", 1)

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        """A superuser's connection."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection

    def postmaster(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """SIGKILL to the postmaster: nothing is written out, nobody is told."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGKILL)
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            pass  # a signal is delivered when the other process is next scheduled

    def restart(self) -> None:
        """What an operator's immediate restart does: every backend is aborted, the log is replayed."""
        handle = embedded_server().get_server(self.data)
        subprocess.run(
            [handle.bin_path / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-l", self.data / "log", "restart"],
            check=True, stdout=subprocess.DEVNULL, user=handle.system_user,
        )  # fmt: skip

    def cut(self, url: str, most: int = 1) -> int:
        """End so many connections to the database of `url`, whatever they are doing; how many there were."""
        with self.owner() as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s ORDER BY random() LIMIT %s",
                (conninfo_to_dict(url)["dbname"], most),
            )
            return ended.rowcount


@contextmanager
def server() -> Iterator[Server]:
    """A server in a home of its own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="meals-faults-") as home:
        Path(home).chmod(0o755)  # the server runs as another user when the tests run as root
        try:
            yield Server(Path(home))
        finally:
            stop_embedded(Path(home))
