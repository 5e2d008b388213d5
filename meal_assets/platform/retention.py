"""What Dagster may forget: it keeps runs and reports for ever, and cannot do otherwise by itself."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from meal_assets.event_store import Database

if TYPE_CHECKING:
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

PAGE = 100
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# A report is an event without a run. The newest of its asset, or of its partition, stays: it is what the UI shows.
OLD_REPORTS = """
    DELETE FROM dagster.event_logs AS old WHERE run_id = '' AND timestamp < :before AND asset_key IS NOT NULL
    AND dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'ASSET_CHECK_EVALUATION',
                               'FRESHNESS_STATE_CHANGE', 'FRESHNESS_STATE_EVALUATION', 'ASSET_HEALTH_CHANGED')
    AND (dagster_event_type = 'ASSET_CHECK_EVALUATION' OR id < (
        SELECT max(id) FROM dagster.event_logs AS new WHERE new.asset_key = old.asset_key
        AND new.dagster_event_type = old.dagster_event_type AND new.partition IS NOT DISTINCT FROM old.partition))
"""
OLD_EVALUATIONS = """
    DELETE FROM dagster.asset_check_executions AS old WHERE create_timestamp < :before AND id < (
        SELECT max(id) FROM dagster.asset_check_executions AS new
        WHERE new.asset_key = old.asset_key AND new.check_name = old.check_name)
"""
OLD_TAGS = """
    DELETE FROM dagster.asset_event_tags AS old WHERE event_timestamp < :before
    AND NOT EXISTS (SELECT FROM dagster.event_logs WHERE event_logs.id = old.event_id)
"""
# What a run materialized outlives it as a report, where it is the newest of its asset or partition: else Dagster would
# show as missing what is there, a day of a diary for one, and somebody would bring it in again.
OUTLIVES = """
    UPDATE dagster.event_logs AS old SET run_id = ''
    WHERE run_id = :run AND dagster_event_type = 'ASSET_MATERIALIZATION' AND id = (
        SELECT max(id) FROM dagster.event_logs AS new WHERE new.asset_key = old.asset_key
        AND new.dagster_event_type = old.dagster_event_type AND new.partition IS NOT DISTINCT FROM old.partition)
"""
# What it says of the chain was kept as a witness when it was reported.
OLD_OUTBOX = "DELETE FROM log.outbox WHERE reported_at < %s"


def forget_runs(instance: dg.DagsterInstance, before: datetime, but: str) -> int:
    """Delete runs that ended and were created before, with their logs; how many. `but`: the run that asks.

    Of what they materialized, the newest of each asset and partition stays.
    """
    import sqlalchemy as sa

    gone = 0
    old = dg.RunsFilter(statuses=ENDED, created_before=before)
    while runs := [r for r in instance.get_runs(old, limit=PAGE) if r.run_id != but]:
        for run in runs:
            with suppress(OSError):
                instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            with _storage(instance).index_connection() as db:
                db.execute(sa.text(OUTLIVES), {"run": run.run_id})
            instance.delete_run(run.run_id)
        gone += len(runs)
    return gone


def forget_told(instance: dg.DagsterInstance, database: Database, before: datetime) -> int:
    """Delete reports made before, but the newest of each asset; how many rows."""
    import sqlalchemy as sa  # half a second, of every load of the definitions

    with database.transaction() as db:
        gone = db.execute(OLD_OUTBOX, (before,)).rowcount
    with _storage(instance).index_connection() as db:  # its tables are Dagster's: our own role may not touch them
        for statement in (OLD_REPORTS, OLD_TAGS, OLD_EVALUATIONS):
            gone += db.execute(sa.text(statement), {"before": before.astimezone(UTC).replace(tzinfo=None)}).rowcount
    return gone


def _storage(instance: dg.DagsterInstance) -> "SqlEventLogStorage":
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    assert isinstance(instance.event_log_storage, SqlEventLogStorage)
    return instance.event_log_storage
