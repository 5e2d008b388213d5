"""The program as a person starts it: a process of its own, in a home of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
Meals = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def key_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person has it who sets nothing."""
    monkeypatch.delenv("MEALS_KEY")


@pytest.fixture
def home() -> Iterator[Path]:
    """A MEALS_HOME with a path short enough for sockets; whatever still runs in it is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="meals-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"
        subprocess.run(
            [sys.executable, "-m", "meal_assets.cli", "down"],
            cwd=PROJECT,
            env=environment(Path(folder) / "home"),
            check=False,
            capture_output=True,
            timeout=60,
        )


@pytest.fixture
def meals(home: Path) -> Meals:
    """Runs `meals …` to its end."""

    def run(
        *arguments: str, timeout: float = 120, settings: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "meal_assets.cli", *arguments],
            cwd=PROJECT,
            env=environment(home) | (settings or {}),
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEALS_", "DAGSTER_"))}
    return kept | {"MEALS_HOME": str(home), "COLUMNS": "160", "PYTHONUNBUFFERED": "1"}
