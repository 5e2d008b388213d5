"""Letting everybody react, here and now, where no other process does."""

from collections.abc import Callable

from meal_assets.clients.outside import Outside
from meal_assets.consumers import Consumed, Consumer, consume
from meal_assets.event_store import EventStore

from .folding import Folder
from .standing import beat_idle, standings

MAX_ROUNDS = 1_000
"""A chain of reactions longer than this is a loop."""
PATIENCE_SECONDS = 1.0
"""Consumers go on when a read model takes longer than this: they do not read it."""


def settle(
    store: EventStore, outside: Outside | None = None, *, on_consumed: Callable[[str, Consumed], None] | None = None
) -> None:
    """Let everybody react until nobody has anything left to react to; a consumer that fails is left where it is.

    Raises what kept a read model from the head, after everybody else has settled.
    """
    failed: set[str] = set()
    failures: dict[str, Exception] = {}
    with Folder(store) as folder:
        for _ in range(MAX_ROUNDS):
            failures |= folder.fold(PATIENCE_SECONDS)
            stand = list(standings(store))
            left = [s.subscriber for s in stand if s.due and s.subscriber.name not in failed]
            consumers = [c for c in left if issubclass(c, Consumer)]
            for consumer in consumers:
                done = consume(consumer(outside or Outside()), store)
                if done.failed or done.busy:
                    failed.add(consumer.name)
                if on_consumed:
                    on_consumed(consumer.name, done)
            failures = {s.name: failures[s.name] for s in left if s.name in failures}
            if len(left) == len(failures):
                beat_idle(store, stand)
                if failures:
                    raise next(iter(failures.values()))
                return
    raise RuntimeError(f"the subscribers did not settle in {MAX_ROUNDS} rounds: two consumers answer each other")
