"""What we rely on holds at a real Tandoor as it does at the fake one; what is written there is taken away again.

Set TANDOOR_BASE_URL and TANDOOR_API_TOKEN (scope `read write mealplan`). The fake is always asked. Entries of the meal
plan are made two years ahead, and the one line of the shopping list is of a food that is there already.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from meal_assets.clients.outside import Outside
from meal_assets.clients.tandoor import Tandoor
from meal_assets.commands.plan import accept_plan
from meal_assets.commands.recipes import request_sync
from meal_assets.commands.shopping import read_ticks
from meal_assets.consumers import consume
from meal_assets.consumers.publish_plan import FLAG as PLAN
from meal_assets.consumers.publish_plan import PublishPlan
from meal_assets.consumers.publish_shopping import FLAG as LIST
from meal_assets.consumers.publish_shopping import PublishShopping
from meal_assets.consumers.sync_tandoor import SyncTandoor
from meal_assets.contracts.publication import ListPublished, WeekPublished
from meal_assets.contracts.recipe import RecipeFetched, RecipesSynced
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.contracts.system import DeadLettered
from meal_assets.domain.publication import MEAL_TIMES
from meal_assets.domain.recipes.tandoor import recipe_key
from meal_assets.event_store import EventStore
from meal_assets.fakes.tandoor import FakeTandoor, starter_space
from tests.consumers.test_publish_plan import HOME, plan, switch
from tests.read_models.said import append, like

NEXT = date.today() + timedelta(days=730)
WEEK = NEXT - timedelta(days=NEXT.weekday())


@pytest.fixture(params=["fake", "real"])
def outside(request: pytest.FixtureRequest) -> Iterator[Outside]:
    if request.param == "fake":
        with FakeTandoor(starter_space(30)) as fake:
            yield Outside(fake.url, SecretStr(fake.space.token), time_zone="Europe/Berlin")
        return
    url, token = (os.environ.get(name, "") for name in ("TANDOOR_BASE_URL", "TANDOOR_API_TOKEN"))
    if not url or not token:
        pytest.skip("needs TANDOOR_BASE_URL and TANDOOR_API_TOKEN")
    yield Outside(url.rstrip("/"), SecretStr(token), time_zone="Europe/Berlin")


@pytest.fixture
def tandoor(outside: Outside, store: EventStore) -> Iterator[Tandoor]:
    with outside.tandoor(store.database) as tandoor:
        yield tandoor


def test_its_lists_agree_and_its_property_types_are_known(tandoor: Tandoor) -> None:
    assert tandoor.version()
    assert {o.id for o in tandoor.overviews()} == tandoor.ids()
    assert {"kcal", "protein_g", "fat_g", "carbs_g"} <= set(tandoor.property_names().values())
    assert all(tandoor.keywords().values())
    assert tandoor.user() > 0
    assert tandoor.clock().tzinfo is not None
    assert tandoor.recipe(max(tandoor.ids()) + 1_000) == "deleted"


def test_a_sync_brings_in_what_is_listed_and_the_next_one_has_nothing_to_say(
    outside: Outside, store: EventStore
) -> None:
    assert request_sync(store, outside, HOME)
    assert consume(SyncTandoor(outside), store).failed is None
    (end,) = [r.event for r in store.read(types=[RecipesSynced]) if isinstance(r.event, RecipesSynced)]
    assert end.listed == end.fetched + end.rejected > 0
    assert request_sync(store, outside, HOME) is None


def test_a_week_is_published_changed_and_taken_away(outside: Outside, store: EventStore, tandoor: Tandoor) -> None:
    there = {t.name.casefold() for t in tandoor.meal_types()}
    meals = [meal for meal in MEAL_TIMES if meal in there]
    if not meals:
        pytest.skip("it has no meal type with a name of ours, and what is made could not be taken away")
    recipe, slot = recipe_key(min(tandoor.ids())), f"{WEEK} {meals[0]}"
    before = _plans(tandoor)
    switch(store, PLAN)
    plan(store, {slot: (recipe, {"ada": 1.5})}, WEEK)
    try:
        accept_plan(store, WEEK, HOME)
        assert consume(PublishPlan(outside), store).failed is None
        (number,) = _plans(tandoor).keys() - before.keys()
        assert _plans(tandoor)[number] == 1.5
        accept_plan(store, WEEK, HOME)
        plan(store, {slot: (recipe, {"ada": 2})}, WEEK)
        assert consume(PublishPlan(outside), store).failed is None
        assert _plans(tandoor) == before | {number: 2}
        plan(store, {}, WEEK)
        assert consume(PublishPlan(outside), store).failed is None
        assert _plans(tandoor) == before
        assert store.read(types=[DeadLettered]) == []
    finally:
        for said in (r.event for r in store.read(types=[WeekPublished])):
            for meal in said.meals if isinstance(said, WeekPublished) else ():
                tandoor.delete_plan(meal.entry)


def test_a_list_is_published_ticked_there_and_taken_away(outside: Outside, store: EventStore, tandoor: Tandoor) -> None:
    switch(store, LIST)
    wanted = {"line": "a food", "quantity": 3, "unit": None, "food": _some_food(tandoor)}
    append(store, like(RecipeFetched, recipe="tandoor-1", servings=1, ingredients=[wanted]))
    plan(store, {f"{WEEK} dinner": ("tandoor-1", {"ada": 1})}, WEEK)
    try:
        accept_plan(store, WEEK, HOME)
        assert consume(PublishShopping(outside), store).failed is None
        ((number, item),) = [(i.entry, i.item) for i in _lists(store)[-1].items]
        row = tandoor.entry(number) or {}
        assert (row["amount"], row["checked"]) == (3, False)
        assert read_ticks(store, outside, HOME, WEEK) == []
        tandoor.check_entries([number], checked=True)
        assert read_ticks(store, outside, HOME, WEEK) == [item]
        assert [r.actor for r in store.read(types=[ItemTicked])] == ["tandoor"]
        tandoor.check_entries([number], checked=False)
        assert read_ticks(store, outside, HOME, WEEK) == [item]
        plan(store, {}, WEEK)
        assert consume(PublishShopping(outside), store).failed is None
        assert tandoor.entry(number) is None
        assert store.read(types=[DeadLettered]) == []
    finally:
        for number in {i.entry for said in _lists(store) for i in said.items}:
            tandoor.delete_entry(number)


def _plans(tandoor: Tandoor) -> dict[int, float]:
    """Entries of the week and their servings."""
    rows = tandoor.plans(str(WEEK - timedelta(days=1)), str(WEEK + timedelta(days=7)))
    return {int(row["id"]): float(row["servings"]) for row in rows}


def _lists(store: EventStore) -> list[ListPublished]:
    return [r.event for r in store.read(types=[ListPublished]) if isinstance(r.event, ListPublished)]


def _some_food(tandoor: Tandoor) -> str:
    """The name of one that a recipe there has."""
    for number in sorted(tandoor.ids()):
        detail = tandoor.recipe(number)
        for step in detail["steps"] if isinstance(detail, dict) else ():
            for ingredient in step["ingredients"]:
                if ingredient["food"]:
                    return str(ingredient["food"]["name"])
    pytest.skip("none of its recipes has a food")
