"""One sensor follows the log for everyone: it folds read models inside its open tick and launches runs of consumers.

Level-triggered: what counts is that a subscriber's checkpoint is below the head. The cursor only remembers what was
asked for last. Dagster waits up to five seconds after a tick that returns run requests, so runs are launched from
inside the tick, and only a launcher that cannot do that gets them as requests.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from meal_assets.consumers import CONSUMERS, Consumer
from meal_assets.consumers.base import failed_attempts, is_busy, is_too_new
from meal_assets.event_store import EventStore
from meal_assets.subscriptions import DECISIONS, Folder, beat_idle, standings

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
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter from one that folds. Python's own 5 ms, at each answer of the database,
would be more than a fold takes."""
FOR_CONSUMERS = {e.type_name for c in CONSUMERS.values() for e in c.listens_to} | {e.type_name for e in DECISIONS}


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
        Reporter(context.instance, log.store) as reporter,
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
            asked |= wanted
            if wanted and not launching.possible:
                requests = [_run(name, key) for name, key in wanted.items()]
                return dg.SensorResult(run_requests=requests, cursor=json.dumps(asked))
            for name, key in wanted.items():
                launching.launch(key_of(CONSUMERS[name]), key, {"meals/consumer": name})
            left = end - time.monotonic()
            if left <= (-GRACE_SECONDS if folder.busy else 0):
                for failure in failures.values():
                    raise failure  # the tick shows it; earlier, the others would have to wait for the next tick
                context.update_cursor(json.dumps(asked))
                return dg.SkipReason(f"followed the log to position {log.store.head()}")
            wait(FOLD_SECONDS if folder.busy else min(left, LOOK_SECONDS))


@contextmanager
def quick_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def consumers_behind(store: EventStore) -> dict[str, str]:
    """Consumer -> run key, for those that have something to do, are not at it, and are not backing off.

    A consumer before an event of a newer program is left alone: a run of this one could only fail.
    The key holds the head, the attempts and a stretch of time: Dagster never runs the same key twice, and a run that
    was killed must be asked for again.
    """
    every = [s for s in standings(store) if issubclass(s.subscriber, Consumer)]
    beat_idle(store, every)
    behind = [s for s in every if s.due]
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
