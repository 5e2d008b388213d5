"""`meals up`: everything starts, reacts, shows itself, and stops without a trace, however it is stopped."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from meal_assets.cli.services import free_port
from tests.processes import PROJECT

from .conftest import Meals, environment

START_SECONDS = 120
pytestmark = pytest.mark.slow


@contextmanager
def up(home: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A running `meals up`, once it says how to stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "meal_assets.cli", "up", *options],
        cwd=PROJECT,
        env=environment(home) | {"MEALS_PORT": str(free_port(38_000))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What it prints up to a line with the text; fails when it ends before."""
    assert process.stdout
    read = ""
    deadline = time.monotonic() + START_SECONDS
    for line in process.stdout:
        read += line
        if text in line:
            return read
        assert time.monotonic() < deadline, read
    pytest.fail(f"it ended before it said {text!r}:\n{read}")


def processes_of(home: Path) -> list[str]:
    """Command lines that name the home, and what `meals up` wrote down as running."""
    return [
        " ".join(p.info["cmdline"])
        for p in psutil.process_iter(["cmdline", "status"])
        if p.info["status"] != psutil.STATUS_ZOMBIE and any(str(home) in part for part in p.info["cmdline"] or ())
    ]


def graphql(url: str, query: str) -> dict[str, object]:
    answer: dict[str, object] = httpx.post(f"{url}/graphql", json={"query": query}, timeout=30).json()["data"]
    return answer


def test_a_killed_one_does_not_keep_the_next_from_starting_and_two_interrupts_leave_nothing_behind(
    home: Path, alone: Meals
) -> None:
    with up(home) as first:
        read_until(first, "Ctrl-C")
        first.kill()
        first.wait(10)
        assert processes_of(home)
        with up(home) as second:
            read_until(second, "Ctrl-C")
            second.send_signal(signal.SIGINT)
            second.send_signal(signal.SIGINT)
            second.wait(30)
    assert processes_of(home) == []
    assert not (home / "up.lock").exists()
    assert alone("down").stdout.startswith("Nothing runs in")
