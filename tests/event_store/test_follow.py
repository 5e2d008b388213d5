"""A follower gets every event, in order, as soon as it is committed, whoever appends."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from queue import SimpleQueue

import psycopg
import pytest

from meal_assets.contracts import Event
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import Database, EventStore, Origin, Recorded
from meal_assets.event_store.store import PAGE, POLL_SECONDS
from tests.processes import forked, processes

from .material import LIST, PATIENCE, WEEK, ticks, until_blocked

WRITERS = 4
EACH = 2_000
MANY = 100


class Watched(EventStore):
    """A log that tells when somebody looked and found nothing new."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.found_nothing = SimpleQueue[int]()

    def read(
        self, after: int = 0, types: Sequence[type[Event]] = (), limit: int = PAGE, until: int | None = None
    ) -> list[Recorded]:
        found = super().read(after, types, limit, until)
        if not found:
            self.found_nothing.put(after)
            assert self.found_nothing.qsize() < MANY, "looked and looked, and told nobody"
        return found


@pytest.fixture
def watched(database: Database) -> Watched:
    return Watched(database)


def positions(batch: list[Recorded]) -> list[int]:
    return [r.position for r in batch]


def test_a_follower_is_woken_by_a_commit_long_before_it_would_look(watched: Watched, origin: Origin) -> None:
    assert POLL_SECONDS > PATIENCE
    with ThreadPoolExecutor(1) as threads:
        followed = watched.follow()
        for n in range(1, 11):
            coming = threads.submit(next, followed)
            assert watched.found_nothing.get(timeout=PATIENCE) == n - 1
            watched.append(LIST, ticks("a"), origin=origin)
            assert positions(coming.result(PATIENCE)) == [n]
        followed.close()


def test_a_follower_gets_what_was_there_before_page_by_page(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a") * (PAGE + 5), origin=origin)
    followed = store.follow(after=2)
    assert positions(next(followed)) == list(range(3, PAGE + 3))
    assert positions(next(followed)) == [PAGE + 3, PAGE + 4, PAGE + 5]
    followed.close()


def test_a_follower_of_one_type_gets_no_other(watched: Watched, origin: Origin) -> None:
    with ThreadPoolExecutor(1) as threads:
        followed = watched.follow(types=[ItemUnticked])
        coming = threads.submit(next, followed)
        watched.found_nothing.get(timeout=PATIENCE)
        watched.append(LIST, ticks("a"), origin=origin)
        watched.append(LIST, [ItemUnticked(week=WEEK, item="a")], origin=origin)
        assert positions(coming.result(PATIENCE)) == [2]
        followed.close()


def test_a_follower_gives_a_sign_of_life_when_nothing_happens(
    watched: Watched, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meal_assets.event_store.store.POLL_SECONDS", 0.01)
    followed = watched.follow()
    assert [next(followed), next(followed)] == [[], []]
    watched.append(LIST, ticks("a"), origin=origin)
    assert positions(next(batch for batch in followed if batch)) == [1]
    assert next(followed) == []
    followed.close()


def test_a_listener_wakes_on_a_commit_and_on_nothing_else(store: EventStore, origin: Origin) -> None:
    with store.listen() as wait:
        assert wait(0.01) is False
        with store.database.transaction() as db:
            store.append(LIST, ticks("a"), origin=origin, within=db)
            assert wait(0.01) is False
        assert wait(PATIENCE) is True
        assert wait(0) is False
        with store.database.transaction() as db:
            store.append(LIST, ticks("b"), origin=origin, within=db)
            raise psycopg.Rollback
        assert wait(0.01) is False


def test_nothing_is_seen_before_all_that_lies_below_it(database_url: str, store: EventStore, origin: Origin) -> None:
    with ThreadPoolExecutor(1) as threads:
        with store.database.transaction() as slow:
            assert store.append(LIST, ticks("slow"), origin=origin, within=slow).first == 1
            quick = threads.submit(store.append, "home/other", ticks("quick"), origin=origin)
            until_blocked(database_url, quick)
            assert store.read() == []
        assert quick.result(PATIENCE).first == 2
    assert [(r.position, r.stream) for r in store.read()] == [(1, LIST), (2, "home/other")]


def test_a_position_that_was_rolled_back_is_given_to_the_next(
    database_url: str, store: EventStore, origin: Origin
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with store.database.transaction() as slow:
            store.append(LIST, ticks("a", "b", "c"), origin=origin, within=slow)
            quick = threads.submit(store.append, "home/other", ticks("quick"), origin=origin)
            until_blocked(database_url, quick)
            raise psycopg.Rollback
        assert quick.result(PATIENCE).first == 1
    assert store.first_broken_link() is None


def write(url: str, writer: int, together: Barrier) -> None:
    """One process that appends its events, a few at a time."""
    with Database(url) as database:
        log = EventStore(database)
        log.head()
        together.wait(timeout=30)
        said = 0
        while said < EACH:
            few = ticks(*(f"{writer}:{n}" for n in range(said, min(said + 1 + said % 20, EACH))))
            log.append(LIST, few, origin=Origin("home", f"writer {writer}"))
            said += len(few)


@pytest.mark.slow
def test_no_position_is_skipped_while_four_processes_append(
    database_url: str, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meal_assets.event_store.store.POLL_SECONDS", 1.0)
    together = processes.Barrier(WRITERS)
    writers = [forked(write, database_url, n, together, daemon=True) for n in range(WRITERS)]
    for process in writers:
        process.start()
    seen: list[Recorded] = []
    while_writing = 0
    for batch in store.follow():
        seen += batch
        while_writing += any(p.is_alive() for p in writers)
        if len(seen) >= WRITERS * EACH or not (batch or any(p.is_alive() for p in writers)):
            break
    for process in writers:
        process.join(PATIENCE)
    assert [p.exitcode for p in writers] == [0] * WRITERS
    assert while_writing > 1
    assert [r.position for r in seen] == list(range(1, WRITERS * EACH + 1))
    assert [r.stream_version for r in seen] == [r.position for r in seen]
    items = [r.event.item for r in seen if isinstance(r.event, ItemTicked)]
    for writer in range(WRITERS):
        assert [i for i in items if i.startswith(f"{writer}:")] == [f"{writer}:{n}" for n in range(EACH)]
    assert store.first_broken_link() is None
