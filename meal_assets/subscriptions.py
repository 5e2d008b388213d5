"""Everybody who follows the log, and bringing them all to its head."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meal_assets.consumers import CONSUMERS, Consumed, Consumer, consume
from meal_assets.contracts.system import DeadLetterRetried
from meal_assets.event_store import EventStore
from meal_assets.event_store.checkpoints import Checkpoint, checkpoints, heads
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up

MAX_ROUNDS = 1_000
"""A chain of reactions longer than this is a loop."""

Subscriber = type[ReadModel] | type[Consumer]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscriber stands beside the newest event it listens to; `position` < `head` means it is behind."""

    subscriber: Subscriber
    position: int
    head: int

    @property
    def behind(self) -> bool:
        return self.position < self.head


def standings(store: EventStore) -> Iterator[Standing]:
    """All read models, then all consumers."""
    every: list[Subscriber] = [*READ_MODELS.values(), *CONSUMERS.values()]
    types = sorted({e for s in every for e in s.listens_to} | {DeadLetterRetried}, key=lambda e: e.type_name)
    with store.database.transaction() as db:
        at = checkpoints(db)
        top = heads(db, types)
        asked = {
            str(name): int(position)
            for name, position in db.execute(
                "SELECT payload->>'consumer', max(position) FROM log.events WHERE type = %s GROUP BY 1",
                (DeadLetterRetried.type_name,),
            )
        }
    for subscriber in every:
        stands = at.get(subscriber.name)
        head = max((top.get(e.type_name, 0) for e in subscriber.listens_to), default=0)
        if issubclass(subscriber, Consumer):
            head = max(head, asked.get(subscriber.name, 0))
        if issubclass(subscriber, ReadModel) and (stands is None or stands.version != subscriber.version):
            stands = Checkpoint(position=-1, version=subscriber.version)  # its tables are still to be made
        yield Standing(subscriber, stands.position if stands else 0, head)


def fold_all(store: EventStore) -> list[Exception]:
    """Bring every read model that is behind to the head; what kept some from getting there stops no other."""
    failures: list[Exception] = []
    for standing in standings(store):
        if standing.behind and issubclass(standing.subscriber, ReadModel):
            try:
                catch_up(standing.subscriber(), store)
            except Exception as error:
                error.add_note(f"while folding {standing.subscriber.name}")
                failures.append(error)
    return failures


def settle(store: EventStore, *, on_consumed: Callable[[str, Consumed], None] | None = None) -> None:
    """Let everybody react until nobody has anything left to react to; a consumer that fails is left where it is.

    Raises what kept a read model from the head, after everybody else has settled.
    """
    failed: set[str] = set()
    for _ in range(MAX_ROUNDS):
        failures = fold_all(store)
        left = [s.subscriber for s in standings(store) if s.behind and s.subscriber.name not in failed]
        consumers = [c for c in left if issubclass(c, Consumer)]
        if not consumers:
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
