"""Dagster's storage keeps its connections a process, not an instance."""

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
