"""A consumer set back handles events again and says only what it has not said; set forward, it leaves events out."""

from typing import Any

import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.dead_letters import retry
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import consume
from meal_assets.consumers.base import Reset, failed_attempts, reset, resetting
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import ConsumerReset, DeadLettered, DeadLetterHandled, DeadLetterWaiting
from meal_assets.errors import Invalid, Permanent, Transient, Unavailable
from meal_assets.event_store import EventStore
from meal_assets.read_models import READ_MODELS

from .test_shadow import HOME, Echo, positions, switch, tick, unticked


@pytest.fixture
def answered(store: EventStore) -> EventStore:
    """Milk, salt and oil are answered at positions 4, 5 and 6."""
    tick(store, "milk", "salt", "oil")
    consume(Echo(), store)
    return store


def test_set_back_it_handles_again_and_says_nothing_it_has_said(answered: EventStore) -> None:
    assert reset(Echo(), answered, 1, HOME) == Reset(before=3, after=1, events=2)
    echo = Echo()
    assert consume(echo, answered).handled == 2
    assert echo.asked == ["salt", "oil"]
    assert unticked(answered) == ["milk", "salt", "oil"]
    assert positions(answered)["echo"] == 3


def test_what_it_would_say_otherwise_stays_and_what_it_has_not_said_is_said(answered: EventStore) -> None:
    reset(Echo(), answered, 0, HOME)
    done = consume(Echo(other="salt", twice="oil"), answered)
    assert (done.handled, done.set_aside, done.failed) == (3, 0, None)
    assert unticked(answered) == ["milk", "salt", "oil", "oil"]


def test_the_second_time_is_over_where_it_stood(answered: EventStore) -> None:
    reset(Echo(), answered, 0, HOME)
    tick(answered, "tea")
    consume(Echo(other="tea"), answered)
    assert unticked(answered)[-1] == "other"
    reset(Echo(), answered, 1, HOME)
    assert consume(Echo(skip="milk"), answered).handled == 3
    assert unticked(answered) == ["milk", "salt", "oil", "other"]


def test_what_was_set_aside_is_left_to_its_letter(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil", "rice")
    consume(Echo(milk=Permanent("no")), store)
    retry(store, "echo", 1, HOME)
    consume(Echo(rice=Permanent("no")), store)
    letters = (DeadLettered, DeadLetterWaiting, DeadLetterHandled)
    before, said = len(store.read(types=letters)), unticked(store)
    reset(Echo(), store, 0, HOME)
    again = Echo(milk=Permanent("again"), salt=Permanent("again"))
    assert (consume(again, store).failed, again.asked) == (None, [])
    assert (len(store.read(types=letters)), unticked(store)) == (before, said)
    retry(store, "echo", 4, HOME)
    consume(Echo(), store)
    assert unticked(store) == [*said, "rice"]


def test_a_decision_that_was_skipped_is_followed_when_it_is_set_back(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(milk=Permanent("no")), store)
    retry(store, "echo", 1, HOME)
    head = store.head()
    reset(Echo(), store, head, HOME)
    assert consume(Echo(), store).handled == 0
    reset(Echo(), store, 1, HOME)
    assert consume(Echo(), store).handled == 1
    assert unticked(store) == ["milk"]


def test_set_forward_it_leaves_events_out_until_it_is_set_back(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    assert reset(Echo(), store, 2, HOME) == Reset(before=0, after=2, events=2)
    consume(Echo(), store)
    assert unticked(store) == ["oil"]
    reset(Echo(), store, 1, HOME)
    consume(Echo(), store)
    assert unticked(store) == ["oil", "salt"]


def test_the_move_is_an_event_and_one_that_changes_nothing_is_none(answered: EventStore) -> None:
    reset(Echo(), answered, 1, HOME, "its shop was closed")
    (said,) = answered.read(types=[ConsumerReset])
    assert said.event == ConsumerReset(consumer="echo", from_position=3, to_position=1, reason="its shop was closed")
    assert said.actor == "test"
    assert reset(Echo(), answered, 1, HOME) == Reset(1, 1, 0)
    assert len(answered.read(types=[ConsumerReset])) == 1


def test_attempts_before_the_move_do_not_count_after_it(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(milk=Transient("not now")), store)
    assert failed_attempts(store)
    reset(Echo(), store, 1, HOME)
    assert failed_attempts(store) == {}


@pytest.mark.parametrize("to", [-1, 7])
def test_a_position_that_is_not_in_the_log_is_refused(answered: EventStore, to: int) -> None:
    with pytest.raises(Invalid, match="which goes to 6"):
        reset(Echo(), answered, to, HOME)
    assert positions(answered)["echo"] == 3


def test_a_consumer_at_work_is_not_moved(answered: EventStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resetting, "PATIENCE_SECONDS", 0.05)
    with answered.database.dedicated() as other:
        other.execute("SELECT pg_advisory_lock(hashtext('consumer/echo'))")
        with pytest.raises(Unavailable, match="`meals pause echo`"):
            reset(Echo(), answered, 0, HOME)
    assert positions(answered)["echo"] == 3
    assert answered.read(types=[ConsumerReset]) == []


def test_a_shadow_stays_where_it_is_when_the_live_one_is_moved(answered: EventStore) -> None:
    switch(answered, "shadow")
    tick(answered, "tea")
    consume(Echo(), answered)
    at = positions(answered)["echo@shadow"]
    reset(Echo(), answered, 0, HOME)
    assert consume(Echo(), answered).handled == 0
    assert positions(answered) == {"echo": 0, "echo@shadow": at}


def test_on_the_command_line_it_is_moved_and_reacts(
    store: EventStore, database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def meals(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    request_recipes(store, "one.jsonl", b'{"title": "Soup", "ingredients": ["1 leek"]}\n', HOME)
    told = meals("reset", "fetch_recipes", "--to", "1", "--reason", "imported twice")
    assert told == ("fetch_recipes goes on after 1; it stood at 0. 1 events that it listens to are left out.")
    assert store.read(types=[RecipeFetched]) == []
    assert "stood at 1. 1 events that it listens to are handled again" in meals("reset", "fetch_recipes", "--to", "0")
    assert len(store.read(types=[RecipeFetched])) == 1
    name = next(iter(READ_MODELS))
    assert f"{name} stands at" in meals("reset", name, "--to", "0")
    with pytest.raises(Invalid, match=f"`meals as-of 3 {name}`"):
        meals("reset", name, "--to", "3")
