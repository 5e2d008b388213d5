"""The shopping list of an accepted week stands in Tandoor's list, once; what others wrote there stays."""

import signal
import subprocess
from typing import Any

import pytest

from meal_assets.commands.plan import accept_plan
from meal_assets.commands.shopping import tick
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay
from meal_assets.consumers.publish_shopping import FLAG, PublishShopping
from meal_assets.contracts.publication import ListPublished
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore
from meal_assets.fakes.server import Asked, Faulty, Reply
from meal_assets.fakes.tandoor import FakeTandoor, Space
from tests.consumers.test_publish_plan import HOME, Meals, consuming, fake, no_pauses, outside, plan, switch
from tests.consumers.test_sync_tandoor import time_passes
from tests.read_models.said import WEEK, append, like

__all__ = ["fake", "no_pauses"]

SOUP: Meals = {"2026-11-23 dinner": ("tandoor-1", {"ada": 1, "ben": 1})}
SOUP_AND_EGGS: Meals = SOUP | {"2026-11-24 lunch": ("tandoor-2", {"ada": 0.5})}


def line(text: str, quantity: float | None = None, unit: str | None = None, food: str | None = None) -> dict[str, Any]:
    return {"line": text, "quantity": quantity, "unit": unit, "food": food}


def recipes(store: EventStore) -> None:
    lentils = [line("400 g lentils", 400, "g", "Red lentils"), line("0.5 kg carrots", 0.5, "kg", "Carrots"),
               line("salt", None, None, "Salt")]  # fmt: skip
    eggs = [line("4 eggs", 4, "piece", "Eggs"), line("200 g carrots", 200, "g", "Carrots"), line("a pinch of love")]
    append(
        store,
        like(RecipeFetched, recipe="tandoor-1", servings=4, ingredients=lentils),
        like(RecipeFetched, recipe="tandoor-2", servings=1, ingredients=eggs),
    )


def publish(store: EventStore, fake: FakeTandoor) -> None:
    assert consume(PublishShopping(outside(fake)), store).failed is None
    assert store.read(types=[DeadLettered]) == []


def accepted(store: EventStore, fake: FakeTandoor, meals: Meals = SOUP) -> None:
    switch(store, FLAG)
    recipes(store)
    plan(store, meals)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)


def said(store: EventStore) -> list[ListPublished]:
    return [r.event for r in store.read(types=[ListPublished]) if isinstance(r.event, ListPublished)]


def there(fake: FakeTandoor) -> list[tuple[str, float, str | None, bool]]:
    return sorted(
        (e["food"]["name"], e["amount"], e["unit"] and e["unit"]["name"], e["checked"])
        for e in fake.space.entries.values()
    )


def number_of(fake: FakeTandoor, food: str) -> int:
    (number,) = (n for n, e in fake.space.entries.items() if e["food"]["name"] == food)
    return number


def writes(fake: FakeTandoor) -> list[str]:
    return [method for method, path in fake.asked if method != "GET" and "/shopping-list-entry/" in path]


FOR_SOUP = [("Carrots", 250.0, "g", False), ("Red lentils", 200.0, "g", False), ("Salt", 0.0, None, False)]


