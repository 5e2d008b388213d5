"""A read model that hangs, fails or is built anew costs the others nothing, and what it hangs on is bounded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event as Signal
from typing import Any

import pytest
from psycopg.errors import LockNotAvailable

from meal_assets.commands.recipes import request_recipes
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.recipe import RecipesFetched
from meal_assets.event_store import EventStore, Origin, folds
from meal_assets.event_store.database import fetch_row
from meal_assets.read_models import READ_MODELS, Folded, ReadModel, catch_up, wait_until
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.event_statistics import EventStatistics
from meal_assets.read_models.food_log import FoodLog
from meal_assets.subscriptions import SUBSCRIBERS, Folder, Standing, fold_all, settle, settling, standings
from tests.event_store.material import PATIENCE
from tests.read_models.conftest import with_fold
from tests.read_models.said import append, like


def standing_of(store: EventStore, model: type[ReadModel]) -> Standing:
    return next(s for s in standings(store) if s.subscriber is model)


@pytest.fixture
def folded(store: EventStore) -> EventStore:
    """A log whose one meal is in every read model."""
    append(store, like(MealLogged, entry="a"))
    assert fold_all(store) == []
    return store


@contextmanager
def locked(store: EventStore, what: str) -> Iterator[None]:
    """Somebody at a terminal holds it."""
    with store.database.dedicated() as operator:
        operator.execute("BEGIN")
        operator.execute(what)
        yield
        operator.execute("ROLLBACK")


def waiting_for_a_lock(store: EventStore) -> int:
    """How many connections to the database do."""
    with store.database.transaction() as db:
        query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND database IN (0, (SELECT oid"
        return int(fetch_row(db, query + " FROM pg_database WHERE datname = current_database()))")[0])


ONE_RECIPE = b'{"title": "Soup", "ingredients": ["1 leek"]}\n'
TABLE = "LOCK TABLE read.daily_nutrition IN ACCESS EXCLUSIVE MODE"
CHECKPOINT = "SELECT FROM log.checkpoints WHERE subscriber = 'daily_nutrition' FOR UPDATE"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock may be held as long as the test needs."""
    monkeypatch.setattr(folds, "BOUNDED", ("1min", "1min"))


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds, "BOUNDED", ("50ms", "10s"))


@pytest.mark.parametrize("what", [TABLE, CHECKPOINT], ids=["table", "checkpoint"])
def test_the_others_are_at_the_head_while_one_hangs_on_a_lock(folded: EventStore, patient: None, what: str) -> None:
    last = append(folded, like(MealLogged, entry="b")).last
    with Folder(folded) as folder, ThreadPoolExecutor(1) as thread:
        with locked(folded, what):
            hanging = thread.submit(folder.fold)
            for other in (FoodLog, EventStatistics):
                wait_until(folded, other, last, PATIENCE)
            assert (hanging.done(), standing_of(folded, DailyNutrition).position) == (False, 1)
        assert hanging.result(PATIENCE) == {}
    assert standing_of(folded, DailyNutrition).position == last


def test_one_that_takes_long_is_left_to_go_on_and_not_begun_again(folded: EventStore, patient: None) -> None:
    last = append(folded, like(MealLogged, entry="b")).last
    with Folder(folded) as folder:
        with locked(folded, TABLE):
            assert folder.fold(patience=0.01) == {}
            assert folder.busy
            later = append(folded, like(MealLogged, entry="c")).last
            while standing_of(folded, FoodLog).behind:
                assert folder.fold(patience=0.01) == {}
            while not (waiting := waiting_for_a_lock(folded)):
                assert folder.fold(patience=0.01) == {}
            assert (waiting, standing_of(folded, DailyNutrition).position) == (1, 1)
        assert folder.fold() == {}
        assert not folder.busy
    assert standing_of(folded, DailyNutrition).position == later > last


