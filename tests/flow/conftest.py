"""The program as a person starts it: a process of its own, in a home of its own."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meal_assets.settings import Settings
from tests.processes import PATIENCE_SECONDS, run_meals

Meals = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def key_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a person has it who sets nothing."""
    monkeypatch.delenv("MEALS_KEY", raising=False)


@pytest.fixture
def home() -> Iterator[Path]:
    """A MEALS_HOME with a path short enough for sockets, which other users may enter."""
    with tempfile.TemporaryDirectory(prefix="meals-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.fixture
def settings(home: Path, database_url: str) -> Settings:
    """Of a machine whose PostgreSQL runs already, so that no command waits for its start."""
    return Settings(home=home, database_url=database_url)


@pytest.fixture
def meals(settings: Settings) -> Meals:
    """Runs `meals …` there to its end."""
    return commands(settings.home, MEALS_DATABASE_URL=settings.database_url or "")


@pytest.fixture
def alone(home: Path) -> Iterator[Meals]:
    """Runs `meals …` to its end on a machine with nothing but a home; whatever still runs there is stopped at last."""
    yield commands(home)
    commands(home)("down")


def commands(home: Path, **variables: str) -> Meals:
    def run(
        *arguments: str, timeout: float = PATIENCE_SECONDS, other: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return run_meals(arguments, environment(home) | variables | (other or {}), timeout)

    return run


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEALS_", "DAGSTER_"))}
    return kept | {"MEALS_HOME": str(home), "PYTHONUNBUFFERED": "1"}
