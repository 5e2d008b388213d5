"""Logs to carry away, the rows of a log to compare, and a `meals` process to kill."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.records import uuid7
from tests.event_store.material import LIST, WEEK, environment
from tests.processes import run_meals
from tests.read_models.histories import History

FORMATS = pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
PATIENCE_SECONDS = 60
LONG_AGO = datetime(2020, 2, 29, 23, 59, 59, 999_999, UTC)
ENVELOPE = "event_id, stream, type, version, household, actor, correlation_id, causation_id, occurred_at"


class Drunk(Event, topic="test", stream="water/{person}", version=2):
    """Once {person, litres}, now {person, ml}."""

    examples = [{"person": "ada", "ml": 250}]
    person: str
    ml: float

    @classmethod
    def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
        return {"person": payload["person"], "ml": payload["litres"] * 1000}


def fill(store: EventStore) -> None:
    """A possible history with all types of events, every example, and what is hard to carry."""
    History(store, seed=5).append(40)
    origin = Origin("Ünï/côde 家", 'the "cook"\n\\ 🍲')
    for event in EVENTS.values():
        for example in event.examples:
            said = event.model_validate(example)
            store.append(said.stream_in(f"examples/{event.type_name}"), [said], origin=origin)
    hard = ["line\u2028separator \\u0000 \r\n\t", "🥕" * 3, "e\u0301"]
    store.append(LIST, [ItemTicked(week=WEEK, item=item) for item in hard], origin=origin)
    append_stored(store, "test.Drunk", 1, '{"person": "ada", "litres": 1.500}')
    append_stored(store, "test.Drunk", 2, '{"person": "ada", "ml": 12345678901234567890.10}')
    append_stored(store, "test.Drunk", 2, f'{{"person": "{"🥕x" * 500_000}", "ml": 0.5}}')


def append_stored(store: EventStore, type_name: str, version: int, payload: str) -> None:
    """As a program of another age wrote it, numbers and all."""
    with store.database.transaction() as db:
        db.execute(
            "SELECT log.append_one(%s, NULL, NULL, 'home', 'test', %s, %s, %s, %s, %s, %s, %s)",
            ("home/water", uuid7(), uuid7(), uuid7(), type_name, version, Jsonb(payload, dumps=str), LONG_AGO),
        )


def fill_quickly(store: EventStore, count: int) -> None:
    """Many small events."""
    append_bulk(store, ((LIST, ItemTicked(week=WEEK, item=f"item {n}")) for n in range(count)), Origin("home", "test"))


def rows(store: EventStore, columns: str = "*, payload::text") -> list[tuple[Any, ...]]:
    """The log as it stands."""
    with store.database.transaction() as db:
        return db.execute(f"SELECT {columns} FROM log.events ORDER BY position").fetchall()


def start(store: EventStore, *command: str | Path) -> "subprocess.Popen[bytes]":
    """`meals` in a process of its own, on the database of this log."""
    return subprocess.Popen(
        [sys.executable, "-m", "meal_assets.cli", *map(str, command)],
        env=environment(MEALS_DATABASE_URL=store.database.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(store: EventStore, *command: str | Path) -> str:
    """`meals` to its end; what it printed."""
    done = run_meals(tuple(map(str, command)), environment(MEALS_DATABASE_URL=store.database.url), PATIENCE_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill_when(process: "subprocess.Popen[bytes]", is_time: Callable[[], bool]) -> None:
    """SIGKILL as soon as it is time; fails when the process ends before."""
    try:
        while not is_time():
            assert process.poll() is None, f"ended before it was killed: {process.communicate()!r}"
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
