"""Telling Dagster what was folded outside its runs: materializations, in the order they happened, none lost."""

import threading
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import dagster as dg

from meal_assets.contracts import TOPICS
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import (
    Done,
    checkpoints,
    heads,
    lock_checkpoint,
    mark_reported,
    move_checkpoint,
    nothing_done,
    take_unreported,
)
from meal_assets.subscriptions import Standing, standings

from .assets import days_in
from .checks import IS_CURRENT, lag, severity_of
from .findings import LOOKS
from .keys import key_of, topic_key, topics_of
from .shown import behind_by, counts_table, metadata_of, picture

REPORT_SECONDS = 0.25
"""Materializations are gathered for so long; rows are there at once."""
STOP_SECONDS = 10.0


class Reporter:
    """Reports in a thread of its own, so that no fold waits for Dagster; ends with the block it is used in."""

    def __init__(self, instance: dg.DagsterInstance, store: EventStore, zone: str) -> None:
        self._instance, self._store, self._zone = instance, store, zone
        self._awake, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="reporter", daemon=True)
        self.failure: Exception | None = None
        """What kept the last report from Dagster, or a part of it; it is tried again with the next."""
        self._pictures = Pictures()

    def wake(self) -> None:
        """There may be something to report."""
        self._awake.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._awake.set()
        self._thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while not self._over.wait(REPORT_SECONDS):
            self._awake.wait()
            self._awake.clear()
            self._report()
        self._pictures.is_last = True
        self._report()

    def _report(self) -> None:
        try:
            report(self._instance, self._store, self._pictures, self._zone)
            self.failure = None
        except Exception as error:
            self.failure = error


@dataclass(slots=True)
class Pictures:
    """Which reports carry a picture: the first of a model, and the last, if it was folded since.

    Drawing takes as long as many folds, and a picture as much room as ten reports.
    """

    is_last: bool = False
    drawn: set[str] = field(default_factory=set)
    owed: dict[str, str | None] = field(default_factory=dict)
    """The model, and the partition that was reported last."""

    def draw(self, name: str, partition: str | None) -> bool:
        """Whether the report of this model that is being made carries one."""
        now = self.is_last or name not in self.drawn
        self.drawn.add(name)
        if now:
            self.owed.pop(name, None)
        else:
            self.owed[name] = partition
        return now


def report(instance: dg.DagsterInstance, store: EventStore, pictures: Pictures | None = None, zone: str = "UTC") -> int:
    """Report every topic that moved and every batch folded since the last call; how many reports that took.

    A row of the outbox counts as reported only after Dagster has it: killed in between, it is reported again.
    A subscriber whose topic moved by events it does not listen to is reported too, with none: Dagster would call it
    out of date for ever. `zone`: IANA name of the time zone whose days are the daily partitions.
    Of a subscriber that cannot be reported the others do not suffer: what kept it is raised when they are.
    """
    pictures = pictures or Pictures()
    failures: list[Exception] = []
    with store.database.transaction() as db:
        moved = [name for name in TOPICS if _report_topic(instance, db, name)]
        topics = {name: at.position for name, at in checkpoints(db).items() if name.startswith("topic/")}
        stands = {s.subscriber.name: s for s in standings(store)}
        done = [d for d in take_unreported(db) if d.subscriber in stands]
        told = {d.subscriber for d in done}
        untouched = [
            s
            for name, s in stands.items()
            if name not in told
            and not s.behind
            and ({*moved} & {*topics_of(s.subscriber.listens_to)} or (pictures.is_last and name in pictures.owed))
        ]
        for standing in untouched:
            partition = pictures.owed.get(standing.subscriber.name)
            if partition or not getattr(standing.subscriber, "partitioned_by", None):
                nothing = replace(_nothing(db, standing), partitions=(partition,) if partition else ())
                done.append(nothing)
        for one in done:
            try:
                with db.transaction():
                    _report_done(instance, db, stands[one.subscriber], one, topics, pictures, zone)
                    if one.ids:
                        mark_reported(db, one)
            except Exception as error:
                error.add_note(f"while reporting {one.subscriber}")
                failures.append(error)
    for failure in failures:
        raise failure
    return len(moved) + len(done)


def _report_topic(instance: dg.DagsterInstance, db: Connection, name: str) -> bool:
    head = max(heads(db, TOPICS[name]).values(), default=0)
    at = lock_checkpoint(db, f"topic/{name}")
    before = at.position if at else 0
    if at is not None and head <= before:
        return False
    counts = {
        str(t): int(n)
        for t, n in db.execute(
            "SELECT type, count(*) FROM log.events WHERE type = ANY(%s) AND position > %s AND position <= %s"
            " GROUP BY type ORDER BY type",
            ([e.type_name for e in TOPICS[name]], before, head),
        )
    }
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            topic_key(name),
            metadata={
                "from_position": min(before + 1, head),
                "to_position": head,
                "events": sum(counts.values()),
                "events_by_type": counts_table(counts),
                "see_events": f"meals events --topic {name} --after {before} --until {head}"
                f" --limit {max(sum(counts.values()), 1)}",
            },
            tags=_data_version(head),
        )
    )
    move_checkpoint(db, f"topic/{name}", head, 1)
    return True


def _nothing(db: Connection, standing: Standing) -> Done:
    return nothing_done(db, standing.subscriber.name, standing.subscriber.version, standing.position)


def _report_done(
    instance: dg.DagsterInstance,
    db: Connection,
    standing: Standing,
    done: Done,
    topics: dict[str, int],
    pictures: Pictures,
    zone: str,
) -> None:
    subscriber = standing.subscriber
    tags = _data_version(done.to) | {"dagster/code_version": str(done.version)}
    for topic in topics_of(subscriber.listens_to):
        # "NULL" says that no single event stands behind the input: without it Dagster calls the dependency new
        tags[f"dagster/input_data_version/topic/{topic}"] = str(
            done.to if standing.behind else topics[f"topic/{topic}"]
        )
        tags[f"dagster/input_event_pointer/topic/{topic}"] = "NULL"
    metadata = metadata_of(db, subscriber, done) | behind_by(standing)
    # what concerns days that are no partition only, as those to come, is told of the model as a whole
    days: list[str | None] = [day for day in done.partitions if days_in(zone).has_partition_key(day)]
    partitions = days or [None]
    for partition in partitions:
        is_newest = partition == partitions[-1]
        shown = metadata | (picture(db, subscriber) if is_newest and pictures.draw(subscriber.name, partition) else {})
        instance.report_runless_asset_event(
            dg.AssetMaterialization(key_of(subscriber), metadata=shown, tags=tags, partition=partition)
        )
    evaluations = [(IS_CURRENT, not standing.behind, lag(standing), severity_of(standing))]
    for look in LOOKS:
        if subscriber is look.model:
            found = look.tried(db)
            evaluations.append((look.name, found.passed, found.metadata, found.severity))
    for name, passed, shown, severity in evaluations:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key_of(subscriber), check_name=name, passed=passed, metadata=shown, severity=severity
            )
        )


def _data_version(position: int) -> dict[str, str]:
    return {"dagster/data_version": str(position), "dagster/data_version_is_user_provided": "true"}