def test_what_it_hangs_on_is_bounded_and_the_reason_is_told(folded: EventStore, short_waits: None) -> None:
    last = append(folded, like(MealLogged, entry="b")).last
    with locked(folded, TABLE):
        (failure,) = fold_all(folded)
    assert failure.__notes__ == ["while folding daily_nutrition"]
    stands = standing_of(folded, DailyNutrition)
    assert (stands.position, stands.stopped_because) == (
        1,
        "LockNotAvailable: canceling statement due to lock timeout",
    )
    assert {s.subscriber.name for s in standings(folded) if s.behind and s.subscriber.name in READ_MODELS} == {
        "daily_nutrition"
    }
    assert fold_all(folded) == []
    assert standing_of(folded, DailyNutrition).stopped_because is None
    assert standing_of(folded, DailyNutrition).position == last


def test_a_model_that_another_process_has_is_left_to_it_without_a_word(folded: EventStore, short_waits: None) -> None:
    append(folded, like(MealLogged, entry="b"))
    with locked(folded, CHECKPOINT):
        done = catch_up(DailyNutrition(), folded)
        assert (done.busy, done.position, done.batches) == (True, None, 0)
        assert fold_all(folded) == []
    assert standing_of(folded, DailyNutrition).stopped_because is None
    assert catch_up(DailyNutrition(), folded).batches == 1


def test_a_model_that_another_process_rebuilds_is_left_to_it(folded: EventStore, monkeypatch: Any) -> None:
    monkeypatch.setattr("meal_assets.read_models.base.following.LOCK_SECONDS", 0.05)
    newer = with_fold(DailyNutrition(), lambda batch, fold: fold(batch), newer=1)
    with folded.database.dedicated() as other:
        other.execute("SELECT pg_advisory_lock(hashtext('daily_nutrition@shadow'))")
        assert catch_up(newer, folded).busy
    assert catch_up(newer, folded).batches == 1


def test_the_others_are_at_the_head_while_a_new_version_of_one_is_built(
    folded: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = Signal(), Signal()

    def takes_long(batch: Any, fold: Any) -> None:
        began.set()
        assert may_end.wait(PATIENCE)
        fold(batch)

    newer = type(with_fold(DailyNutrition(), takes_long, newer=1))
    monkeypatch.setitem(SUBSCRIBERS, "daily_nutrition", newer)
    last = append(folded, like(MealLogged, entry="b")).last
    with Folder(folded) as folder, ThreadPoolExecutor(1) as thread:
        building = thread.submit(folder.fold)
        assert began.wait(PATIENCE)
        for other in (FoodLog, EventStatistics):
            wait_until(folded, other, last, PATIENCE)
        assert not building.done()
        may_end.set()
        assert building.result(PATIENCE) == {}
    assert standing_of(folded, newer).position == last


def test_consumers_go_on_while_a_read_model_hangs(
    folded: EventStore, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "PATIENCE_SECONDS", 0.05)
    append(folded, like(MealLogged, entry="b"))
    asked = request_recipes(
        folded, "one.jsonl", b'{"title": "Soup", "ingredients": ["1 leek"]}\n', Origin("home", "test")
    )
    with ThreadPoolExecutor(1) as thread:
        with locked(folded, TABLE):
            settled = thread.submit(settle, folded)
            assert next(folded.follow(asked.position, (RecipesFetched,)))
            assert not settled.done()
        settled.result(PATIENCE)
    assert not any(s.behind for s in standings(folded))


def test_what_kept_a_read_model_from_the_head_is_raised_after_the_others_have_settled(
    folded: EventStore, short_waits: None
) -> None:
    append(folded, like(MealLogged, entry="b"))
    with locked(folded, TABLE), pytest.raises(LockNotAvailable):
        settle(folded)
    assert [s.subscriber for s in standings(folded) if s.behind] == [DailyNutrition]


def test_a_fold_that_is_to_stop_ends_with_its_batch(folded: EventStore) -> None:
    for entry in "bcd":
        append(folded, like(MealLogged, entry=entry))
    assert catch_up(DailyNutrition(), folded, batch=1, stop=lambda: True) == Folded(2, 1, events=1)
    newer = with_fold(DailyNutrition(), lambda batch, fold: fold(batch), newer=1)
    assert catch_up(newer, folded, batch=1, stop=lambda: True) == Folded(None, 0)
    assert standing_of(folded, DailyNutrition).position == 2
    assert catch_up(newer, folded, batch=1) == Folded(4, 3, events=3), "it goes on where it was"
