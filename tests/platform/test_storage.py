"""Dagster's storage keeps its connections a process, not an instance, and is made once by those that start together."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import dagster as dg
import pytest

from meal_assets.event_store import EventStore
from meal_assets.platform.storage import Storage


def test_an_instance_for_each_run_leaves_no_connections_behind(
    database_url: str, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)

    def connections_after_one_more() -> int:
        storage = Storage.from_config_value(None, {})
        storage.run_storage.get_runs_count()
        storage.event_log_storage.get_materialized_partitions(dg.AssetKey("any"))
        with store.database.statement() as db:
            (count,) = db.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"  # not the server's own
            ).fetchone()
        return int(count)

    first = connections_after_one_more()
    assert [connections_after_one_more() for _ in range(5)] == [first] * 5


def test_programs_that_start_together_make_the_tables_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    together = Barrier(6)

    def runs() -> int:
        together.wait()
        return Storage.from_config_value(None, {}).run_storage.get_runs_count()

    with ThreadPoolExecutor(6) as programs:
        started = [programs.submit(runs) for _ in range(6)]
    assert [each.result() for each in started] == [0] * 6
    assert "Retrying failed database creation" not in caplog.text
