"""One sensor follows the log for everyone: it folds read models inside its open tick and asks for runs of consumers.

Level-triggered: what counts is that a subscriber's checkpoint is below the head. The cursor only remembers what was
asked for last.
"""

import json
import time

import dagster as dg

from meal_assets.consumers import CONSUMERS, Consumer
from meal_assets.consumers.base import failed_attempts, is_busy, is_too_new
from meal_assets.event_store import EventStore
from meal_assets.subscriptions import beat_idle, fold_all, standings

from .keys import GROUPS, key_of
from .reports import report
from .resources import Log

TICK_SECONDS = 20.0
"""How long a tick stays open: well below the 60 s after which Dagster gives up on it."""
REPORT_SECONDS = 0.25
"""Materializations are gathered for so long; rows are there at once."""
ASK_AGAIN_SECONDS = 30
"""A run that died without a word is asked for again after this."""


@dg.sensor(
    name="follow_the_log",
    target=dg.AssetSelection.groups(GROUPS["read_model"], GROUPS["consumer"]),
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Folds read models the moment events are committed, and asks for runs of consumers that are behind.",
)
def follow_the_log(context: dg.SensorEvaluationContext, log: Log) -> dg.SensorResult | dg.SkipReason:
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    end = time.monotonic() + TICK_SECONDS
    with log.store.listen() as wait:
        while True:
            failures = fold_all(log.store)
            report(context.instance, log.store)
            wanted = {name: key for name, key in consumers_behind(log.store).items() if asked.get(name) != key}
            if wanted:
                return dg.SensorResult(
                    run_requests=[_run(name, key) for name, key in wanted.items()], cursor=json.dumps(asked | wanted)
                )
            if failures:
                raise failures[0]  # the tick shows it; the others were folded, and the next tick tries again
            left = end - time.monotonic()
            if left <= 0:
                return dg.SkipReason(f"followed the log to position {log.store.head()}")
            if wait(min(left, ASK_AGAIN_SECONDS)):
                time.sleep(min(left, REPORT_SECONDS))


def consumers_behind(store: EventStore) -> dict[str, str]:
    """Consumer -> run key, for those that have something to do, are not at it, and are not backing off.

    A consumer before an event of a newer program is left alone: a run of this one could only fail.
    The key holds the head, the attempts and a stretch of time: Dagster never runs the same key twice, and a run that
    was killed must be asked for again.
    """
    beat_idle(store)
    behind = [s for s in standings(store) if s.has_work and issubclass(s.subscriber, Consumer)]
    if not behind:
        return {}
    attempts = failed_attempts(store)
    stretch = int(time.time()) // ASK_AGAIN_SECONDS
    wanted = {}
    for standing in behind:
        name, tried = standing.subscriber.name, attempts.get(standing.subscriber.name)
        if (tried and tried.backing_off) or is_busy(name, store):
            continue
        if standing.stopped_at and is_too_new(CONSUMERS[name](), store, standing.position):
            continue
        wanted[name] = f"{name}:{standing.head}:{tried.attempts if tried else 0}:{stretch}"
    return wanted


def _run(name: str, key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=key, asset_selection=[key_of(CONSUMERS[name])], tags={"meals/consumer": name})
