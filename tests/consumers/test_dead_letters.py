"""Dead letters: pointers into the log that stop nobody else, keep no secret, and keep a stream's order where asked."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.dead_letters import discard, retry, retry_all
from meal_assets.consumers import Consumer, Said, consume
from meal_assets.consumers.base import MAX_ATTEMPTS, failed_attempts
from meal_assets.consumers.base.traces import MAX_TRACE_LENGTH, trace_of, without_secrets
from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered, DeadLetterHandled, DeadLetterWaiting
from meal_assets.errors import Invalid, Permanent, Transient
from meal_assets.event_store import Database, EventStore, Origin, Recorded
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.read_models import catch_up
from meal_assets.read_models.dead_letters import DeadLetters, Letter, unsettled_letters
from tests.event_store.material import PATIENCE, append_stored
from tests.processes import forked

WEEKS = (date(2026, 11, 23), date(2026, 11, 30))
HOME = Origin("home", "test")


class Ordered(Consumer):
    """Takes everything out of the basket again, each week's items in order; breaks on the items it is told to."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)
    ordered_by_stream = True

    def __init__(self, **errors: Exception) -> None:
        self.errors = errors
        self.asked: list[str] = []

    def handle(self, recorded: Recorded, log: EventStore) -> Iterable[Said]:
        event = recorded.event
        assert isinstance(event, ItemTicked)
        self.asked.append(event.item)
        if event.item in self.errors:
            raise self.errors[event.item]
        yield Said(ItemUnticked(week=event.week, item=event.item))


class Careless(Ordered):
    """The same without an order."""

    ordered_by_stream = False


NO = Permanent("no")


def tick(store: EventStore, *items: str) -> None:
    """Put items into the basket: of the first week, or with a "+" before them of the second. Position n is the n-th."""
    for item in items:
        event = ItemTicked(week=WEEKS[item.startswith("+")], item=item.removeprefix("+"))
        store.append(event.stream_in("home"), [event], origin=Origin("home", "test"))


def unticked(store: EventStore) -> list[str]:
    return [r.event.item for r in store.read(types=[ItemUnticked]) if isinstance(r.event, ItemUnticked)]


def events(store: EventStore, *types: type[Event]) -> list[Any]:
    return [r.event for r in store.read(types=types)]


def letters(store: EventStore) -> list[Letter]:
    catch_up(DeadLetters(), store)
    with store.database.transaction() as db:
        return unsettled_letters(db)


def standing(store: EventStore) -> list[tuple[int, str, int | None]]:
    """(position, state, what it waits behind) of each letter that is not settled."""
    return [(one.position, one.state, one.behind) for one in letters(store)]


def test_later_events_of_its_stream_wait_and_those_of_other_streams_go_on(store: EventStore) -> None:
    tick(store, "milk", "+tea", "salt", "+rice", "oil")
    done = consume(Ordered(milk=NO), store)
    assert (done.handled, done.set_aside) == (2, 3)
    assert unticked(store) == ["tea", "rice"]
    assert standing(store) == [(1, "open", None), (3, "waiting", 1), (5, "waiting", 1)]
    waiting = events(store, DeadLetterWaiting)
    assert [(w.position, w.behind, w.event_stream) for w in waiting] == [
        (n, 1, "home/shopping/2026-11-23") for n in (3, 5)
    ]


def test_a_consumer_that_asks_for_no_order_goes_on_in_the_same_stream(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Careless(milk=NO), store)
    assert unticked(store) == ["salt"]
    assert standing(store) == [(1, "open", None)]


