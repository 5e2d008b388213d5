"""From a planned week to the foods that its recipes need: once, and again when a recipe says something else."""

from typing import Any

from meal_assets.commands.foods import correct_match
from meal_assets.commands.plan import accept_plan
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay
from meal_assets.consumers.weigh_ingredients import WeighIngredients
from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.shopping_list import ShoppingList, items_of
from tests.read_models.said import WEEK, append, like

HOME = Origin("home", "test")
CAKE = {
    "recipe": "carrot-cake",
    "title": "Carrot cake",
    "servings": 2,
    "ingredients": [{"line": "2 carrots, grated"}, {"line": "100 g sugar"}],
}


def cake(**other: Any) -> RecipeFetched:
    return like(RecipeFetched, **{**CAKE, **other})


def soup() -> RecipeFetched:
    carrots = {"line": "200 g carrot", "quantity": 200, "unit": "g", "food": "carrot"}
    return like(RecipeFetched, recipe="soup", title="Soup", servings=2, ingredients=[carrots])


def plan(*recipes: RecipeFetched) -> PlanGenerated:
    days = [
        {"day": f"2026-11-{23 + n}", "meal": "dinner", "recipe": r.recipe, "title": r.title, "portions": {"ada": 2}}
        for n, r in enumerate(recipes)
    ]
    return like(PlanGenerated, meals=days)


def weigh(store: EventStore) -> list[IngredientsWeighed]:
    assert consume(WeighIngredients(), store).failed is None
    said = store.read(types=[IngredientsWeighed])
    return [r.event for r in said if isinstance(r.event, IngredientsWeighed)]


def listed(store: EventStore) -> list[tuple[str, float | None, str]]:
    catch_up(ShoppingList(), store)
    with store.database.transaction() as db:
        return [(i.item, i.needed.quantity, i.needed.unit) for i in items_of(db, "home", WEEK)]


def test_a_recipe_is_weighed_when_it_is_planned_and_the_list_adds_pieces_to_grams(store: EventStore) -> None:
    append(store, cake(), soup())
    assert weigh(store) == []
    append(store, plan(cake(), soup()))
    assert listed(store) == [
        ("100 g sugar", 1, "× as written"),
        ("2 carrots, grated", 1, "× as written"),
        ("carrot", 200, "g"),
    ]
    said = weigh(store)
    assert [(e.recipe, [w.unit for w in e.wanted]) for e in said] == [("carrot-cake", ["piece", "g"]), ("soup", ["g"])]
    assert listed(store) == [("carrot", 322, "g"), ("sugar", 100, "g")]


def test_it_is_said_once_and_again_only_when_it_is_new(store: EventStore) -> None:
    append(store, cake(), plan(cake()))
    first = weigh(store)
    append(store, plan(cake()))
    accept_plan(store, WEEK, HOME)
    assert weigh(store) == first
    append(store, cake(ingredients=[{"line": "3 carrots, grated"}], content_hash="12" * 32))
    assert [w.quantity for e in weigh(store)[1:] for w in e.wanted] == [3]
    assert listed(store) == [("carrots", 3, "piece")]
    head = store.head()
    replay(WeighIngredients(), store, say=True)
    assert store.head() == head


def test_a_recipe_that_changed_stands_as_written_until_it_is_weighed_again(store: EventStore) -> None:
    append(store, cake(), plan(cake()))
    weigh(store)
    append(store, cake(ingredients=[{"line": "3 carrots"}], content_hash="12" * 32))
    assert listed(store) == [("3 carrots", 1, "× as written")]


def test_what_somebody_said_is_no_food_is_bought_by_its_name(store: EventStore) -> None:
    append(store, cake(), plan(cake()))
    assert [w.food is None for w in weigh(store)[0].wanted] == [False, False]
    correct_match(store, "sugar", None, HOME)
    append(store, plan(cake()))
    assert [(w.item, w.food is None) for w in weigh(store)[1].wanted] == [("carrots", False), ("sugar", True)]


def test_the_neighbours_week_is_theirs(store: EventStore) -> None:
    append(store, cake(), plan(cake()), origin=Origin("next-door", "test"))
    weigh(store)
    assert [r.household for r in store.read(types=[IngredientsWeighed])] == ["next-door"]
