"""How a consumer follows the log: in order, a repeat says nothing new, and one bad event never stops the others."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Event as Signal
from typing import Any

import pytest

from meal_assets.commands.dead_letters import retry
from meal_assets.commands.diary import log_meals
from meal_assets.commands.profile import set_profile
from meal_assets.consumers import Consumed, Consumer, Said, consume
from meal_assets.consumers.base import BACK_OFF, MAX_ATTEMPTS, MAX_ERROR_LENGTH, PAGE, failed_attempts, is_busy
from meal_assets.contracts import Event
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered, DeadLetterRetried
from meal_assets.errors import Permanent, Transient, Waiting
from meal_assets.event_store import Database, EventStore, Origin, Recorded
from meal_assets.event_store.checkpoints import checkpoints, take_unreported
from meal_assets.read_models.command_status import CommandStatus
from meal_assets.read_models.dead_letters import open_letters
from meal_assets.subscriptions import settle, standings
from tests.event_store.material import PATIENCE
from tests.processes import forked

WEEK = date(2026, 11, 23)
HOME = Origin("home", "test")


class Echo(Consumer):
    """Takes everything out of the basket again, and remembers what it was asked."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)

    def __init__(self, before: Callable[[Recorded], object] = lambda recorded: None) -> None:
        self.before = before
        self.asked: list[str] = []

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said]:
        self.asked.append(item_of(recorded))
        self.before(recorded)
        yield Said(ItemUnticked(week=WEEK, item=item_of(recorded)))


def item_of(recorded: Recorded) -> str:
    assert isinstance(recorded.event, ItemTicked | ItemUnticked)
    return recorded.event.item


def tick(store: EventStore, *items: str) -> int:
    """Put the items into the basket, each by a command of its own; the position of the last."""
    for item in items:
        appended = store.append(
            "home/shopping/2026-11-23", [ItemTicked(week=WEEK, item=item)], origin=Origin("home", "test")
        )
    return appended.last


def said(store: EventStore, kind: type[Event] = ItemUnticked) -> list[Any]:
    return [r.event for r in store.read(types=[kind])]


def unticked(store: EventStore) -> list[str]:
    return [event.item for event in said(store)]


def position_of(store: EventStore, name: str = "echo") -> int:
    with store.database.transaction() as db:
        return checkpoints(db)[name].position


def raises(error: Exception, on: str) -> Callable[[Recorded], None]:
    def before(recorded: Recorded) -> None:
        if item_of(recorded) == on:
            raise error

    return before


def invalid(recorded: Recorded) -> None:
    ItemTicked(week=WEEK, item="")


def test_it_is_handed_every_event_once_and_in_order(store: EventStore) -> None:
    items = [f"item {n}" for n in range(PAGE + 5)]
    with store.database.transaction() as db:
        for item in items:
            store.append("home/shopping/2026-11-23", [ItemTicked(week=WEEK, item=item)], origin=HOME, within=db)
    echo = Echo()
    done = consume(echo, store)
    assert (done.handled, done.set_aside, done.failed) == (PAGE + 5, 0, None)
    assert consume(echo, store) == Consumed(done.position)
    assert echo.asked == unticked(store) == items


def test_what_it_does_not_listen_to_is_not_handed_to_it(store: EventStore) -> None:
    store.append("home/shopping/2026-11-23", [ItemUnticked(week=WEEK, item="milk")], origin=HOME)
    echo = Echo()
    consume(echo, store)
    assert echo.asked == []


def test_what_it_says_follows_from_the_event_and_belongs_to_its_command(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Echo(), store)
    milk, salt, *answers = store.read()
    for cause, answer in zip((milk, salt), answers, strict=True):
        assert (answer.causation_id, answer.correlation_id) == (cause.event_id, cause.correlation_id)
        assert (answer.household, answer.actor) == ("home", "consumer/echo")


def test_each_round_is_reported_with_what_was_taken_in_and_said(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Echo(), store)
    with store.database.transaction() as db:
        (done,) = take_unreported(db, "echo")
    assert (done.after, done.to) == (0, 2)
    assert (done.types, done.said) == ({"shopping.ItemTicked": 2}, {"shopping.ItemUnticked": 2})
    assert set(done.correlation_ids) == {r.correlation_id for r in store.read()}


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (raises(Permanent("no such thing"), on="salt"), "Permanent: no such thing"),
        (lambda r: item_of(r) == "salt" and invalid(r), "ValidationError: 1 validation error for ItemTicked"),
    ],
    ids=["Permanent", "ValidationError"],
)
def test_an_event_that_never_can_be_handled_is_set_aside_and_the_next_ones_go_on(
    store: EventStore, before: Callable[[Recorded], object], text: str
) -> None:
    tick(store, "milk", "salt", "tea")
    done = consume(Echo(before), store)
    assert (done.handled, done.set_aside, done.failed) == (2, 1, None)
    assert unticked(store) == ["milk", "tea"]
    (letter,) = said(store, DeadLettered)
    assert (letter.consumer, letter.position, letter.event_type, letter.attempts) == (
        "echo",
        2,
        "shopping.ItemTicked",
        1,
    )
    assert letter.error.startswith(text)


