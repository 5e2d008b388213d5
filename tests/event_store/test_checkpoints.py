"""A subscriber's place is moved by one at a time, and what it did waits in the outbox until it was shown."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.diary import DayClosed
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import Connection, Database, EventStore, Origin
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.checkpoints import (
    HEADS,
    MAX_CORRELATIONS,
    Checkpoint,
    Done,
    checkpoints,
    drop_checkpoint,
    end_of_batch,
    heads,
    lock_checkpoint,
    mark_reported,
    move_checkpoint,
    note_done,
    take_unreported,
)

from .material import LIST, PATIENCE, WEEK, ticks, until_blocked


def test_a_subscriber_begins_nowhere_and_is_found_where_it_was_left(database: Database) -> None:
    with database.transaction() as db:
        assert lock_checkpoint(db, "list") is None
        move_checkpoint(db, "list", 7, version=1)
    with database.transaction() as db:
        assert lock_checkpoint(db, "list") == Checkpoint(7, 1)
        move_checkpoint(db, "list", 9, version=2)
        move_checkpoint(db, "week", 3, version=1)
    with database.transaction() as db:
        assert checkpoints(db) == {"list": Checkpoint(9, 2), "week": Checkpoint(3, 1)}
        drop_checkpoint(db, "list")
        assert lock_checkpoint(db, "list") is None


def test_a_checkpoint_stays_where_it_was_when_the_work_is_rolled_back(database: Database) -> None:
    with database.transaction() as db:
        move_checkpoint(db, "list", 7, version=1)
    with database.transaction() as db:
        move_checkpoint(db, "list", 9, version=1)
        raise psycopg.Rollback
    with database.transaction() as db:
        assert lock_checkpoint(db, "list") == Checkpoint(7, 1)


def lock(database: Database, subscriber: str) -> Checkpoint | None:
    with database.transaction() as db:
        return lock_checkpoint(db, subscriber)


def test_a_second_worker_waits_and_goes_on_where_the_first_came_to(database_url: str, database: Database) -> None:
    with database.transaction() as db:
        move_checkpoint(db, "list", 7, version=1)
    with ThreadPoolExecutor(1) as threads:
        with database.transaction() as db:
            assert lock_checkpoint(db, "list") == Checkpoint(7, 1)
            second = threads.submit(lock, database, "list")
            until_blocked(database_url, second)
            move_checkpoint(db, "list", 9, version=1)
        assert second.result(PATIENCE) == Checkpoint(9, 1)


def test_subscribers_do_not_wait_for_each_other(database: Database) -> None:
    with database.transaction() as db:
        move_checkpoint(db, "list", 7, version=1)
        move_checkpoint(db, "week", 3, version=1)
    with ThreadPoolExecutor(1) as threads, database.transaction() as db:
        lock_checkpoint(db, "list")
        assert threads.submit(lock, database, "week").result(PATIENCE) == Checkpoint(3, 1)


@pytest.fixture
def mixed(store: EventStore, origin: Origin) -> EventStore:
    """Positions 1, 2, 4, 6 tick, 3 and 5 untick."""
    untick = ItemUnticked(week=WEEK, item="a")
    store.append(LIST, [*ticks("a", "b"), untick, *ticks("c"), untick, *ticks("d")], origin=origin)
    return store


def test_a_batch_ends_at_the_last_of_so_many_events_that_are_listened_to(mixed: EventStore) -> None:
    with mixed.database.transaction() as db:
        both: tuple[type[Event], ...] = (ItemTicked, ItemUnticked)
        ends = [end_of_batch(db, [ItemTicked], after, 2) for after in (0, 1, 2, 4, 6)]
        assert ends == [2, 4, 6, 6, None]
        assert [end_of_batch(db, both, after, 2) for after in (0, 1, 5, 6)] == [2, 3, 6, None]
        assert end_of_batch(db, [ItemTicked], 0, 100) == 6
        assert end_of_batch(db, [DayClosed], 0, 100) is None


def test_the_head_of_each_type_is_the_newest_behind_a_position(mixed: EventStore) -> None:
    types = (ItemTicked, ItemUnticked, DayClosed)
    with mixed.database.transaction() as db:
        assert heads(db, types) == {"shopping.ItemTicked": 6, "shopping.ItemUnticked": 5}
        assert heads(db, types, after=5) == {"shopping.ItemTicked": 6}
        assert heads(db, types, after=6) == {}


def done(
    db: Connection, after: int, upto: int, subscriber: str = "list", partitions: Sequence[str] = (), **noted: object
) -> None:
    batch = Batch(db, (ItemTicked, ItemUnticked), after, upto)
    note_done(db, batch, subscriber=subscriber, version=1, seconds=0.25, **noted)  # type: ignore[arg-type]
    db.execute("UPDATE log.outbox SET partitions = %s WHERE id = (SELECT max(id) FROM log.outbox)", (list(partitions),))


def hash_of(db: Connection, position: int) -> bytes:
    row = db.execute("SELECT hash FROM log.events WHERE position = %s", (position,)).fetchone()
    assert row is not None
    return bytes(row[0])


def test_what_was_done_says_which_events_made_it(mixed: EventStore, origin: Origin) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 4, partitions=["2026-11-23"], said={"plan.PlanGenerated": 1}, rows={"inserted": 2})
    with mixed.database.transaction() as db:
        (one,) = take_unreported(db)
        assert one == Done(
            ids=one.ids,
            subscriber="list",
            version=1,
            after=0,
            to=4,
            chain_head=hash_of(db, 4),
            types={"shopping.ItemTicked": 3, "shopping.ItemUnticked": 1},
            said={"plan.PlanGenerated": 1},
            correlation_ids=(origin.correlation_id,),
            partitions=("2026-11-23",),
            seconds=0.25,
            rows={"inserted": 2},
        )


def test_what_a_subscriber_did_in_several_batches_is_shown_together(mixed: EventStore, origin: Origin) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 2, partitions=["2026-11-24", "2026-11-23"], said={"x": 1})
        done(db, 2, 2, "week")
        done(db, 2, 6, partitions=["2026-11-22", "2026-11-23"], said={"x": 2, "y": 1})
    with mixed.database.transaction() as db:
        together, alone = take_unreported(db)
        assert (together.subscriber, len(together.ids), alone.subscriber, len(alone.ids)) == ("list", 2, "week", 1)
        assert (together.after, together.to, together.chain_head) == (0, 6, hash_of(db, 6))
        assert together.types == {"shopping.ItemTicked": 4, "shopping.ItemUnticked": 2}
        assert together.said == {"x": 3, "y": 1}
        assert together.partitions == ("2026-11-22", "2026-11-23", "2026-11-24")
        assert together.correlation_ids == (origin.correlation_id,)
        assert together.seconds == pytest.approx(0.5)


def test_an_outbox_row_names_the_newest_commands_and_not_too_many(store: EventStore) -> None:
    commands = [Origin("home", "test") for _ in range(MAX_CORRELATIONS + 5)]
    for command in commands:
        store.append(LIST, ticks("a"), origin=command)
    newest: list[UUID] = [c.correlation_id for c in reversed(commands)][:MAX_CORRELATIONS]
    with store.database.transaction() as db:
        done(db, 0, 25)
        (whole,) = take_unreported(db)
        mark_reported(db, whole)
        done(db, 0, 12)
        done(db, 12, 25)
        (pieces,) = take_unreported(db)
    assert list(whole.correlation_ids) == newest
    assert list(pieces.correlation_ids) == newest


def test_what_was_shown_is_not_shown_again(mixed: EventStore) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 2)
        done(db, 2, 4)
    with mixed.database.transaction() as db:
        (first,) = take_unreported(db)
        mark_reported(db, first)
        done(db, 4, 6)
    with mixed.database.transaction() as db:
        (second,) = take_unreported(db)
        assert (second.after, second.to) == (4, 6)


def test_what_could_not_be_shown_is_still_there(mixed: EventStore) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 2)
    with mixed.database.transaction() as db:
        (first,) = take_unreported(db)
        mark_reported(db, first)
        raise psycopg.Rollback
    with mixed.database.transaction() as db:
        assert take_unreported(db) == [first]


def test_one_subscriber_can_be_asked_for(mixed: EventStore) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 2, "list")
        done(db, 0, 4, "week")
        assert [d.subscriber for d in take_unreported(db, "week")] == ["week"]
        assert take_unreported(db, "nobody") == []


def test_two_who_show_at_once_take_different_work(mixed: EventStore) -> None:
    with mixed.database.transaction() as db:
        done(db, 0, 2, "list")
        done(db, 0, 4, "week")
    with mixed.database.transaction() as one, mixed.database.transaction() as two:
        two.execute("SET LOCAL lock_timeout = '2s'")  # to fail and not to hang, should it wait
        assert [d.subscriber for d in take_unreported(one, "list")] == ["list"]
        assert [d.subscriber for d in take_unreported(two)] == ["week"]
        assert take_unreported(one, "week") == []


def test_the_head_of_a_type_that_never_was_is_not_looked_for_in_the_whole_log(store: EventStore) -> None:
    append_bulk(store, ((LIST, event) for event in ticks(*map(str, range(20_000)))), Origin("home", "test"))
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("ANALYZE log.events")  # as the server does by itself, a minute later
    with store.database.transaction() as db:
        ((plan,),) = db.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {HEADS}", (list(EVENTS), 0)).fetchall()
        assert heads(db, list(EVENTS.values())) == {ItemTicked.type_name: store.head()}
    assert passed_over(plan[0]["Plan"]) <= len(EVENTS)


def passed_over(plan: dict[str, Any]) -> float:
    """Rows that were read in vain, in all loops."""
    own = plan.get("Rows Removed by Filter", 0) * plan.get("Actual Loops", 1)
    return float(own + sum(map(passed_over, plan.get("Plans", []))))
