"""Where everybody stands, in the text format that Prometheus reads (version 0.0.4)."""

from collections import Counter
from collections.abc import Iterator, Mapping

from meal_assets.consumers import CONSUMERS
from meal_assets.event_store import EventStore
from meal_assets.event_store.database import fetch_row
from meal_assets.read_models import READ_MODELS
from meal_assets.read_models.dead_letters import open_letters

from .standing import events_waiting, standings

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
WHOLE = ""
"""For what is not of one subscriber."""


def metrics(store: EventStore) -> str:
    """Of each subscriber where it stands, its lag in events and seconds, and whether it rests or cannot go on."""
    stand = {s.subscriber.name: s for s in standings(store)}
    with store.database.transaction() as db:
        waiting = events_waiting(db, list(stand.values()))
        letters = Counter(consumer for consumer, *_ in open_letters(db))
        (unreported,) = fetch_row(db, "SELECT count(*) FROM log.outbox WHERE reported_at IS NULL")
    each: dict[str, tuple[str, Mapping[str, float]]] = {
        "log_head": ("The newest position of the log.", {WHOLE: store.head()}),
        "unreported": ("Batches taken in that Dagster does not show yet.", {WHOLE: int(unreported)}),
        "position": ("Where it stands in the log.", {n: max(s.position, 0) for n, s in stand.items()}),
        "lag_events": ("Events it listens to and has not taken in.", waiting),
        "lag_seconds": ("Age of the oldest of them.", {n: round(s.lag_seconds, 3) for n, s in stand.items()}),
        "paused": ("1 where somebody lets it rest.", {n: int(s.paused) for n, s in stand.items()}),
        "stopped": ("1 where it cannot go on.", {n: int(s.stopped_at is not None) for n, s in stand.items()}),
        "dead_letters": ("Events set aside that wait for a decision.", {name: letters[name] for name in CONSUMERS}),
    }
    return "".join(line for name, (told, values) in each.items() for line in _gauge(f"meals_{name}", told, values))


def _gauge(name: str, told: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {told}\n# TYPE {name} gauge\n"
    for subscriber, value in values.items():
        kind = "read_model" if subscriber in READ_MODELS else "consumer"
        labels = "" if subscriber == WHOLE else f'{{kind="{kind}",subscriber="{subscriber}"}}'
        yield f"{name}{labels} {value}\n"
