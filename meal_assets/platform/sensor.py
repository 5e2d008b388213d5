"""One sensor follows the log for everyone: it folds read models inside its open tick and launches runs of consumers.

Level-triggered: what counts is that a subscriber's checkpoint is below the head. The cursor only remembers what was
asked for last. Dagster waits up to five seconds after a tick that returns run requests, so runs are launched from
inside the tick, and only a launcher that cannot do that gets them as requests.
"""

import json
import time
from collections.abc import Iterable

import dagster as dg
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from meal_assets.consumers import CONSUMERS
from meal_assets.event_store import EventStore
from meal_assets.subscriptions import FOR_CONSUMERS, Folder, quick_switches, ready_consumers

from .keys import GROUPS, key_of
from .launching import Launching
from .reports import Reporter
from .resources import Log

TICK_SECONDS = 20.0
"""How long a tick stays open: well below the 60 s after which Dagster gives up on it."""
GRACE_SECONDS = 5.0
"""How much longer while a read model is still at it; the others are folded meanwhile."""
FOLD_SECONDS = 0.25
"""A read model that takes longer goes on by itself, and the others are not kept."""
ASK_AGAIN_SECONDS = 30
"""A run that died without a word is asked for again after this."""
LOOK_SECONDS = 1.0
"""A subscriber that backs off, is behind without a new event, or whose run ended, is looked at this often."""
CONSUMER_TAG = "meals/consumer"
RUN_SECONDS = 900
"""A run of a consumer that takes longer hangs, and is ended; one that only has much to do is asked for again, and goes
on from where it was."""


@dg.sensor(
    name="follow_the_log",
    target=dg.AssetSelection.groups(GROUPS["read_model"], GROUPS["consumer"]),
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Folds read models the moment events are committed, and launches consumers that are behind.",
)
def follow_the_log(context: dg.SensorEvaluationContext, log: Log) -> dg.SensorResult | dg.SkipReason:
    asked: dict[str, str] = json.loads(context.cursor or "{}")
    end = time.monotonic() + TICK_SECONDS
    launching = Launching(context)
    with (
        quick_switches(),
        log.store.listen() as wait,
        Folder(log.store) as folder,
        Reporter(context.instance, log.store, log.zone) as reporter,
    ):
        looked = -LOOK_SECONDS
        while True:
            if time.monotonic() - looked >= LOOK_SECONDS or folder.busy:
                looked, heard = time.monotonic(), FOR_CONSUMERS
                failures = folder.fold(FOLD_SECONDS)
            else:
                heard, failed = folder.fold_new(FOLD_SECONDS)
                failures |= failed
            reporter.wake()
            behind = consumers_behind(log.store) if heard & FOR_CONSUMERS else {}
            wanted = {name: key for name, key in behind.items() if asked.get(name) != key}
            if wanted and not launching.possible:
                waiting = queued(context.instance, wanted)
                wanted = {name: key for name, key in wanted.items() if name not in waiting}
            asked |= wanted
            if wanted and not launching.possible:
                requests = [_run(name, key) for name, key in wanted.items()]
                return dg.SensorResult(run_requests=requests, cursor=json.dumps(asked))
            for name, key in wanted.items():
                launching.launch(key_of(CONSUMERS[name]), key, _tags(name))
            left = end - time.monotonic()
            if left <= (-GRACE_SECONDS if folder.busy else 0):
                break
            wait(FOLD_SECONDS if folder.busy else min(left, LOOK_SECONDS))
    for failure in (*failures.values(), reporter.failure):
        if failure is not None:
            raise failure  # the tick shows it; earlier, the others would have to wait for the next tick
    context.update_cursor(json.dumps(asked))
    return dg.SkipReason(f"followed the log to position {log.store.head()}")


def consumers_behind(store: EventStore) -> dict[str, str]:
    """Consumer -> run key, for those that are ready.

    The key holds the head, the attempts and a stretch of time: Dagster never runs the same key twice, and a run that
    was killed must be asked for again.
    """
    stretch = int(time.time()) // ASK_AGAIN_SECONDS
    return {
        standing.subscriber.name: f"{standing.subscriber.name}:{standing.head}:{attempts}:{stretch}"
        for standing, attempts in ready_consumers(store)
    }


def queued(instance: dg.DagsterInstance, consumers: Iterable[str]) -> set[str]:
    """Those of the consumers that have a run in Dagster's queue, where none is lost: another one would do nothing."""
    waiting = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED], tags={CONSUMER_TAG: [*consumers]})
    return {run.tags[CONSUMER_TAG] for run in instance.get_runs(waiting)}


def _run(name: str, key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=key, asset_selection=[key_of(CONSUMERS[name])], tags=_tags(name))


def _tags(name: str) -> dict[str, str]:
    return {CONSUMER_TAG: name, MAX_RUNTIME_SECONDS_TAG: str(RUN_SECONDS)}
