"""What the embedded server leaves behind when it is killed does not keep the next one from starting."""

import threading
from contextlib import suppress

import psutil
import psycopg
import pytest

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
