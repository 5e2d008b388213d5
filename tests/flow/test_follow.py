"""`meals follow`: beside Dagster or without it, it takes in what happens elsewhere, says so, and ends when told to."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.settings import Settings
from tests.processes import PROJECT

from .conftest import environment
from .test_up import read_until

pytestmark = pytest.mark.slow
ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'
HOME = Origin("home", "test")


@contextmanager
def following(settings: Settings, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """A running `meals follow`, once it says how to end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "meal_assets.cli", "follow", *options],
        cwd=PROJECT,
        env=environment(settings.home) | {"MEALS_DATABASE_URL": settings.database_url or ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        read_until(process, "Ctrl-C")
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_what_it_folds_and_ends_cleanly(settings: Settings, number: signal.Signals) -> None:
    with Database.open(settings) as database, following(settings) as process:
        said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-23", "weight_kg": 64})
        EventStore(database).append(said.stream_in("home"), [said], origin=HOME)
        assert "1 events" in read_until(process, "weight_trend")
        process.send_signal(number)
        told = process.communicate(timeout=60)[0]
    assert process.returncode == 0, told
    assert "events taken in here" in told
    assert "Traceback" not in told


def test_it_runs_consumers_when_asked_to(settings: Settings) -> None:
    with Database.open(settings) as database, following(settings, "--consumers") as process:
        store = EventStore(database)
        request_recipes(store, "one.jsonl", ONE_RECIPE, HOME)
        read_until(process, "fetch_recipes")
        assert store.read(types=[RecipesFetched])
