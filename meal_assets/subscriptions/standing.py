"""Where everybody who follows the log stands: how far, since when, and what keeps them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from meal_assets.consumers import CONSUMERS, Consumer
from meal_assets.consumers.base import failed_attempts, shadow_of
from meal_assets.contracts import Event
from meal_assets.contracts.system import CONSUMER_FLAG, READ_MODEL_FLAG, DeadLetterDiscarded, DeadLetterRetried
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import RELAY, Checkpoint, checkpoints, heads
from meal_assets.event_store.database import fetch_row
from meal_assets.event_store.heartbeats import beat, heartbeats
from meal_assets.event_store.switches import NEVER_SET, Switch, switches
from meal_assets.read_models import READ_MODELS, ReadModel

DECISIONS = (DeadLetterRetried, DeadLetterDiscarded)
"""What a consumer hears beside what it listens to."""

Subscriber = type[ReadModel] | type[Consumer]
SUBSCRIBERS: dict[str, Subscriber] = {**READ_MODELS, **CONSUMERS}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscriber stands beside the newest event it listens to; `position` < `head` means it is behind.

    `switch`: whether it is on, shadows or is paused, since when, by whom and why. `shadow`: where its shadow stands.
    `waiting_since`: when the oldest event it has not taken in was recorded. `looked_at`: when it last looked, or moved.
    `stopped_at` and `stopped_because`: since when and why it cannot go on.
    """

    subscriber: Subscriber
    position: int
    head: int
    switch: Switch = NEVER_SET
    shadow: int | None = None
    waiting_since: datetime | None = None
    looked_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_because: str | None = None

    @property
    def behind(self) -> bool:
        return self.position < self.head

    @property
    def paused(self) -> bool:
        return self.switch.mode == "off"

    @property
    def due(self) -> bool:
        """Whether there is something for it to do now: it is behind, and neither paused nor a shadow that is not."""
        if self.switch.mode == "shadow" and self.shadow is not None:
            return self.shadow < self.head
        return self.behind and not self.paused

    @property
    def lag(self) -> int:
        """Positions of the log between where it stands and the newest event it listens to."""
        return max(self.head - max(self.position, 0), 0)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest event it has not taken in; 0 when there is none."""
        return _age(self.waiting_since)


@dataclass(frozen=True, slots=True)
class Relaying:
    """Where a relay stands beside the head of the log; the rest is as in `Standing`."""

    name: str
    position: int
    head: int
    waiting_since: datetime | None
    looked_at: datetime | None
    stopped_at: datetime | None
    stopped_because: str | None

    @property
    def behind(self) -> bool:
        return self.position < self.head

    @property
    def lag(self) -> int:
        return max(self.head - self.position, 0)

    @property
    def lag_seconds(self) -> float:
        return _age(self.waiting_since)


def _age(since: datetime | None) -> float:
    if since is None:
        return 0.0
    return max((datetime.now(UTC) - since).total_seconds(), 0.0)  # a clock may go backwards


def relays(store: EventStore) -> list[Relaying]:
    """All relays that ever stood somewhere, or stopped before that, by name."""
    with store.database.transaction() as db:
        beats = {name: beat for name, beat in heartbeats(db).items() if name.startswith(RELAY)}
        stands = {name: at for name, at in checkpoints(db).items() if name.startswith(RELAY)}
        (head,) = fetch_row(db, "SELECT position FROM log.head()")
        found = []
        for name in sorted({*beats, *stands}):
            beat, at = beats.get(name), stands.get(name)
            position = at.position if at else 0
            (since,) = fetch_row(
                db,
                "SELECT (SELECT recorded_at FROM log.events WHERE position > %s ORDER BY position LIMIT 1)",
                (position,),
            )
            looked = [moment for moment in (beat and beat.looked_at, at and at.moved_at) if moment]
            found.append(
                Relaying(
                    name.removeprefix(RELAY),
                    position,
                    head,
                    since,
                    max(looked, default=None),
                    beat.stopped_at if beat else None,
                    beat.stopped_because if beat else None,
                )
            )
    return found


def flag_of(subscriber: Subscriber) -> str:
    """The flag that switches it."""
    return (READ_MODEL_FLAG if issubclass(subscriber, ReadModel) else CONSUMER_FLAG) + subscriber.name


def standings(store: EventStore) -> Iterator[Standing]:
    """All read models, then all consumers."""
    with store.database.transaction() as db:
        placed = places(db)
        since = _waiting_since(db, [s for s in placed if s.behind])
        beats = heartbeats(db)
    tried = failed_attempts(store)
    for standing in placed:
        name = standing.subscriber.name
        last, failed = beats.get(name), tried.get(name)
        looked = [at for at in (last and last.looked_at, standing.looked_at) if at]
        yield replace(
            standing,
            waiting_since=since.get(name),
            looked_at=max(looked, default=None),
            stopped_at=failed.since if failed else last.stopped_at if last else None,
            stopped_because=failed.error if failed else last.stopped_because if last else None,
        )


def beat_idle(store: EventStore, stand: Sequence[Standing]) -> None:
    """Say of every consumer that has nothing to do that somebody looked."""
    idle = [s.subscriber.name for s in stand if issubclass(s.subscriber, Consumer) and not s.due]
    with store.database.statement() as db:
        beat(db, idle)


def places(db: Connection) -> list[Standing]:
    """The same without `waiting_since` and the heartbeats: all that decides who is due, at the least cost."""
    every = SUBSCRIBERS.values()
    at = checkpoints(db)
    top = heads(db, sorted({e for s in every for e in _asked(s)}, key=lambda e: e.type_name))
    said = switches(db, [flag_of(s) for s in every])
    decided = _decided(db)
    return [_place(s, at, top, said.get(flag_of(s), NEVER_SET), decided.get(s.name, 0)) for s in every]


def _asked(subscriber: Subscriber) -> set[type[Event]]:
    waited_for = {subscriber.waits_for} if issubclass(subscriber, Consumer) and subscriber.waits_for else set()
    return {*subscriber.listens_to, *waited_for}


def _place(
    subscriber: Subscriber, at: dict[str, Checkpoint], top: dict[str, int], switch: Switch, decided: int
) -> Standing:
    stands, shadow = at.get(subscriber.name), None
    if issubclass(subscriber, Consumer):
        shadow = at.get(shadow_of(subscriber.name))
        if shadow is not None and shadow.version != subscriber.version:
            shadow = None  # it begins anew
    elif stands is not None and stands.version != subscriber.version:
        stands = None  # it is to be rebuilt
    heard = [top.get(e.type_name, 0) for e in subscriber.listens_to]
    if issubclass(subscriber, Consumer) and subscriber.waits_for and not top.get(subscriber.waits_for.type_name):
        heard = [0]
    nowhere = -1 if issubclass(subscriber, ReadModel) else 0  # the tables of a read model are still to be made
    return Standing(
        subscriber,
        stands.position if stands else nowhere,
        max(decided, *heard),
        switch,
        shadow.position if shadow else None,
        looked_at=stands.moved_at if stands else None,
    )


def _decided(db: Connection) -> dict[str, int]:
    """Consumer -> where somebody decided last about one of its dead letters."""
    rows = db.execute(
        "SELECT consumer, position FROM unnest(%s::text[]) AS consumer CROSS JOIN LATERAL (SELECT position"
        " FROM log.events WHERE type IN ('system.DeadLetterRetried', 'system.DeadLetterDiscarded')"
        " AND payload->>'consumer' = consumer ORDER BY position DESC LIMIT 1) AS newest",
        (list(CONSUMERS),),
    )
    return {str(consumer): int(position) for consumer, position in rows}


def events_waiting(db: Connection, stand: Sequence[Standing]) -> dict[str, int]:
    """Subscriber -> how many events it has not taken in. It counts them: nothing for each tick."""
    rows = db.execute(
        f"SELECT subscriber, sum(n) FROM {WANTED} CROSS JOIN LATERAL (SELECT count(*) AS n FROM log.events e"  # noqa: S608  # our own
        " WHERE e.type = w.type AND e.position > w.after AND (NOT w.named OR e.payload->>'consumer' = w.subscriber)"
        ") AS counted GROUP BY subscriber",
        _wanted([s for s in stand if s.behind]),
    )
    return {s.subscriber.name: 0 for s in stand} | {str(name): int(n) for name, n in rows}


WANTED = "unnest(%s::text[], %s::text[], %s::bigint[], %s::boolean[]) AS w (subscriber, type, after, named)"


def _wanted(behind: Sequence[Standing]) -> list[list[object]]:
    """The arrays of `WANTED`: what each of them has not heard; decisions concern the consumer they name."""
    wanted = [(s.subscriber.name, t.type_name, s.position, False) for s in behind for t in s.subscriber.listens_to]
    consumers = [s for s in behind if issubclass(s.subscriber, Consumer)]
    wanted += [(s.subscriber.name, e.type_name, s.position, True) for s in consumers for e in DECISIONS]
    return [[one[n] for one in wanted] for n in range(4)]


def _waiting_since(db: Connection, behind: Sequence[Standing]) -> dict[str, datetime]:
    """Subscriber -> when the oldest event it has not taken in was recorded."""
    rows = db.execute(
        f"SELECT subscriber, min(recorded_at) FROM {WANTED} CROSS JOIN LATERAL (SELECT recorded_at FROM log.events e"  # noqa: S608  # our own
        "  WHERE e.type = w.type AND e.position > w.after AND (NOT w.named OR e.payload->>'consumer' = w.subscriber)"
        "  ORDER BY e.position LIMIT 1) AS oldest GROUP BY subscriber",
        _wanted(behind),
    )
    return {str(name): since for name, since in rows}
