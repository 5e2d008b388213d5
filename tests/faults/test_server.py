"""What the embedded server leaves behind when it is killed does not keep the next one from starting."""

import subprocess
import threading
from contextlib import suppress
from typing import Any

import psutil
import psycopg
import pytest

from meal_assets.event_store.embedded import embedded_server, stop_embedded

from .server import Server

BUSY = "DO $$ BEGIN LOOP NULL; END LOOP; END $$"
"""A backend that never looks whether its postmaster is still there."""
pytestmark = pytest.mark.slow


def runs_for_ever(url: str, pids: "list[int]", known: threading.Event) -> None:
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        pids.append(connection.info.backend_pid)
        known.set()
        connection.execute(BUSY)


def test_a_busy_backend_of_a_server_that_was_killed_does_not_keep_the_next_one_from_starting(frail: Server) -> None:
    pids: list[int] = []
    known = threading.Event()
    client = threading.Thread(target=runs_for_ever, args=(frail.url, pids, known), daemon=True)
    client.start()
    assert known.wait(10)
    frail.kill()
    frail.up()
    assert not psutil.pid_exists(pids[0]) or psutil.Process(pids[0]).status() == psutil.STATUS_ZOMBIE
    client.join(10)
    with frail.owner() as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)


def test_one_that_recovers_for_longer_than_its_starter_waits_is_waited_for(
    frail: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    package = embedded_server().postgres_server
    patient = package.pgexec

    def pgexec(*told: Any, timeout: float | None = None, **how: Any) -> Any:
        if timeout is not None:
            waits.append(timeout)
            timeout = 0.01 if len(waits) == 1 else timeout
        return patient(*told, timeout=timeout, **how)

    monkeypatch.setattr(package, "pgexec", pgexec)
    frail.kill()
    frail.up()
    assert waits
    with frail.owner() as owner:
        assert owner.execute("SELECT 1").fetchone() == (1,)


def test_one_that_somebody_else_starts_is_waited_for(frail: Server) -> None:
    handle = embedded_server().get_server(frail.data)

    def pg_ctl(*told: str) -> None:
        command = [handle.bin_path / "pg_ctl", "-D", frail.data, "-l", frail.data / "log", *told]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=handle.system_user)

    stop_embedded(frail.home)
    (frail.data / "standby.signal").touch()  # it reads again what was written before, and is not ready until told so
    pg_ctl("-w", "-o", f'-h "" -k {frail.data} -c hot_standby=off', "start")
    told = threading.Timer(0.5, pg_ctl, ["-W", "promote"])
    told.start()
    frail.up()
    told.join()
    with frail.owner() as owner:
        assert owner.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
