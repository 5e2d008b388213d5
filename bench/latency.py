"""From a committed event to the row people see, and to the materialization engineers see; stock Dagster beside it.

The consumer that hears of weigh-ins rests meanwhile: what runs take is measured by `choreography`.
"""

import os
import statistics
import sys
import threading
import time
from collections.abc import Sequence

import psycopg

from meal_assets.commands.flags import pause
from meal_assets.consumers.estimate_expenditure import EstimateExpenditure
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.system import CONSUMER_FLAG
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.folds import FOLDED

from .figures import Figure
from .platforms import Ours, materialized, ours, stock, wait_for

SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
A_SECOND = 20
PROBES = 12
"""Materializations, and stock runs, that are waited for one by one."""
MODEL = "weight_trend"
PATIENCE = 60.0


def run() -> list[Figure]:
    with ours() as platform:
        rest(platform.store)
        shown = _rows(platform)
        made = [_materialized(platform) for _ in range(PROBES)]
        with stock(platform.store.database.url) as address:
            stock_rows, stock_made = zip(*(stock_latency(platform, address) for _ in range(PROBES)), strict=True)
    p50, p95, most = quantile(shown, 0.5), quantile(shown, 0.95), max(shown)
    print(f"{len(shown)} events: p50 {p50:.2f} ms, p95 {p95:.2f} ms, max {most:.0f} ms", file=sys.stderr)
    peer, peer_made = statistics.median(stock_rows), statistics.median(stock_made)
    m50, m95 = quantile(made, 0.5), quantile(made, 0.95)
    name = "stock sensor + run"
    return [
        Figure("row shown, p50", p50, "ms", "≤ 3 ms", p50 <= 3, peer=peer, peer_name=name),
        Figure("row shown, p95", p95, "ms", "≤ 30 ms", p95 <= 30, peer=quantile(stock_rows, 0.95), peer_name=name),
        Figure("row shown, max", most, "ms", "≤ 400 ms", most <= 400, peer=max(stock_rows), peer_name=name),
        Figure("materialization shown, p50", m50, "ms", "≤ 300 ms, ≥ 20× better", m50 <= 300 and peer_made >= 20 * m50,
               peer=peer_made, peer_name=name),
        Figure("materialization shown, p95", m95, "ms", "≤ 600 ms", m95 <= 600, peer=quantile(stock_made, 0.95),
               peer_name=name),
    ]  # fmt: skip


def rest(store: EventStore) -> None:
    """Let whoever estimates something at each weigh-in not do so: nobody weighs in twenty times a second."""
    pause(store, CONSUMER_FLAG + EstimateExpenditure.name, Origin("home", "bench"))


def weigh(store: EventStore, number: int) -> int:
    """A weigh-in; its position."""
    said = WeightRecorded.model_validate({"person": "ada", "day": "2026-11-23", "weight_kg": 60 + number / 1000})
    return store.append(said.stream_in("home"), [said], origin=Origin("home", "bench")).last


def _rows(platform: Ours) -> list[float]:
    """Milliseconds from the commit to the row, for each of the events that come for a while."""
    committed: dict[int, float] = {}
    folded: list[tuple[int, float]] = []
    over = threading.Event()
    listening = threading.Event()

    def listen() -> None:
        with platform.store.database.dedicated() as connection:
            connection.execute(f"LISTEN {FOLDED}")
            listening.set()
            while not over.is_set():
                for told in connection.notifies(timeout=0.2):
                    name, _, position = told.payload.partition(":")
                    if name == MODEL:
                        folded.append((int(position), time.perf_counter()))

    listener = threading.Thread(target=listen)
    listener.start()
    listening.wait()
    weigh(platform.store, 0)
    wait_for(lambda: folded, PATIENCE)  # the first tick has begun
    for number in range(SECONDS * A_SECOND):
        position = weigh(platform.store, number)
        committed[position] = time.perf_counter()
        time.sleep(1 / A_SECOND)
    wait_for(lambda: folded and folded[-1][0] >= max(committed), PATIENCE)
    over.set()
    listener.join()
    return [max(min(at for upto, at in folded if upto >= p) - began, 0) * 1_000 for p, began in committed.items()]


def _materialized(platform: Ours) -> float:
    position, began = weigh(platform.store, 1), time.perf_counter()
    wait_for(lambda: materialized(platform.url, "read_model", MODEL) >= position, PATIENCE)
    return (time.perf_counter() - began) * 1_000


def stock_latency(platform: Ours, address: str) -> tuple[float, float]:
    """Milliseconds from a committed row to the row of a run, and to the materialization."""
    with psycopg.connect(platform.store.database.url, autocommit=True) as db:
        (position,) = db.execute("INSERT INTO stock.events DEFAULT VALUES RETURNING position").fetchone() or (0,)
        began = time.perf_counter()

        def there() -> bool:
            return bool(db.execute("SELECT 1 FROM stock.rows WHERE position >= %s", (position,)).fetchone())

        wait_for(there, PATIENCE)
        row = time.perf_counter() - began
        wait_for(lambda: materialized(address, "rows") >= position, PATIENCE)
        return row * 1_000, (time.perf_counter() - began) * 1_000


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them is."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