def test_a_dead_letter_belongs_to_the_command_of_its_event(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(raises(Permanent("no"), on="milk")), store)
    (milk, letter) = store.read()
    assert (letter.correlation_id, letter.causation_id) == (milk.correlation_id, milk.event_id)


def test_an_endless_error_text_is_cut_to_what_a_dead_letter_takes(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(raises(Permanent("no" * MAX_ERROR_LENGTH), on="milk")), store)
    (letter,) = said(store, DeadLettered)
    assert len(letter.message) == MAX_ERROR_LENGTH


@pytest.mark.parametrize("error", [Transient("not now"), ZeroDivisionError("a bug")], ids=["Transient", "a bug"])
def test_an_event_that_cannot_be_handled_now_is_waited_for_ever_longer_and_then_set_aside(
    store: EventStore, error: Exception
) -> None:
    tick(store, "milk", "salt", "tea")
    echo = Echo(raises(error, on="salt"))
    waits = []
    for attempt in range(1, MAX_ATTEMPTS):
        done = consume(echo, store)
        assert done.failed == f"{type(error).__name__}: {error}"
        assert (done.position, position_of(store), unticked(store)) == (1, 1, ["milk"])
        tried = failed_attempts(store)["echo"]
        assert (tried.attempts, tried.error, tried.backing_off) == (attempt, done.failed, True)
        with store.database.transaction() as db:
            (row,) = db.execute("SELECT next_at - now() FROM log.attempts").fetchall()
        waits.append(row[0] / BACK_OFF)
    assert waits == pytest.approx([2**n for n in range(MAX_ATTEMPTS - 1)], abs=0.5)
    done = consume(echo, store)
    assert (done.failed, done.handled, done.set_aside) == (None, 1, 1)
    assert unticked(store) == ["milk", "tea"]
    (letter,) = said(store, DeadLettered)
    assert (letter.position, letter.attempts) == (2, MAX_ATTEMPTS)
    assert failed_attempts(store) == {}


def test_waiting_for_something_outside_is_no_attempt_and_lasts_until_its_time(store: EventStore) -> None:
    tick(store, "milk", "salt")
    until = datetime.now(UTC) + timedelta(hours=1)
    consume(Echo(raises(Transient("not now"), on="salt")), store)
    for _ in range(MAX_ATTEMPTS + 1):
        done = consume(Echo(raises(Waiting("the shop is closed", until), on="salt")), store)
        assert (done.failed, done.position, done.set_aside) == ("Waiting: the shop is closed", 1, 0)
    tried = failed_attempts(store)["echo"]
    assert (tried.attempts, tried.backing_off) == (0, True)
    with store.database.transaction() as db:
        assert db.execute("SELECT next_at FROM log.attempts").fetchall() == [(until,)]
    assert consume(Echo(), store).handled == 1
    assert failed_attempts(store) == {}


def test_an_event_that_succeeds_after_all_leaves_no_attempts_behind(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(raises(Transient("not now"), on="milk")), store)
    assert consume(Echo(), store).handled == 1
    assert failed_attempts(store) == {}
    assert said(store, DeadLettered) == []


def test_a_retried_dead_letter_is_handled_again_and_once(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Echo(raises(Permanent("no"), on="milk")), store)
    retry(store, "echo", 1, HOME)
    echo = Echo()
    assert consume(echo, store).handled == 1
    assert consume(echo, store).handled == 0
    assert echo.asked == ["milk"]
    assert unticked(store) == ["salt", "milk"]


def test_a_dead_letter_retried_for_another_consumer_is_gone_past(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(), store)
    store.append("home/x", [DeadLetterRetried(consumer="another", position=1)], origin=HOME)
    store.append("home/x", [DeadLetterRetried(consumer="echo", position=99)], origin=HOME)
    echo = Echo()
    assert consume(echo, store) == Consumed(4)
    assert echo.asked == []


def test_a_retried_event_is_tried_as_of_the_retry_so_that_what_was_mended_is_seen(store: EventStore) -> None:
    tick(store, "milk")
    positions: list[int] = []

    def before(recorded: Recorded) -> None:
        positions.append(recorded.position)
        if not store.read(types=[GoalSet], until=recorded.position):
            raise Permanent("no goal")

    consume(Echo(before), store)
    set_profile(store, GoalSet.model_validate(GoalSet.examples[0]), HOME)
    asked_again = retry(store, "echo", 1, HOME)
    assert consume(Echo(before), store).handled == 1
    assert positions == [1, asked_again.position]
    (answer,) = store.read(types=[ItemUnticked])
    assert (answer.correlation_id, answer.stream) == (HOME.correlation_id, "home/shopping/2026-11-23")


def test_a_retry_that_fails_again_opens_the_same_letter_again(store: EventStore) -> None:
    tick(store, "milk")
    echo = Echo(raises(Permanent("no"), on="milk"))
    consume(echo, store)
    for _ in range(2):
        retry(store, "echo", 1, HOME)
        assert consume(echo, store).set_aside == 1
    letters = store.read(types=[DeadLettered])
    assert [r.stream for r in letters] == ["home/dead_letter/echo/1"] * 3
    assert {r.event.position for r in letters if isinstance(r.event, DeadLettered)} == {1}


