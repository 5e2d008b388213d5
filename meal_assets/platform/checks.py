"""What must hold for every subscriber, for some read models, and for the log."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from meal_assets.event_store import Connection, EventStore
from meal_assets.read_models import READ_MODELS, ReadModel, compare_some_days, rebuild
from meal_assets.subscriptions import SUBSCRIBERS, Standing, Subscriber, events_waiting, standings

from .findings import LOOKS, Finding, Look, chain, difference_of
from .keys import key_of, topic_key
from .resources import Log
from .shown import behind_by, remotes_of

IS_CURRENT = "is_current"
EQUALS_REBUILD, SOME_DAYS_EQUAL_REBUILD, CHAIN_IS_WHOLE = "equals_rebuild", "some_days_equal_rebuild", "chain_is_whole"
SAMPLED_DAYS = 7
PATIENCE_SECONDS = 600.0
"""How long a rebuild waits for another one of the same model."""


def is_current(subscriber: Subscriber) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key_of(subscriber), name=IS_CURRENT, description="It has taken in every event it listens to.")
    def _check(log: Log) -> dg.AssetCheckResult:
        standing = next(s for s in standings(log.store) if s.subscriber is subscriber)
        with log.store.database.transaction() as db:
            waiting = {"lag_events": events_waiting(db, [standing])[subscriber.name]}
            shown = lag(standing) | waiting | remotes_of(db, subscriber)
        return dg.AssetCheckResult(passed=not standing.behind, severity=severity_of(standing), metadata=shown)

    return _check


def severity_of(standing: Standing) -> dg.AssetCheckSeverity:
    """Behind is an error, but not where somebody wants it so."""
    return dg.AssetCheckSeverity.ERROR if standing.switch.mode == "on" else dg.AssetCheckSeverity.WARN


def lag(standing: Standing) -> dict[str, Any]:
    """How far behind it is, in positions and seconds, when it last looked, and why it stopped or who paused it."""
    shown: dict[str, Any] = {
        "position": max(standing.position, 0),
        "head": standing.head,
        **behind_by(standing),
    }
    if standing.switch.since and standing.switch.mode != "on":
        shown["mode"] = standing.switch.mode
        shown["switched_at"] = dg.MetadataValue.timestamp(standing.switch.since)
        shown["switched_by"] = standing.switch.actor or ""
        shown["switched_because"] = standing.switch.reason or ""
    if standing.looked_at:
        shown["looked_at"] = dg.MetadataValue.timestamp(standing.looked_at)
    if standing.stopped_at:
        shown["stopped_at"] = dg.MetadataValue.timestamp(standing.stopped_at)
        shown["stopped_because"] = standing.stopped_because or ""
    return shown


def told_with_folds(look: Look) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key_of(look.model), name=look.name, description=look.description)
    def _check(log: Log) -> dg.AssetCheckResult:
        with log.store.database.transaction() as db:
            return result_of(look.find(db) if is_made(db, look.model) else Finding(True))

    return _check


def compared(model: type[ReadModel]) -> dg.AssetChecksDefinition:
    """The model's rows beside those of a rebuild. It is long, so a run that materializes the model leaves it out."""
    told = {
        EQUALS_REBUILD: "Built anew from the whole log it has the same rows. The new ones take the place of the old."
    }
    if model.partitioned_by:
        told[SOME_DAYS_EQUAL_REBUILD] = f"{SAMPLED_DAYS} of its days, others each time, summed up anew are the same."

    @dg.multi_asset_check(
        name=f"compare_{model.name}",
        specs=[dg.AssetCheckSpec(name, asset=key_of(model), description=text) for name, text in told.items()],
        can_subset=True,
    )
    def _check(context: dg.AssetCheckExecutionContext, log: Log) -> Iterator[dg.AssetCheckResult]:
        if key_of(model) in context.job_def.asset_layer.selected_asset_keys:
            context.log.info("Left to the nightly and weekly comparisons, or to whoever executes this check by itself.")
            return
        for key in sorted(context.selected_asset_check_keys):
            yield result_of(LONG[key.name](model(), log.store), key)

    return _check


def beside_rebuild(model: ReadModel, store: EventStore) -> Finding:
    done = rebuild(model, store, patience=PATIENCE_SECONDS)
    shown = difference_of(done.difference, position=done.position, events=done.events)
    return Finding(not done.alarming, shown, dg.AssetCheckSeverity.ERROR)


def beside_some_days(model: ReadModel, store: EventStore) -> Finding:
    days, difference = compare_some_days(model, store, SAMPLED_DAYS)
    shown = difference_of(difference, days=dg.MetadataValue.json([str(day) for day in days]))
    return Finding(not difference.differing, shown, dg.AssetCheckSeverity.ERROR)


LONG = {EQUALS_REBUILD: beside_rebuild, SOME_DAYS_EQUAL_REBUILD: beside_some_days}


@dg.asset_check(
    asset=topic_key("system"),
    name=CHAIN_IS_WHOLE,
    description="Every event of the log is the one that was appended, in its place, and none is missing.",
)
def chain_is_whole(log: Log) -> dg.AssetCheckResult:
    return result_of(chain(log.store))


def result_of(finding: Finding, key: dg.AssetCheckKey | None = None) -> dg.AssetCheckResult:
    """The key is needed where one function has several checks."""
    return dg.AssetCheckResult(
        passed=finding.passed,
        metadata=finding.metadata,
        severity=finding.severity,
        asset_key=key and key.asset_key,
        check_name=key and key.name,
    )


def is_made(db: Connection, model: type[ReadModel]) -> bool:
    """Whether the model's tables are there: before its first fold they are not."""
    return db.execute("SELECT to_regclass(%s)", (f"read.{next(iter(model.tables))}",)).fetchone() != (None,)


QUICK = [*map(is_current, SUBSCRIBERS.values()), *map(told_with_folds, LOOKS)]
"""Told with each fold, too."""
COMPARED = [*map(compared, READ_MODELS.values()), chain_is_whole]
NIGHTLY = {dg.AssetCheckKey(key_of(m), SOME_DAYS_EQUAL_REBUILD) for m in READ_MODELS.values() if m.partitioned_by}
WEEKLY = {key for check in COMPARED for key in check.check_keys} - NIGHTLY
