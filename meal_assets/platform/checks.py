"""What must hold for every subscriber, and for the dead letters."""

from typing import Any

import dagster as dg

from meal_assets.consumers import CONSUMERS
from meal_assets.event_store import Connection
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.dead_letters import DeadLetters, open_letters
from meal_assets.subscriptions import Standing, Subscriber, standings

from .keys import key_of
from .resources import Log

IS_CURRENT = "is_current"
NO_OPEN_DEAD_LETTERS = "no_open_dead_letters"


def is_current(subscriber: Subscriber) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=key_of(subscriber), name=IS_CURRENT, description="It has taken in every event it listens to.")
    def _check(log: Log) -> dg.AssetCheckResult:
        standing = next(s for s in standings(log.store) if s.subscriber is subscriber)
        return dg.AssetCheckResult(passed=not standing.behind, metadata=lag(standing))

    return _check


def lag(standing: Standing) -> dict[str, Any]:
    """How far behind it is, in positions and seconds, when it last looked, and why it stopped if it did."""
    shown: dict[str, Any] = {
        "position": max(standing.position, 0),
        "head": standing.head,
        "lag": standing.lag,
        "lag_seconds": round(standing.lag_seconds, 3),
    }
    if standing.looked_at:
        shown["looked_at"] = dg.MetadataValue.timestamp(standing.looked_at)
    if standing.mode != "on":
        shown["mode"] = standing.mode
    if standing.stopped_at:
        shown["stopped_at"] = dg.MetadataValue.timestamp(standing.stopped_at)
        shown["stopped_because"] = standing.stopped_because or ""
    return shown


@dg.asset_check(
    asset=key_of(DeadLetters),
    name=NO_OPEN_DEAD_LETTERS,
    description="Nothing waits for somebody to retry or discard it: see `meals dead-letters`.",
)
def no_open_dead_letters(log: Log) -> dg.AssetCheckResult:
    with log.store.database.transaction() as db:
        found = dead_letters_found(db)
    return dg.AssetCheckResult(passed=not found["open"], severity=dg.AssetCheckSeverity.WARN, metadata=found)


def dead_letters_found(db: Connection) -> dict[str, Any]:
    """How many are open, and of which consumers."""
    letters = open_letters(db)
    return {"open": len(letters), "consumers": dg.MetadataValue.json(sorted({c for c, *_ in letters}))}


def all_checks() -> list[dg.AssetChecksDefinition]:
    return [*map(is_current, READ_MODELS.values()), *map(is_current, CONSUMERS.values()), no_open_dead_letters]
