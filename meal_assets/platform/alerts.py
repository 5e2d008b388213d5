"""Telling the operator of checks that do not hold: once for each check and day, and once when it holds again.

What was told is read from the log, so it may be looked at as often as one likes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.domain.notifications import of_check, of_check_that_holds_again
from meal_assets.event_store import Connection, EventStore
from meal_assets.subscriptions import standings

from .checks import COMPARED, IS_CURRENT, QUICK, is_made, lag, severity_of
from .findings import LOOKS, Finding
from .keys import key_of

LASTING_SECONDS = 600.0
"""Who is behind for less is at work."""
REMEMBERED_DAYS = 7
"""That a check holds again is told when it was told so lately that it did not."""
DESCRIPTIONS = {spec.key: spec.description or "" for check in (*QUICK, *COMPARED) for spec in check.check_specs}
NAMED = {f"{key.asset_key.path[-1]}.{key.name}": key for key in DESCRIPTIONS}
"""Each check by the name of its asset and its own."""
FIGURES = (int, float, str)
"""What of a check's metadata stands in a message: no rows, which may be a person's."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What is to be told, and the finding it tells of."""

    key: dg.AssetCheckKey
    finding: Finding
    wanted: NotificationRequested

    @property
    def name(self) -> str:
        """As in `NAMED`."""
        return f"{self.key.asset_key.path[-1]}.{self.key.name}"

    def evaluation(self) -> dg.AssetCheckEvaluation:
        """For Dagster, which else would not show what was found out here."""
        return dg.AssetCheckEvaluation(
            asset_key=self.key.asset_key,
            check_name=self.key.name,
            passed=self.finding.passed,
            metadata=self.finding.metadata,
            severity=self.finding.severity,
        )


def alerts(
    instance: dg.DagsterInstance, store: EventStore, household: str, today: date, only: Collection[str] = ()
) -> list[Alert]:
    """What the household's operator has not been told of the checks as they stand now, or of `only` these by name."""
    wanted = {NAMED[name] for name in only} or {*DESCRIPTIONS}
    found = {**_quick(store, wanted), **dict(_compared(instance, wanted))}
    days = [today - timedelta(days=n) for n in range(REMEMBERED_DAYS)]
    with store.database.transaction() as db:
        told = _told(db, household, (w for key in found for day in days for w in _both(day, key, found[key])))
    alerts = []
    for key, finding in found.items():
        failed = [day for day in days if _both(day, key, finding)[0].period in told]
        if not finding.passed and today not in failed:
            alerts.append(Alert(key, finding, _both(today, key, finding)[0]))
        elif finding.passed and failed:
            well = _both(failed[0], key, finding)[1]
            if well.period not in told:
                alerts.append(Alert(key, finding, well))
    return alerts


def _both(day: date, key: dg.AssetCheckKey, finding: Finding) -> tuple[NotificationRequested, NotificationRequested]:
    """What there is to tell of a check that failed on the day: that it did, and that it holds again."""
    about, description = key.asset_key.path[-1], DESCRIPTIONS[key]
    is_error = finding.severity == dg.AssetCheckSeverity.ERROR
    failed = of_check(day, about, key.name, description, _figures(finding.metadata), is_error=is_error)
    return failed, of_check_that_holds_again(day, about, key.name, description)


def _told(db: Connection, household: str, wanted: Iterable[NotificationRequested]) -> set[str]:
    """The periods of those that were asked for."""
    streams = {w.stream_in(household): w.period for w in wanted}
    rows = db.execute("SELECT DISTINCT stream FROM log.events WHERE stream = ANY(%s)", (list(streams),))
    return {streams[stream] for (stream,) in rows}


def _quick(store: EventStore, wanted: Collection[dg.AssetCheckKey]) -> dict[dg.AssetCheckKey, Finding]:
    """As they stand now: of a subscriber that stands still, nobody reports anything."""
    found = {}
    for standing in standings(store):
        late = standing.behind and standing.lag_seconds >= LASTING_SECONDS
        key = dg.AssetCheckKey(key_of(standing.subscriber), IS_CURRENT)
        if key in wanted:
            found[key] = Finding(not late, lag(standing), severity_of(standing))
    with store.database.transaction() as db:
        for look in LOOKS:
            key = dg.AssetCheckKey(key_of(look.model), look.name)
            if key in wanted and is_made(db, look.model):
                found[key] = look.tried(db)
    return found


def _compared(
    instance: dg.DagsterInstance, wanted: Collection[dg.AssetCheckKey]
) -> Iterator[tuple[dg.AssetCheckKey, Finding]]:
    """As they were found when they last came to an end."""
    for key in (key for check in COMPARED for key in check.check_keys if key in wanted):
        done = {Status.SUCCEEDED, Status.FAILED}
        for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=done):
            if seen := record.evaluation:
                yield key, Finding(seen.passed, dict(seen.metadata), seen.severity)


def _figures(metadata: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: value.value if isinstance(value, dg.MetadataValue) else value for name, value in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, FIGURES)}
