"""The log against the simplest thing that keeps its promises: a list, a dict of versions and a dict of keys."""

from itertools import count
from typing import ClassVar
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from meal_assets.errors import IdConflict, OnceConflict, StaleVersion
from meal_assets.event_store import Appended, Database, EventStore, Origin
from meal_assets.event_store.bulk import append_bulk

from .material import small_partitions, ticks

ORIGIN = Origin("home", "model")
STREAMS = st.sampled_from(["home/a", "home/b", "home/c"])
ITEMS = st.lists(st.sampled_from(["oats", "milk", "salt"]), min_size=1, max_size=4)
KEYS = st.one_of(st.none(), st.sampled_from(["k1", "k2", "k3"]))
IDS = st.one_of(st.none(), st.integers(0, 5))
"""None, or the number of the first of as many ids in a row as there are events."""
PARTITION = 7
numbers = count(1)


class Log(RuleBasedStateMachine):
    """What must hold after any sequence of appends, repeats and mistakes."""

    server_url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.name = f"model_{next(numbers)}"
        self._run(f"CREATE DATABASE {self.name} TEMPLATE migrated STRATEGY file_copy")
        url = self.server_url.replace("/postgres?", f"/{self.name}?", 1)
        with psycopg.connect(url, autocommit=True) as owner:
            small_partitions(owner, PARTITION)
        self.database = Database(url)
        self.store = EventStore(self.database)
        self.events: list[tuple[str, int, str]] = []
        self.keys: dict[str, tuple[str, list[str], Appended]] = {}
        self.ids: dict[int, int] = {}

    def teardown(self) -> None:
        self.database.close()
        self._run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def version(self, stream: str) -> int:
        return sum(s == stream for s, _, _ in self.events)

    @rule(stream=STREAMS, items=ITEMS, expected=st.one_of(st.none(), st.integers(0, 6)), once=KEYS, ids=IDS)
    def append(self, stream: str, items: list[str], expected: int | None, once: str | None, ids: int | None) -> None:
        wanted = self._expected_of(stream, items, expected, once, ids)
        try:
            answer: object = self.store.append(
                stream,
                ticks(*items),
                origin=ORIGIN,
                expected_version=expected,
                once=once,
                event_ids=None if ids is None else [UUID(int=n) for n in range(ids, ids + len(items))],
            )
        except (StaleVersion, OnceConflict, IdConflict) as error:
            answer = type(error)
        assert answer == wanted

    def _expected_of(
        self, stream: str, items: list[str], expected: int | None, once: str | None, ids: int | None
    ) -> object:
        if once in self.keys and once is not None:
            first_stream, first_items, first = self.keys[once]
            same = (first_stream, first_items) == (stream, items)
            return Appended(first.first, first.last, first.stream_version, True) if same else OnceConflict
        given = [] if ids is None else list(range(ids, ids + len(items)))
        if known := [self.ids[n] for n in given if n in self.ids]:
            there = [(s, item) for s, _, item in self.events[known[0] - 1 : known[0] - 1 + len(items)]]
            in_a_row = known == list(range(known[0], known[0] + len(items)))
            if not in_a_row or there != [(stream, item) for item in items]:
                return IdConflict
            return Appended(known[0], known[-1], self.events[known[-1] - 1][1], True)
        at = self.version(stream)
        if expected is not None and expected != at:
            return StaleVersion
        first = len(self.events) + 1
        self.events += [(stream, at + n, item) for n, item in enumerate(items, start=1)]
        self.ids |= {n: first + i for i, n in enumerate(given)}
        answer = Appended(first, len(self.events), at + len(items), False)
        if once is not None:
            self.keys[once] = stream, items, answer
        return answer

    @rule(pairs=st.lists(st.tuples(STREAMS, st.sampled_from(["rye", "tea"])), max_size=6), chunk=st.integers(1, 4))
    def bulk(self, pairs: list[tuple[str, str]], chunk: int) -> None:
        append_bulk(self.store, [(stream, ticks(item)[0]) for stream, item in pairs], ORIGIN, chunk=chunk)
        for stream, item in pairs:
            self.events.append((stream, self.version(stream) + 1, item))

    @invariant()
    def the_log_is_the_list(self) -> None:
        read = self.store.read()
        assert [(r.stream, r.stream_version, r.event.item) for r in read] == self.events  # type: ignore[attr-defined]
        assert [r.position for r in read] == list(range(1, len(self.events) + 1))

    @invariant()
    def the_chain_is_whole(self) -> None:
        assert self.store.first_broken_link() is None


@pytest.mark.slow
def test_the_log_does_what_a_list_would_do(server_url: str) -> None:
    Log.server_url = server_url
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Log,
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
