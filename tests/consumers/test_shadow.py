"""A consumer is on, shadows or rests; what a shadow or a replay says is compared with the log and never is in it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from meal_assets.cli.app import app
from meal_assets.commands.dead_letters import discard, retry
from meal_assets.commands.flags import set_flag
from meal_assets.consumers import CONSUMERS, Consumed, Consumer, Said, consume
from meal_assets.consumers.base import (
    MAX_ATTEMPTS,
    PAGE,
    Act,
    Difference,
    consuming,
    failed_attempts,
    replay,
    shadow_differences,
)
from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered, DeadLetterRetried, FlagSet, Mode
from meal_assets.errors import Invalid, Permanent, Transient
from meal_assets.event_store import EventStore, Origin, Recorded
from meal_assets.event_store.checkpoints import checkpoints, take_unreported
from meal_assets.event_store.switches import mode_of
from meal_assets.subscriptions import settle

WEEK = date(2026, 11, 23)
HOME = Origin("home", "test")


class Echo(Consumer):
    """Takes everything out of the basket again, but not what it is told to skip, break on or call otherwise."""

    listens_to = (ItemTicked,)
    says = (ItemUnticked,)
    ordered_by_stream = True

    def __init__(self, skip: str = "", twice: str = "", other: str = "", **errors: Exception) -> None:
        self.skip, self.twice, self.other, self.errors = skip, twice, other, errors
        self.asked: list[str] = []

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        event = recorded.event
        assert isinstance(event, ItemTicked)
        self.asked.append(event.item)
        if event.item in self.errors:
            raise self.errors[event.item]
        for _ in range(0 if event.item == self.skip else 1 + (event.item == self.twice)):
            yield Said(ItemUnticked(week=WEEK, item="other" if event.item == self.other else event.item))


def tick(store: EventStore, *items: str) -> None:
    for item in items:
        store.append("home/shopping/2026-11-23", [ItemTicked(week=WEEK, item=item)], origin=Origin("home", "test"))


def switch(store: EventStore, mode: Mode, consumer: str = "echo") -> None:
    set_flag(store, FlagSet(flag=f"consumer.{consumer}", value=mode), Origin("home", "test"))


def unticked(store: EventStore) -> list[str]:
    return [r.event.item for r in store.read(types=[ItemUnticked]) if isinstance(r.event, ItemUnticked)]


def positions(store: EventStore) -> dict[str, int]:
    with store.database.transaction() as db:
        return {name: at.position for name, at in checkpoints(db).items()}


def items(found: list[Difference]) -> list[tuple[int, str | None, Any, Any]]:
    return [(d.position, d.n, (d.shadow or {}).get("item"), (d.live or {}).get("item")) for d in found]


def test_what_was_set_last_is_its_mode_and_without_a_flag_it_is_on(store: EventStore) -> None:
    def modes() -> tuple[Mode, Mode]:
        with store.database.transaction() as db:
            return mode_of(db, "consumer.echo"), mode_of(db, "consumer.another")

    assert modes() == ("on", "on")
    switch(store, "off")
    switch(store, "shadow", "another")
    assert modes() == ("off", "shadow")
    switch(store, "on")
    assert modes() == ("on", "shadow")


def test_off_it_stays_where_it_is_and_on_it_takes_up_all_that_happened(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(), store)
    switch(store, "off")
    tick(store, "salt")
    resting = Echo()
    assert consume(resting, store) == Consumed(1, busy=True, mode="off")
    assert resting.asked == []
    switch(store, "on")
    assert consume(Echo(), store).handled == 1
    assert unticked(store) == ["milk", "salt"]


@pytest.mark.parametrize("mode", ["off", "shadow"])
def test_one_that_does_not_speak_does_not_keep_the_others_from_settling(store: EventStore, mode: Mode) -> None:
    store.append("home/x", [RecipesRequested.model_validate(RecipesRequested.examples[0])], origin=HOME)
    switch(store, mode, "fetch_recipes")
    consumed: list[tuple[str, Mode, bool]] = []
    settle(store, on_consumed=lambda name, done: consumed.append((name, done.mode, done.busy)))
    assert consumed == ([("fetch_recipes", mode, True)] if mode == "shadow" else [])
    assert positions(store).get("fetch_recipes", 0) == 0


class SwitchesOff(Echo):
    """Its flag is set to off while it is at work."""

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        if not self.asked:
            switch(log, "off")
        yield from super().handle(recorded, log)


SwitchesOff.name = Echo.name


@pytest.mark.parametrize(("look_seconds", "handled"), [(1e9, 100), (0, 1)])
def test_switched_off_at_work_it_stops_at_the_end_of_its_page_or_sooner_where_that_takes_long(
    store: EventStore, look_seconds: float, handled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "LOOK_SECONDS", look_seconds)
    tick(store, *(f"item {n}" for n in range(101)))
    assert consume(SwitchesOff(), store).handled == handled
    assert consume(Echo(), store).mode == "off"
    assert positions(store)["echo"] == handled


def test_in_its_shadow_it_says_nothing_and_moves_only_a_checkpoint_of_its_own(store: EventStore) -> None:
    tick(store, "milk")
    consume(Echo(), store)
    with store.database.transaction() as db:
        assert take_unreported(db, "echo")
    switch(store, "shadow")
    tick(store, "salt")
    head = store.head()
    shadow = Echo()
    done = consume(shadow, store)
    assert (done.handled, done.busy, done.mode) == (1, True, "shadow")
    assert shadow.asked == ["salt"]
    assert (store.head(), positions(store)) == (head, {"echo": 1, "echo@shadow": head})
    with store.database.transaction() as db:
        rows = db.execute("SELECT consumer, position, n, type, payload FROM log.shadow_says").fetchall()
    assert rows == [("echo", head, "0", "shopping.ItemUnticked", {"week": "2026-11-23", "item": "salt"})]
    assert consume(shadow, store).handled == 0


def test_the_shadow_is_compared_with_what_was_said_since_it_began(store: EventStore) -> None:
    tick(store, "before")
    consume(Echo(), store)
    switch(store, "shadow")
    tick(store, "same", "more", "less", "changed")
    same, more, less, changed = (r.position for r in store.read(2, (ItemTicked,)))
    consume(Echo(twice="more", skip="less", other="changed"), store)
    assert items(shadow_differences(Echo(), store))[0] == (same, "0", "same", None)
    switch(store, "on")
    consume(Echo(), store)
    assert items(shadow_differences(Echo(), store)) == [
        (more, "1", "more", None),
        (less, None, None, "less"),
        (changed, "0", "other", "changed"),
    ]
    assert len(shadow_differences(Echo(), store, limit=1)) == 1


def test_a_shadow_of_a_new_version_begins_anew_where_the_live_one_stands(store: EventStore) -> None:
    switch(store, "shadow")
    tick(store, "milk")
    consume(Echo(), store)
    newer = type("Newer", (Echo,), {"version": 2})
    newer.name = "echo"
    assert consume(newer(skip="milk"), store).handled == 1
    assert shadow_differences(Echo(), store) == []


def test_a_shadow_that_fails_stops_nobody_and_its_letters_are_compared_too(store: EventStore) -> None:
    switch(store, "shadow")
    tick(store, "milk", "salt")
    head = store.head()
    for attempt in range(1, MAX_ATTEMPTS):
        assert consume(Echo(milk=Transient("not now")), store).failed == "Transient: not now"
        assert failed_attempts(store)["echo@shadow"].attempts == attempt
    consume(Echo(milk=Transient("not now")), store)
    assert store.head() == head
    assert [(d.type_name, d.live) for d in shadow_differences(Echo(), store)] == [("system.DeadLettered", None)]
    switch(store, "on")
    for _ in range(MAX_ATTEMPTS):
        consume(Echo(milk=Transient("not now")), store)
    assert shadow_differences(Echo(), store) == []


@pytest.fixture
def lived(store: EventStore) -> EventStore:
    """A log in which the echo failed, was retried, had events waiting, discarded one and failed once more."""
    tick(store, "milk", "salt", "oil", "rice")
    consume(Echo(milk=Permanent("no")), store)
    discard(store, "echo", 3, "bought", Origin("home", "test"))
    retry(store, "echo", 1, Origin("home", "test"))
    consume(Echo(rice=Permanent("no")), store)
    tick(store, "tea")
    consume(Echo(), store)
    assert unticked(store) == ["milk", "salt"]
    return store


def test_a_replay_of_everything_finds_no_difference_but_what_was_mended_since(lived: EventStore) -> None:
    head, before = lived.head(), positions(lived)
    assert replay(Echo(milk=Permanent("no")), lived, until=4) == []
    (retried,) = (r.position for r in lived.read(types=[DeadLetterRetried]))
    assert items(replay(Echo(), lived)) == [
        (1, "0", "milk", None),
        (1, None, None, None),
        (retried, "4.0", "rice", None),
        (retried, None, None, None),
    ]
    assert [d.type_name for d in replay(Echo(), lived) if d.shadow is None] == ["system.DeadLettered"] * 2
    assert (lived.head(), positions(lived)) == (head, before)


def test_a_replay_of_everything_that_may_speak_has_nothing_new_to_say(lived: EventStore) -> None:
    head = lived.head()
    replay(Echo(), lived, say=True)
    replay(Echo(other="salt"), lived, say=True)
    assert lived.head() == head
    assert len(lived.read(types=[DeadLettered])) == 2


def test_a_replay_that_may_speak_says_what_is_missing_and_once(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Echo(skip="milk"), store)
    assert items(replay(Echo(), store, after=1)) == []
    assert items(replay(Echo(), store, say=True)) == [(1, "0", "milk", None)]
    assert unticked(store) == ["salt", "milk"]
    assert replay(Echo(), store, say=True) == []
    assert unticked(store) == ["salt", "milk"]
    assert items(replay(Echo(skip="salt"), store, until=2)) == [(2, None, None, "salt")]


class Rings(Echo):
    """Does something outside, too: it rings, before and after it says something."""

    def __init__(self, rung: list[str], **errors: Exception) -> None:
        super().__init__(**errors)
        self.rung = rung

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said | Act]:  # type: ignore[override]
        yield Act(self.rung.append)
        yield from super().handle(recorded, log)
        yield Act(self.rung.append, key="after")


Rings.name = Echo.name
BOTH = ["echo:1:act.0", "echo:1:after"]


def test_what_is_done_outside_has_a_key_that_a_repeat_has_again(store: EventStore) -> None:
    tick(store, "milk")
    rung: list[str] = []
    assert consume(Rings(rung, milk=Transient("engaged")), store).failed
    assert rung == BOTH[:1]
    assert consume(Rings(rung), store).handled == 1
    assert rung == [*BOTH[:1], *BOTH]
    assert unticked(store) == ["milk"]


def test_a_shadow_does_nothing_outside(store: EventStore) -> None:
    tick(store, "milk")
    switch(store, "shadow")
    rung: list[str] = []
    assert consume(Rings(rung), store).handled == 1
    assert rung == []
    switch(store, "on")
    consume(Rings(rung), store)
    assert rung == BOTH
    assert shadow_differences(Rings([]), store) == []


def test_a_replay_does_nothing_outside_unless_told_to(store: EventStore) -> None:
    tick(store, "milk", "salt")
    consume(Rings([], salt=Permanent("no")), store)
    rung: list[str] = []
    for say in (False, True):
        replay(Rings(rung), store, until=2, say=say)
        assert rung == []
    replay(Rings(rung), store, until=2, act=True)
    assert rung == BOTH, "what was set aside is left to a retry"
    assert unticked(store) == ["milk"]


def test_a_replay_tells_how_far_it_is_and_only_the_first_differences(store: EventStore) -> None:
    tick(store, *map(str, range(PAGE + 5)))
    consume(Echo(), store)
    through: list[int] = []
    found = replay(Echo(skip="7"), store, until=PAGE + 5, progress=through.append, limit=3)
    assert [d.position for d in found] == [8]
    assert through == [PAGE, PAGE + 5]
    everything = {str(n): Permanent("no") for n in range(PAGE + 5)}
    assert [d.position for d in replay(Echo(**everything), store, limit=3)] == [1, 1, 2]


@pytest.fixture
def program(store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    monkeypatch.setenv("MEALS_DATABASE_URL", store.database.url)
    monkeypatch.setenv("MEALS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setitem(CONSUMERS, "echo", Echo)
    return store


def meals(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_a_replay_is_asked_for_and_shown_on_the_command_line(
    program: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(program, "milk", "salt", "oil")
    consume(Echo(skip="salt"), program)
    head, before = program.head(), positions(program)
    assert "No difference: echo from 1 to 1 says what it said." in meals("replay", "echo", "--until", "1")
    said = meals("replay", "echo", "--after", "1", "--until", "3")
    assert "│ 2 │ 0 │ shopping.ItemUnticked │" in said
    assert "'item': 'salt'" in said
    assert "echo from 2 to 3: 1 differences." in said
    assert (program.head(), positions(program)) == (head, before)
    rung: list[str] = []
    monkeypatch.setitem(CONSUMERS, "echo", lambda _outside: Rings(rung))  # type: ignore[arg-type]
    meals("replay", "echo", "--say", "--until", "3")
    assert unticked(program) == ["milk", "oil", "salt"]
    assert rung == []
    assert "No difference" in meals("replay", "echo", "--say", "--act", "--until", "3")
    assert unticked(program) == ["milk", "oil", "salt"]
    assert rung == [f"echo:{n}:{key}" for n in (1, 2, 3) for key in ("act.0", "after")]
    with pytest.raises(Invalid, match="consumer: 'nobody' is none of"):
        meals("replay", "nobody")
