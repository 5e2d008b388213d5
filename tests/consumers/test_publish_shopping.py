"""The shopping list of an accepted week stands in Tandoor's list, once; what others wrote there stays."""

import signal
from datetime import timedelta
from typing import Any

import pytest

from meal_assets.commands.plan import accept_plan
from meal_assets.commands.shopping import read_ticks, tick
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay
from meal_assets.consumers.publish_shopping import FLAG, PublishShopping
from meal_assets.contracts.publication import ListPublished
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore
from meal_assets.fakes.server import Asked, Faulty, Reply
from meal_assets.fakes.tandoor import FakeTandoor, Space
from tests.consumers.test_publish_plan import HOME, Meals, consuming, fake, outside, plan, switch
from tests.consumers.test_sync_tandoor import time_passes
from tests.read_models.said import WEEK, append, like
from tests.remotes import Deadly, no_pauses

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


def ticked_there(fake: FakeTandoor, food: str, *, checked: bool = True) -> None:
    for number, entry in fake.space.entries.items():
        if entry["food"]["name"] == food:
            fake.space.shopping.change(number, {"checked": checked})


def ticks(store: EventStore) -> list[tuple[str, str, str]]:
    """Item, what was said of it, and who said so."""
    said = store.read(types=[ItemTicked, ItemUnticked])
    return [(e.item, type(e).__name__, r.actor) for r in said if isinstance(e := r.event, ItemTicked | ItemUnticked)]


def test_what_is_ticked_there_is_ticked_here_and_not_sent_back(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    assert read_ticks(store, outside(fake), HOME, WEEK) == []
    ticked_there(fake, "Carrots")
    assert read_ticks(store, outside(fake), HOME, WEEK) == ["Carrots"]
    assert read_ticks(store, outside(fake), HOME, WEEK) == []
    fake.asked.clear()
    publish(store, fake)
    assert writes(fake) == []
    ticked_there(fake, "Carrots", checked=False)
    assert read_ticks(store, outside(fake), HOME, WEEK) == ["Carrots"]
    assert ticks(store) == [("Carrots", "ItemTicked", "tandoor"), ("Carrots", "ItemUnticked", "tandoor")]


def test_of_a_tick_here_and_one_there_the_newer_holds(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    tick(store, WEEK, "Salt", HOME)  # still on its way
    tick(store, WEEK, "Carrots", HOME)
    ticked_there(fake, "Carrots", checked=False)
    assert read_ticks(store, outside(fake), HOME, WEEK) == ["Carrots"]
    publish(store, fake)
    assert [row[3] for row in there(fake)] == [False, False, True]
    assert read_ticks(store, outside(fake), HOME, WEEK) == []


def test_one_who_ticks_here_while_tandoor_is_asked_is_not_overruled(store: EventStore, fake: FakeTandoor) -> None:
    class Slow(FakeTandoor):
        def answer(self, asked: Asked) -> Reply:
            if asked.path == "/api/shopping-list-entry/":
                tick(store, WEEK, "Carrots", HOME)
                tick(store, WEEK, "Carrots", HOME, done=False)
            return super().answer(asked)

    accepted(store, fake)
    ticked_there(fake, "Carrots")
    with Slow(fake.space) as slow:
        assert read_ticks(store, outside(slow), HOME, WEEK) == []


def test_an_item_of_several_lines_is_in_the_basket_when_all_of_them_are(store: EventStore, fake: FakeTandoor) -> None:
    switch(store, FLAG)
    told = [line("250 g of the mix", 250, "g", "Our mix"), line("2 of the mix", 2, "piece", "Our mix")]
    append(store, like(RecipeFetched, recipe="tandoor-1", servings=4, ingredients=told))
    plan(store, SOUP)
    accept_plan(store, WEEK, HOME)
    publish(store, fake)
    first, second = fake.space.entries
    fake.space.shopping.change(first, {"checked": True})
    assert read_ticks(store, outside(fake), HOME, WEEK) == []
    fake.space.shopping.change(second, {"checked": True})
    assert read_ticks(store, outside(fake), HOME, WEEK) == ["Our mix"]


def test_ticks_are_read_of_lists_that_are_needed_while_the_flag_is_on(store: EventStore, fake: FakeTandoor) -> None:
    accepted(store, fake)
    ticked_there(fake, "Salt")
    fake.asked.clear()
    assert read_ticks(store, outside(fake), HOME, WEEK + timedelta(days=7)) == []
    switch(store, FLAG, "off")
    assert read_ticks(store, outside(fake), HOME, WEEK) == []
    assert fake.asked == []
    switch(store, FLAG)
    del fake.space.entries[number_of(fake, "Salt")]
    assert read_ticks(store, outside(fake), HOME, WEEK) == []
    assert read_ticks(store, outside(fake), HOME, WEEK + timedelta(days=6)) == []
    assert ticks(store) == []


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_made_twice(store: EventStore, fake: FakeTandoor) -> None:
    fake.faults.lost_writes = 2
    accepted(store, fake)
    assert there(fake) == FOR_SOUP
    assert writes(fake) == ["POST"] * 3


@pytest.mark.parametrize("dies_after", [1, 3])
def test_killed_when_an_entry_was_just_made_it_goes_on_and_makes_nothing_twice(
    store: EventStore, dies_after: int
) -> None:
    with Deadly(Space()) as fake:
        fake.call, fake.dies_after = ("POST", "/api/shopping-list-entry/"), dies_after
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