def test_the_list_of_an_accepted_week_is_in_tandoor(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    assert there(fake) == FOR_SOUP
    (event,) = said(store)
    assert {i.entry for i in event.items} == set(fake.space.entries)
    fake.asked.clear()
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert writes(fake) == []


def test_nothing_is_sent_while_the_flag_is_off(store: EventStore, fake: FakeTandoor) -> None:
    recipes(store)
    plan(store, SOUP)
    accept_plan(store, WEEK, HOME)
    tick(store, WEEK, "Salt", HOME)
    publish(store, fake)
    assert fake.asked == []


def test_what_is_planned_anew_changes_what_is_needed_otherwise_and_nothing_of_others(
    store: EventStore, fake: FakeTandoor
) -> None:
    theirs = fake.space.shopping.new({"food": {"name": "Carrots"}, "unit": {"name": "g"}, "amount": 250}).body
    accepted(store, fake)
    fake.asked.clear()
    plan(store, SOUP_AND_EGGS)
    publish(store, fake)
    assert writes(fake) == ["PATCH", "POST", "POST"]
    more = [("Carrots", 350.0, "g", False), ("Eggs", 2.0, None, False), ("love", 0.5, "pinch", False)]
    assert there(fake) == sorted([FOR_SOUP[0], *more, *FOR_SOUP[1:]])
    plan(store, {"2026-11-24 lunch": ("tandoor-2", {"ada": 0.5})})
    publish(store, fake)
    assert there(fake) == sorted([FOR_SOUP[0], ("Carrots", 100.0, "g", False), *more[1:]])
    assert fake.space.entries[theirs["id"]] == theirs


def test_what_is_in_the_basket_is_ticked_there_and_stays_when_it_is_needed_no_more(
    store: EventStore, fake: FakeTandoor
) -> None:
    switch(store, FLAG)
    recipes(store)
    tick(store, WEEK, "Salt", HOME)
    plan(store, SOUP)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert there(fake)[2] == ("Salt", 0.0, None, True)
    tick(store, WEEK, "Salt", HOME, done=False)
    tick(store, WEEK, "Carrots", HOME)
    publish(store, fake)
    assert [row[3] for row in there(fake)] == [True, False, False]
    plan(store, SOUP_AND_EGGS)
    publish(store, fake)
    assert there(fake)[0] == ("Carrots", 350.0, "g", True)
    assert "Carrots" in [e["food"]["name"] for e in fake.space.shopping.listed(Asked("GET", "", {}, {}))]
    plan(store, {})
    publish(store, fake)
    assert there(fake) == [("Carrots", 350.0, "g", True)]
    assert said(store)[-1].items == ()


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_made_twice(store: EventStore, fake: FakeTandoor) -> None:
    fake.faults.lost_writes = 2
    accepted(store, fake)
    assert there(fake) == FOR_SOUP
    assert writes(fake) == ["POST"] * 3


@pytest.mark.parametrize("dies_after", [1, 3])
def test_killed_when_an_entry_was_just_made_it_goes_on_and_makes_nothing_twice(
    store: EventStore, dies_after: int
) -> None:
    class Deadly(FakeTandoor):
        left = dies_after
        victim: "subprocess.Popen[bytes] | None" = None

        def answer(self, asked: Asked) -> Reply:
            reply = super().answer(asked)
            self.left -= (asked.method, asked.path) == ("POST", "/api/shopping-list-entry/")
            if self.left == 0 and self.victim:
                self.victim.kill()
            return reply

    with Deadly(Space()) as fake:
        theirs = fake.space.shopping.new({"food": {"name": "Carrots"}, "unit": {"name": "g"}, "amount": 250}).body
        switch(store, FLAG)
        recipes(store)
        plan(store, SOUP)
        accept_plan(store, WEEK, HOME)
        fake.victim = consuming(PublishShopping.name, store, fake)
        assert fake.victim.wait() == -signal.SIGKILL
        fake.victim = None
        assert len(there(fake)) == 1 + dies_after
        assert consume(PublishShopping(outside(fake)), store, wait=True).failed is None
        assert there(fake) == [FOR_SOUP[0], *FOR_SOUP]
        assert {i.entry for i in said(store)[0].items} == fake.space.entries.keys() - {theirs["id"]}


def test_a_third_of_the_calls_failing_in_every_way_writes_each_line_once(store: EventStore, fake: FakeTandoor) -> None:
    switch(store, FLAG)
    recipes(store)
    for seed in range(4):
        fake.faults = Faulty(0.3, seed)
        plan(store, SOUP_AND_EGGS if seed % 2 else SOUP)
        accept_plan(store, WEEK, HOME)
        while consume(PublishShopping(outside(fake)), store).failed:
            time_passes(store)
        assert len(there(fake)) == (5 if seed % 2 else 3)
    assert store.read(types=[DeadLettered]) == []


def test_what_somebody_deleted_there_stays_deleted_until_the_week_is_accepted_again(
    store: EventStore, fake: FakeTandoor
) -> None:
    accepted(store, fake)
    del fake.space.entries[number_of(fake, "Salt")]
    plan(store, SOUP_AND_EGGS)
    publish(store, fake)
    assert "Salt" not in [row[0] for row in there(fake)]
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    assert "Salt" in [row[0] for row in there(fake)]


def test_a_replay_sends_nothing(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    tick(store, WEEK, "Salt", HOME)
    publish(store, fake)
    fake.asked.clear()
    assert replay(PublishShopping(outside(fake)), store) == []
    assert fake.asked == []