def test_those_that_waited_are_handled_in_order_when_the_first_is_retried_with_success(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    retry(store, "ordered", 1, HOME)
    tick(store, "rice")
    mended = Ordered()
    assert consume(mended, store).handled == 4
    assert mended.asked == unticked(store) == ["milk", "salt", "oil", "rice"]
    assert [e.position for e in events(store, DeadLetterHandled)] == [1, 2, 3]
    assert letters(store) == []
    assert consume(mended, store).handled == 0


def test_those_that_waited_are_handled_when_the_first_is_discarded(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    discard(store, "ordered", 1, "nobody wants it", HOME)
    consume(Ordered(milk=NO), store)
    assert unticked(store) == ["salt", "oil"]
    assert letters(store) == []


def test_one_that_waits_can_be_discarded_and_not_retried(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    with pytest.raises(Invalid, match="2 waits behind 1: retry or discard that first"):
        retry(store, "ordered", 2, HOME)
    discard(store, "ordered", 2, "bought", HOME)
    consume(Ordered(milk=NO), store)
    assert unticked(store) == []
    retry(store, "ordered", 1, HOME)
    consume(Ordered(), store)
    assert unticked(store) == ["milk", "oil"]


def test_one_that_waited_and_fails_is_the_one_that_the_others_wait_behind(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    retry(store, "ordered", 1, HOME)
    consume(Ordered(salt=NO), store)
    assert unticked(store) == ["milk"]
    assert standing(store) == [(2, "open", None), (3, "waiting", 2)]
    tick(store, "rice")
    retry(store, "ordered", 2, HOME)
    consume(Ordered(), store)
    assert unticked(store) == ["milk", "salt", "oil", "rice"]


def test_a_retry_that_fails_again_lets_the_others_wait(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Ordered(milk=NO), store)
    retry(store, "ordered", 1, HOME)
    consume(Ordered(milk=NO), store)
    assert unticked(store) == []
    assert standing(store) == [(1, "open", None), (2, "waiting", 1)]
    assert letters(store)[0].attempts == 2


def test_one_that_waited_and_cannot_be_handled_now_is_tried_again_and_the_first_is_not(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    retry(store, "ordered", 1, HOME)
    consume(Ordered(milk=Transient("not now")), store)
    stuck = Ordered(salt=Transient("not now"))
    for attempt in (1, 2):
        assert consume(stuck, store).failed == "Transient: not now"
        assert failed_attempts(store)["ordered"].attempts == attempt
    assert stuck.asked == ["milk", "salt", "salt"]
    mended = Ordered()
    consume(mended, store)
    assert mended.asked == ["salt", "oil"]
    assert unticked(store) == ["milk", "salt", "oil"]
    assert [e.position for e in events(store, DeadLetterHandled)] == [1, 2, 3]


class Dies(Ordered):
    """Its process ends without a word when it has said that the salt is out."""

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        yield from super().handle(recorded, log)
        if "salt" in self.asked:
            os._exit(9)


Dies.name = Ordered.name


def consume_and_die(url: str) -> None:
    """The life of the process that is killed."""
    with Database(url) as database:
        consume(Dies(), EventStore(database))


def in_a_process_that_dies(what: Callable[[str], None], url: str) -> None:
    child = forked(what, url)
    child.start()
    child.join(PATIENCE * 3)
    assert child.exitcode == 9


def test_a_crash_among_those_that_waited_loses_none_and_says_none_twice(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil")
    consume(Ordered(milk=NO), store)
    retry(store, "ordered", 1, HOME)
    in_a_process_that_dies(consume_and_die, store.database.url)
    assert unticked(store) == ["milk", "salt"]
    assert [e.position for e in events(store, DeadLetterHandled)] == [1]
    after = Ordered()
    consume(after, store, wait=True)
    assert after.asked == ["salt", "oil"]
    assert unticked(store) == ["milk", "salt", "oil"]
    assert letters(store) == []


def test_a_letter_and_the_checkpoint_behind_it_are_there_together_or_not_at_all(store: EventStore) -> None:
    tick(store, "milk", "salt")
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("ALTER TABLE log.checkpoints ADD CONSTRAINT disk_is_full CHECK (position < 1) NOT VALID")
        with pytest.raises(psycopg.errors.CheckViolation):
            consume(Ordered(milk=NO), store)
        assert events(store, DeadLettered) == []
        owner.execute("ALTER TABLE log.checkpoints DROP CONSTRAINT disk_is_full")
    consume(Ordered(milk=NO), store)
    assert [e.position for e in events(store, DeadLettered)] == [1]
    assert standing(store) == [(1, "open", None), (2, "waiting", 1)]


def test_a_letter_tells_what_where_how_often_and_since_when(store: EventStore) -> None:
    tick(store, "milk")
    for _ in range(MAX_ATTEMPTS):
        consume(Careless(milk=Transient("the shop is closed")), store)
    (letter,) = events(store, DeadLettered)
    assert (letter.error_class, letter.message, letter.attempts) == (
        "Transient",
        "the shop is closed",
        MAX_ATTEMPTS,
    )
    assert (letter.event_type, letter.event_stream) == ("shopping.ItemTicked", "home/shopping/2026-11-23")
    assert letter.first_tried_at < letter.last_tried_at <= datetime.now(UTC)
    assert re.search(r"^  tests/consumers/test_dead_letters.py:\d+ in handle$", letter.traceback, flags=re.MULTILINE)


def test_all_of_a_kind_are_retried_in_order_and_no_others(store: EventStore) -> None:
    tick(store, "milk", "salt", "oil", "rice")
    other = ValueError("another")
    for _ in range(MAX_ATTEMPTS):
        consume(Careless(oil=NO, milk=NO, salt=other), store)
    assert [one.position for one in letters(store)] == [1, 2, 3]
    origin = Origin("home", "test")
    assert len(retry_all(store, "careless", origin, "Permanent")) == 2
    assert [one.state for one in letters(store)] == ["retried", "open", "retried"]
    mended = Careless()
    consume(mended, store)
    assert mended.asked == ["milk", "oil"]
    assert len(retry_all(store, "careless", origin)) == 1
    assert retry_all(store, "careless", origin) == retry_all(store, "another", origin) == []
    consume(mended, store)
    assert mended.asked == ["milk", "oil", "salt"]


class Bought(Event, topic="test", stream="shopping/{item}", version=2):
    """Once {what}, then {item}."""

    examples = [{"item": "milk"}]
    item: str

    @classmethod
    def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
        return {"item": payload["what"]}


class Buys(Consumer):
    """Listens to an event that was stored in an older version."""

    listens_to = (Bought,)
    says = (ItemUnticked,)

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        if self.error:
            raise self.error
        assert isinstance(recorded.event, Bought)
        yield Said(ItemUnticked(week=WEEKS[0], item=recorded.event.item))


def store_bought(store: EventStore, version: int, payload: dict[str, Any]) -> None:
    with store.database.transaction() as db:
        append_stored(db, "home/shopping/milk", Bought.type_name, version, payload)


def test_what_is_retried_is_the_event_itself_in_todays_version(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EVENTS, Bought.type_name, Bought)
    store_bought(store, 1, {"what": "milk"})
    consume(Buys(NO), store)
    retry(store, "buys", 1, HOME)
    consume(Buys(), store)
    assert unticked(store) == ["milk"]


@pytest.mark.parametrize(
    ("version", "payload", "error_class"),
    [(1, {"name": "milk"}, "KeyError"), (2, {"item": 1}, "BrokenEvent")],
    ids=["an upcaster breaks", "not what it was declared to be"],
)
def test_an_event_that_cannot_even_be_read_stops_no_other(
    store: EventStore, monkeypatch: pytest.MonkeyPatch, version: int, payload: dict[str, Any], error_class: str
) -> None:
    monkeypatch.setitem(EVENTS, Bought.type_name, Bought)
    store_bought(store, 2, {"item": "bread"})
    store_bought(store, version, payload)
    store_bought(store, 2, {"item": "jam"})
    for _ in range(MAX_ATTEMPTS):
        consume(Buys(), store)
    assert unticked(store) == ["bread", "jam"]
    (letter,) = events(store, DeadLettered)
    assert (letter.position, letter.error_class, letter.event_type) == (2, error_class, "test.Bought")
    with store.database.transaction() as db:
        assert checkpoints(db)["buys"].position == 3
    retry(store, "buys", 2, HOME)
    for _ in range(MAX_ATTEMPTS):
        consume(Buys(), store)
    assert len(events(store, DeadLettered)) == 2


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no server at postgresql://ada:s3c/r@t@db/meals", "no server at postgresql://***@db/meals"),
        ("GET https://api.test/x?api_key=abc123&q=milk", "GET https://api.test/x?api_key=***&q=milk"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("sent with bearer abc-123, refused", "sent with bearer ***, refused"),
        ('{"refresh_token": "abc 123", "n": 1}', '{"refresh_token": ***, "n": 1}'),
        ("PASSWORD='a b'", "PASSWORD=***"),
        ("it was ghp_0123456789abcdef", "it was ***"),
        ("no file /home/ada/diary.csv", "no file ~/diary.csv"),
        ("no file C:\\Users\\ada\\diary.csv", "no file ~\\diary.csv"),
        ("ada has no profile: `meals profile ada` makes one", "ada has no profile: `meals profile ada` makes one"),
    ],
)
def test_secrets_and_homes_are_taken_out_of_an_error(text: str, kept: str) -> None:
    assert without_secrets(text) == kept


def test_a_trace_names_places_and_causes_and_no_values() -> None:
    def deep(secret: str, levels: int) -> None:
        if levels:
            deep(secret, levels - 1)
        ItemTicked(week=WEEKS[0], item=[secret])  # type: ignore[arg-type]  # the mistake

    try:
        try:
            deep("hunter2", 100)
        except ValueError as refused:
            quoted = trace_of(refused).message
            raise Permanent("gave up") from refused
    except Permanent as error:
        trace = trace_of(error)
    assert (trace.error_class, trace.message) == ("Permanent", "gave up")
    first, _, cause = trace.traceback.partition("caused by ")
    assert re.fullmatch(r"Permanent\n  tests/consumers/test_dead_letters.py:\d+ in test_a_trace\w+\n", first)
    assert cause.startswith("ValidationError\n  tests/consumers/test_dead_letters.py")
    assert "ItemTicked" in quoted
    assert "hunter2" not in trace.traceback + quoted
    assert len(trace.traceback) <= MAX_TRACE_LENGTH


def test_letters_are_shown_retried_and_discarded_on_the_command_line(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    for example in RecipesRequested.examples * 2:
        store.append("home/x", [RecipesRequested.model_validate(example)], origin=Origin("home", "test"))

    def meals(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["dead-letters", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    shown = meals("--trace")
    assert "fetch_recipes:1 │ open │ recipe_request.RecipesRequested │ 1 │" in shown
    assert "meal_assets/consumers/fetch_recipes.py:" in shown
    shown = meals("--retry-all", "fetch_recipes", "--error-class", letters(store)[0].error_class or "")
    assert "2 of fetch_recipes are tried again" in shown
    assert "fetch_recipes:2 │ open │ recipe_request.RecipesRequested │ 2 │" in shown
    assert "fetch_recipes:1 │" in meals("--discard", "fetch_recipes:2", "--reason", "imported again")
    assert "No open dead letters" in meals("--discard", "fetch_recipes:1", "--reason", "imported again")
