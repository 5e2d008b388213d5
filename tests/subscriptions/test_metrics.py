"""What a monitoring system reads: each subscriber's lag as it is, in the format that it takes."""

import re
import subprocess
import sys

import httpx
import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.cli.services import free_port
from meal_assets.commands.flags import pause
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.heartbeats import note_stop
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.subscriptions import SUBSCRIBERS, flag_of, fold_all
from meal_assets.subscriptions.metrics import metrics
from tests.processes import PROJECT
from tests.read_models.said import append, like

LINE = re.compile(
    r'(?P<name>[a-z_]+)(?:{kind="(?P<kind>[a-z_]+)",subscriber="(?P<subscriber>[a-z_]+)"})? (?P<value>[0-9.e+-]+)'
)


def read(text: str) -> dict[tuple[str, str | None], float]:
    """(metric, subscriber) -> value; every line is a sample of a metric whose help and type were told before."""
    found, told = {}, set()
    for line in text.splitlines():
        if line.startswith("# "):
            told.add(line.split()[2])
            continue
        sample = LINE.fullmatch(line)
        assert sample, line
        assert sample["name"] in told
        found[sample["name"], sample["subscriber"]] = float(sample["value"])
    assert text.endswith("\n")
    return found


def test_lag_is_told_in_events_that_concern_the_subscriber_and_in_seconds(store: EventStore, origin: Origin) -> None:
    append(store, like(WeightRecorded))
    assert fold_all(store) == []
    before = read(metrics(store))
    assert {subscriber for _, subscriber in before} == {*SUBSCRIBERS, None}
    assert before["meals_lag_events", "weight_trend"] == before["meals_lag_seconds", "weight_trend"] == 0
    pause(store, flag_of(WeightTrend), origin)
    append(store, like(WeightRecorded, weight_kg=61), like(RecipeFetched), like(WeightRecorded, weight_kg=62))
    append(store, like(DeadLettered, consumer="reconcile"))
    assert fold_all(store) == []
    with store.database.transaction() as db:
        note_stop(db, "food_log", ValueError("here"))
    now = read(metrics(store))
    assert now["meals_lag_events", "weight_trend"] == 2
    assert now["meals_lag_seconds", "weight_trend"] > 0
    assert {name for name, value in now.items() if name[0] == "meals_paused" and value} == {
        ("meals_paused", "weight_trend")
    }
    assert {name for name, value in now.items() if name[0] == "meals_stopped" and value} == {
        ("meals_stopped", "food_log")
    }
    assert now["meals_dead_letters", "reconcile"] == 1
    assert now["meals_lag_events", "compute_nutrition"] == 1
    assert now["meals_position", "weight_trend"] == before["meals_position", "weight_trend"] == 1
    assert now["meals_log_head", None] == store.head()
    assert now["meals_unreported", None] >= len(READ_MODELS) - 1


def test_the_program_prints_them_and_refuses_a_port_that_is_taken(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    said = CliRunner().invoke(app, ["metrics"], catch_exceptions=False)
    assert read(said.output)["meals_log_head", None] == 0
    host, port = "127.0.0.1", free_port(39_000)
    with subprocess.Popen(
        [sys.executable, "-m", "meal_assets.cli", "metrics", "--port", str(port)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as serving:
        try:
            assert serving.stdout
            assert "answers until Ctrl-C" in serving.stdout.readline()
            answer = httpx.get(f"http://{host}:{port}/metrics")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert read(answer.text)["meals_log_head", None] == 0
            assert httpx.get(f"http://{host}:{port}/").status_code == 404
            with pytest.raises(Invalid, match="name another one"):
                CliRunner().invoke(app, ["metrics", "--port", str(port)], catch_exceptions=False)
            serving.terminate()
            assert serving.wait(60) == 0
        finally:
            serving.kill()
