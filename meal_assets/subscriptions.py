"""Everybody who follows the log, and bringing them all to its head."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from meal_assets.consumers import CONSUMERS, Consumed, Consumer, consume
from meal_assets.consumers.base import failed_attempts, modes, shadow_of
from meal_assets.contracts.system import DeadLetterDiscarded, DeadLetterRetried, Mode
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import Checkpoint, checkpoints, heads
from meal_assets.event_store.heartbeats import beat, heartbeats
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up

MAX_ROUNDS = 1_000
"""A chain of reactions longer than this is a loop."""

DECISIONS = (DeadLetterRetried, DeadLetterDiscarded)
"""What a consumer hears beside what it listens to."""

Subscriber = type[ReadModel] | type[Consumer]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscriber stands beside the newest event it listens to; `position` < `head` means it is behind.

    `waiting_since`: when the oldest event it has not taken in was recorded. `looked_at`: when it last looked, or moved.
    `stopped_at` and `stopped_because`: since when and why it cannot go on. A consumer's `mode` keeps it where it is
    unless it is on; `shadow` is where its shadow stands meanwhile.
    """

    subscriber: Subscriber
    position: int
    head: int
    waiting_since: datetime | None = None
    looked_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_because: str | None = None
    mode: Mode = "on"
    shadow: int | None = None

    @property
    def behind(self) -> bool:
        return self.position < self.head

    @property
    def has_work(self) -> bool:
        """Whether it would do anything if it were called: it is behind, and no flag keeps it there."""
        if self.mode == "shadow":
            return (self.position if self.shadow is None else self.shadow) < self.head
        return self.mode == "on" and self.behind

    @property
    def lag(self) -> int:
        """Positions of the log between where it stands and the newest event it listens to."""
        return max(self.head - max(self.position, 0), 0)

    @property
    def lag_seconds(self) -> float:
        """Age of the oldest event it has not taken in; 0 when there is none."""
        if self.waiting_since is None:
            return 0.0
        return max((datetime.now(UTC) - self.waiting_since).total_seconds(), 0.0)  # a clock may go backwards


def standings(store: EventStore) -> Iterator[Standing]:
    """All read models, then all consumers."""
    with store.database.transaction() as db:
        placed = _places(db)
        since = _waiting_since(db, [s for s in placed if s.behind])
        beats = heartbeats(db)
        moved = {str(name): at for name, at in db.execute("SELECT subscriber, updated_at FROM log.checkpoints")}
        at = checkpoints(db)
    mode, tried = modes(store), failed_attempts(store)
    for standing in placed:
        name = standing.subscriber.name
        beat_, failed, shadow = beats.get(name), tried.get(name), at.get(shadow_of(name))
        looked = [at for at in (beat_ and beat_.looked_at, moved.get(name)) if at]
        stopped = (beat_.stopped_at, beat_.stopped_because) if beat_ else (None, None)
        if failed:
            stopped = (failed.since, failed.error)
        yield replace(
            standing,
            waiting_since=since.get(name),
            looked_at=max(looked, default=None),
            stopped_at=stopped[0],
            stopped_because=stopped[1],
            mode=mode.get(name, "on"),
            shadow=shadow.position if shadow and mode.get(name) == "shadow" else None,
        )


def _places(db: Connection) -> list[Standing]:
    every: list[Subscriber] = [*READ_MODELS.values(), *CONSUMERS.values()]
    types = sorted({e for s in every for e in s.listens_to}, key=lambda e: e.type_name)
    at = checkpoints(db)
    top = heads(db, types)
    asked = {
        str(name): int(position)
        for name, position in db.execute(
            "SELECT payload->>'consumer', max(position) FROM log.events WHERE type = ANY(%s) GROUP BY 1",
            ([e.type_name for e in DECISIONS],),
        )
    }
    placed = []
    for subscriber in every:
        stands = at.get(subscriber.name)
        head = max((top.get(e.type_name, 0) for e in subscriber.listens_to), default=0)
        if issubclass(subscriber, Consumer):
            head = max(head, asked.get(subscriber.name, 0))
        if issubclass(subscriber, ReadModel) and (stands is None or stands.version != subscriber.version):
            stands = Checkpoint(position=-1, version=subscriber.version)  # its tables are still to be made
        placed.append(Standing(subscriber, stands.position if stands else 0, head))
    return placed


def _waiting_since(db: Connection, behind: Sequence[Standing]) -> dict[str, datetime]:
    """Subscriber -> when the oldest event it has not taken in was recorded."""
    wanted = [(s.subscriber.name, t.type_name, s.position, False) for s in behind for t in s.subscriber.listens_to]
    consumers = [s for s in behind if issubclass(s.subscriber, Consumer)]
    wanted += [(s.subscriber.name, e.type_name, s.position, True) for s in consumers for e in DECISIONS]
    rows = db.execute(
        "SELECT subscriber, min(recorded_at) FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::boolean[])"
        " AS w (subscriber, type, after, named) CROSS JOIN LATERAL (SELECT recorded_at FROM log.events e"
        "  WHERE e.type = w.type AND e.position > w.after AND (NOT w.named OR e.payload->>'consumer' = w.subscriber)"
        "  ORDER BY e.position LIMIT 1) AS oldest GROUP BY subscriber",
        [[one[n] for one in wanted] for n in range(4)],
    )
    return {str(name): since for name, since in rows}


def fold_all(store: EventStore) -> list[Exception]:
    """Bring every read model that is behind to the head; what kept some from getting there stops no other."""
    failures: dict[str, Exception] = {}
    with store.database.transaction() as db:
        placed = _places(db)
    for standing in placed:
        if standing.behind and issubclass(standing.subscriber, ReadModel):
            try:
                catch_up(standing.subscriber(), store)
            except Exception as error:
                error.add_note(f"while folding {standing.subscriber.name}")
                failures[standing.subscriber.name] = error
    with store.database.statement() as db:
        beat(db, [name for name in READ_MODELS if name not in failures])
    return list(failures.values())


def beat_idle(store: EventStore) -> None:
    """Say of every consumer that has nothing to do that somebody looked."""
    idle = [s.subscriber.name for s in standings(store) if issubclass(s.subscriber, Consumer) and not s.has_work]
    with store.database.statement() as db:
        beat(db, idle)


def settle(store: EventStore, *, on_consumed: Callable[[str, Consumed], None] | None = None) -> None:
    """Let everybody react until nobody has anything left to react to; a consumer that fails is left where it is.

    Raises what kept a read model from the head, after everybody else has settled.
    """
    failed: set[str] = set()
    for _ in range(MAX_ROUNDS):
        failures = fold_all(store)
        left = [s.subscriber for s in standings(store) if s.has_work and s.subscriber.name not in failed]
        consumers = [c for c in left if issubclass(c, Consumer)]
        if not consumers:
            beat_idle(store)
            if failures:
                raise failures[0]
            return
        for consumer in consumers:
            done = consume(consumer(), store)
            if done.failed or done.busy:
                failed.add(consumer.name)
            if on_consumed:
                on_consumed(consumer.name, done)
    raise RuntimeError(f"the subscribers did not settle in {MAX_ROUNDS} rounds: two consumers answer each other")
