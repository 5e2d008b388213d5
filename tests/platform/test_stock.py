"""Stock Dagster, as `dagster dev` starts it: without our dagster.yaml, with its own storage, launcher and queue."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher

from meal_assets.cli.services import free_port
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import CONSUMERS
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform.keys import key_of
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from tests.processes import PROJECT

PATIENCE = 300.0
ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'


@pytest.fixture
def stock(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A DAGSTER_HOME with nothing in it, for which `dagster dev` runs on our definitions."""
    for name, value in (("MEALS_DATABASE_URL", database_url), ("MEALS_HOME", str(tmp_path / "meals"))):
        monkeypatch.setenv(name, value)
    home = tmp_path / "dagster"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    log = tmp_path / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(free_port(38_500))],
            cwd=PROJECT,
            env=dict(os.environ),
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.long
def test_models_follow_and_consumers_run_where_dagster_is_as_it_comes(
    stock: Path, store: EventStore, origin: Origin
) -> None:
    request_recipes(store, "one.jsonl", ONE_RECIPE, origin)
    deadline = time.monotonic() + PATIENCE
    with store.listen() as wait:
        while not store.read(types=(RecipesFetched,)):
            assert time.monotonic() < deadline, stock.read_text()[-4_000:]
            wait(0.5)
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.run_launcher, DefaultRunLauncher)
        keys = [key_of(CONSUMERS["fetch_recipes"]), key_of(RecipeCatalogue)]
        while not all(instance.get_latest_materialization_event(key) for key in keys):
            assert time.monotonic() < deadline, stock.read_text()[-4_000:]
            time.sleep(0.5)
        consumers = {run.tags.get("meals/consumer") for run in instance.get_runs()}
    assert "fetch_recipes" in consumers
