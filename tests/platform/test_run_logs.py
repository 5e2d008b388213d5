"""What a run prints is kept for the UI, and costs no process."""

from pathlib import Path

import dagster as dg
import psutil
import pytest

from meal_assets.platform.run_logs import RunLogs

LOGS = {"module": "meal_assets.platform.run_logs", "class": "RunLogs"}


def test_what_a_run_prints_is_kept_without_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    children: list[int] = []

    @dg.op
    def speak() -> None:
        children.extend(p.pid for p in psutil.Process().children(recursive=True))
        print("hello from the run")

    @dg.job
    def speaking() -> None:
        speak()

    with dg.instance_for_test(overrides={"compute_logs": LOGS}) as instance:
        before = {p.pid for p in psutil.Process().children(recursive=True)}
        assert isinstance(instance.compute_log_manager, RunLogs)
        result = speaking.execute_in_process(instance=instance)
        assert {*children} <= before
        (captured,) = [e for e in result.all_events if e.event_type == dg.DagsterEventType.LOGS_CAPTURED]
        key = [result.run_id, "compute_logs", captured.logs_captured_data.file_key]
        assert instance.compute_log_manager.is_capture_complete(key)
        shown = instance.compute_log_manager.get_log_data(key)
        assert shown.stdout == b"hello from the run\n"
        assert list((tmp_path / "dagster" / "storage").rglob("*.out"))
