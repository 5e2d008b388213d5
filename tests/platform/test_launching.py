"""A run launched from inside a tick is known to Dagster like any other, also when its process dies before it begins."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin
from dagster._daemon.monitoring import run_monitoring

from definitions import defs
from meal_assets.consumers import CONSUMERS
from meal_assets.platform.keys import key_of
from meal_assets.platform.launching import Launching
from meal_assets.platform.run_launcher import ForkRunLauncher

PROJECT = Path(__file__).parents[2]
A_DAY = 86_400


@pytest.fixture
def instance(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """As dagster.yaml describes it."""
    for name, value in (("DATABASE_URL", database_url), ("HOME", str(tmp_path / "meals"))):
        monkeypatch.setenv(f"MEALS_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_a_run_whose_process_died_before_it_began_is_ended_by_dagsters_monitoring(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ForkRunLauncher, "launch_run", lambda *_: None)  # it dies without a word
    context = dg.SensorEvaluationContext(
        instance_ref=instance.get_ref(),
        last_tick_completion_time=None,
        last_run_key=None,
        cursor=None,
        log_key=None,
        repository_name=None,
        repository_def=defs.get_repository_def(),
        instance=instance,
        sensor_name="follow_the_log",
        code_location_origin=GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name="meal_assets"),
    )
    launching = Launching(context)
    assert launching.possible
    launching.launch(key_of(CONSUMERS["reconcile"]), "reconcile:1", {})

    def look() -> dg.DagsterRunStatus:
        (record,) = instance.get_run_records()
        if not record.dagster_run.is_finished:
            run_monitoring.monitor_starting_run(instance, record, logging.getLogger())
        (after,) = instance.get_runs()
        return after.status

    assert look() == dg.DagsterRunStatus.STARTING
    now = run_monitoring.get_current_timestamp
    monkeypatch.setattr(run_monitoring, "get_current_timestamp", lambda: now() + A_DAY)
    assert look() == dg.DagsterRunStatus.FAILURE
