"""How long new events take into every read model that listens: the delay between a fact and what people see of it."""

import statistics
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from meal_assets.contracts import EVENTS
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.system import PersonForgotten
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import READ_MODELS, catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.subscriptions import fold_all
from tests.read_models.histories import History

from .figures import SEED, Figure
from .scratch import scratch_store

LOG = 10_000
NEW = 100
ROUNDS = 25
WARM = 40
EVERYDAY = [e for e in EVENTS.values() if e is not PersonForgotten]
"""A person is not forgotten thrice in a hundred events."""
ALL_AIM_MS, ONE_AIM_MS = 15.0, 3.0


def run() -> list[Figure]:
    with scratch_store() as store:
        history = History(store, SEED)
        history.append(LOG)
        for _ in range(WARM):  # as in a process that has run for a while: each of its connections knows what is asked
            _add(history)
            fold_all(store)
        into_all = _median(lambda: _add(history), lambda: fold_all(store))
        alone = {
            name: _median(lambda: _add(history), lambda model=model: catch_up(model(), store))  # type: ignore[misc]
            for name, model in READ_MODELS.items()
        }
        fold_all(store)
        single = _median(lambda: _eat(store), lambda: catch_up(DailyNutrition(), store))
    table = Table("read model", f"ms for {NEW} new events")
    for name, milliseconds in sorted(alone.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{milliseconds:.2f}")
    Console(file=sys.stderr).print(table)
    return [
        Figure(f"fold, {NEW} events into all", into_all, "ms", f"≤ {ALL_AIM_MS:g} ms", into_all <= ALL_AIM_MS),
        Figure("fold, 1 event into 1", single, "ms", f"≤ {ONE_AIM_MS:g} ms", single <= ONE_AIM_MS),
    ]


def _add(history: History) -> None:
    history.append_of(*history.random.choices(EVERYDAY, k=NEW))


def _eat(store: EventStore) -> None:
    event = MealLogged.model_validate(MealLogged.examples[0])
    store.append(event.stream_in("home"), [event], origin=Origin("home", "bench"))


def _median(before: Callable[[], object], act: Callable[[], object]) -> float:
    """Median milliseconds of `act`, each time after `before`."""
    times = []
    for _ in range(ROUNDS):
        before()
        began = time.perf_counter()
        act()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)
