"""One sensor follows the log for everyone: it folds read models inside its open tick and asks for runs of consumers.

Level-triggered: what counts is that a subscriber's checkpoint is below the head. The cursor only remembers what was
asked for last.
"""

import json
import time

import dagster as dg

from meal_assets.consumers import CONSUMERS, Consumer
from meal_assets.consumers.base import failed_attempts, is_busy
from meal_assets.event_store import EventStore
from meal_assets.subscriptions import Folder, standings

from .keys import GROUPS, key_of
from .reports import report
from .resources import Log

TICK_SECONDS = 20.0
"""How long a tick stays open: well below the 60 s after which Dagster gives up on it."""
GRACE_SECONDS = 5.0
"""How much longer while a read model is still at it; the others are folded meanwhile."""
FOLD_SECONDS = 0.25
"""A read model that takes longer goes on by itself, and the others are not kept."""
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
    with log.store.listen() as wait, Folder(log.store) as folder:
        while True:
            failures = folder.fold(FOLD_SECONDS)
            report(context.instance, log.store)
            wanted = {name: key for name, key in consumers_behind(log.store).items() if asked.get(name) != key}
            if wanted:
                return dg.SensorResult(
                    run_requests=[_run(name, key) for name, key in wanted.items()], cursor=json.dumps(asked | wanted)
                )
            left = end - time.monotonic()
            if left <= (-GRACE_SECONDS if folder.busy else 0):
                for failure in failures.values():
                    raise failure  # the tick shows it; earlier, the others would have to wait for the next tick
                return dg.SkipReason(f"followed the log to position {log.store.head()}")
            if wait(FOLD_SECONDS if folder.busy else min(left, ASK_AGAIN_SECONDS)):
                time.sleep(max(min(left, REPORT_SECONDS), 0))


def consumers_behind(store: EventStore) -> dict[str, str]:
    """Consumer -> run key, for those that have something to do, are not at it, and are not backing off.

    The key holds the head, the attempts and a stretch of time: Dagster never runs the same key twice, and a run that
    was killed must be asked for again.
    """
    behind = [s for s in standings(store) if s.due and issubclass(s.subscriber, Consumer)]
    if not behind:
        return {}
    attempts = failed_attempts(store)
    stretch = int(time.time()) // ASK_AGAIN_SECONDS
    wanted = {}
    for standing in behind:
        name = standing.subscriber.name
        tried = attempts.get(name)
        if (tried and tried.backing_off) or is_busy(name, store):
            continue
        wanted[name] = f"{name}:{standing.head}:{tried.attempts if tried else 0}:{stretch}"
    return wanted


def _run(name: str, key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=key, asset_selection=[key_of(CONSUMERS[name])], tags={"meals/consumer": name})
