"""What Dagster may forget: it keeps runs and reports for ever, and cannot do otherwise by itself."""

from contextlib import suppress
from datetime import UTC, datetime

import dagster as dg

from meal_assets.event_store import Database

PAGE = 100
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# A report is an event without a run. The newest of its asset, or of its partition, stays: it is what the UI shows.
OLD_REPORTS = """
    DELETE FROM dagster.event_logs AS old WHERE run_id = '' AND timestamp < :before AND asset_key IS NOT NULL
    AND dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION', 'ASSET_CHECK_EVALUATION')
    AND (dagster_event_type = 'ASSET_CHECK_EVALUATION' OR id < (
        SELECT max(id) FROM dagster.event_logs AS new WHERE new.asset_key = old.asset_key
        AND new.dagster_event_type = old.dagster_event_type AND new.partition IS NOT DISTINCT FROM old.partition))
"""
OLD_EVALUATIONS = """
    DELETE FROM dagster.asset_check_executions AS old WHERE create_timestamp < :before AND id < (
        SELECT max(id) FROM dagster.asset_check_executions AS new
        WHERE new.asset_key = old.asset_key AND new.check_name = old.check_name)
"""
# What it says of the chain was kept as a witness when it was reported.
OLD_OUTBOX = "DELETE FROM log.outbox WHERE reported_at < %s"


def forget_runs(instance: dg.DagsterInstance, before: datetime, but: str) -> int:
    """Delete runs that ended and were created before, with their logs; how many. `but`: the run that asks."""
    gone = 0
    old = dg.RunsFilter(statuses=ENDED, created_before=before)
    while runs := [r for r in instance.get_runs(old, limit=PAGE) if r.run_id != but]:
        for run in runs:
            with suppress(OSError):
                instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            instance.delete_run(run.run_id)
        gone += len(runs)
    return gone


def forget_told(instance: dg.DagsterInstance, database: Database, before: datetime) -> int:
    """Delete reports made before, but the newest of each asset; how many rows."""
    import sqlalchemy as sa  # with Dagster's storage half a second, of every load of the definitions
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    with database.transaction() as db:
        gone = db.execute(OLD_OUTBOX, (before,)).rowcount
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as db:  # its tables are Dagster's: our own role may not touch them
        for statement in (OLD_REPORTS, OLD_EVALUATIONS):
            gone += db.execute(sa.text(statement), {"before": before.astimezone(UTC).replace(tzinfo=None)}).rowcount
    return gone