class Dies(Consumer):
    """Says two things about an event; its process ends without a word after so many of them."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)

    def __init__(self, after: int) -> None:
        self.after = after

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        for n in range(2):
            yield Said(ItemUnticked(week=WEEK, item=f"{item_of(recorded)} {n}"))
            if n + 1 == self.after:
                os._exit(9)


def consume_and_die(url: str, after: int) -> None:
    """The life of the process that is killed."""
    with Database(url) as database:
        consume(Dies(after), EventStore(database))


def noting(counted: list[int], store: EventStore) -> Callable[..., Iterator[Said]]:
    """What `Dies` says, with the attempts that are known of before each event."""
    handle = Dies.handle

    def noted(self: Dies, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        counted.append(failed_attempts(store)["dies"].attempts)
        yield from handle(self, recorded, log)

    return noted


@pytest.mark.parametrize("after", [1, 2])
def test_a_repeat_after_a_crash_between_append_and_checkpoint_says_nothing_new(store: EventStore, after: int) -> None:
    tick(store, "milk", "salt")
    child = forked(consume_and_die, store.database.url, after)
    child.start()
    child.join(PATIENCE * 3)
    assert child.exitcode == 9
    assert len(unticked(store)) == after
    assert position_of(store, "dies") == 0
    careful: list[int] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Dies, "handle", noting(careful, store))
        assert consume(Dies(after=0), store, wait=True).handled == 2
    assert careful == [1, 1], "after a death without a word each attempt is counted before it is made"
    assert failed_attempts(store) == {}
    assert unticked(store) == ["milk 0", "milk 1", "salt 0", "salt 1"]


class Long(Consumer):
    """Says ten things about an event, and is ended when it has said so many of them."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)

    def __init__(self, after: int) -> None:
        self.after = after

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        for n in range(10):
            if n == self.after:
                raise KeyboardInterrupt
            yield Said(ItemUnticked(week=WEEK, item=f"{item_of(recorded)} {n}"))


def test_who_is_ended_often_and_gets_on_each_time_gets_to_the_end(store: EventStore) -> None:
    tick(store, "milk")
    for after in range(1, MAX_ATTEMPTS + 4):
        with pytest.raises(KeyboardInterrupt):
            consume(Long(after), store)
    assert consume(Long(after=99), store).handled == 1
    assert len(unticked(store)) == 10
    assert failed_attempts(store) == {}


def test_who_is_ended_often_and_never_gets_on_is_set_aside(store: EventStore) -> None:
    tick(store, "milk")
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(KeyboardInterrupt):
            consume(Long(after=2), store)
    assert consume(Long(after=2), store).set_aside == 1
    assert len(unticked(store)) == 2


def test_only_one_process_at_a_time_is_at_it_and_another_leaves_it_or_waits(store: EventStore) -> None:
    tick(store, "milk")
    begun, go_on = Signal(), Signal()

    def before(recorded: Recorded) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(consume, Echo(before), store)
        assert begun.wait(PATIENCE)
        assert consume(Echo(), store).busy
        assert is_busy("echo", store)
        waiting = pool.submit(consume, Echo(), store, wait=True)
        go_on.set()
        assert first.result(PATIENCE).handled == 1
        assert waiting.result(PATIENCE) == Consumed(1)
    assert not is_busy("echo", store)
    assert unticked(store) == ["milk"]


def test_everybody_reacts_until_nothing_is_left_to_react_to(store: EventStore, origin: Origin) -> None:
    set_profile(store, GoalSet.model_validate(GoalSet.examples[0]), Origin("home", "test"))
    meal = MealLogged.model_validate(MealLogged.examples[0])
    log_meals(store, "ada", WEEK, [meal], origin, close=True)
    consumed: list[str] = []
    settle(store, on_consumed=lambda name, done: consumed.append(name))
    assert consumed == ["reconcile", "announce"]
    assert not any(s.behind for s in standings(store))
    with store.database.transaction() as db:
        row = db.execute("SELECT state FROM read.command_status WHERE correlation_id = %s", (origin.correlation_id,))
        assert row.fetchone() == ("done",)
    before = store.head()
    settle(store)
    assert store.head() == before


def test_a_consumer_that_sets_an_event_aside_does_not_keep_the_others_from_settling(store: EventStore) -> None:
    store.append("home/x", [RecipesRequested.model_validate(RecipesRequested.examples[0])], origin=HOME)
    settle(store)
    assert not any(s.behind for s in standings(store))
    with store.database.transaction() as db:
        (letter,) = open_letters(db)
    assert letter[0] == "fetch_recipes"
    assert "import it again" in letter[3]


def test_a_read_model_that_was_never_folded_is_behind_and_one_at_the_head_is_not(store: EventStore) -> None:
    assert all(s.behind for s in standings(store) if s.subscriber is CommandStatus)
    settle(store)
    assert not any(s.behind for s in standings(store))
