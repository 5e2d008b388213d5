"""What to buy for a week, and what is in the basket already."""

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.shopping_list import ListItem, ShoppingList, items_of

from .said import WEEK, append, like

SOUP = [
    {"line": "300 g red lentils", "quantity": 300, "unit": "g", "food": "red lentils"},
    {"line": "0.5 kg carrots", "quantity": 0.5, "unit": "kg", "food": "carrots"},
]


def soup(ingredients: list[dict[str, object]] = SOUP, servings: float | None = 4) -> RecipeFetched:
    return like(RecipeFetched, recipe="lentil-soup", title="Lentil soup", servings=servings, ingredients=ingredients)


def plan(ada: float, recipe: str = "lentil-soup", title: str = "Lentil soup") -> PlanGenerated:
    meal = {"day": "2026-11-23", "meal": "dinner", "recipe": recipe, "title": title, "portions": {"ada": ada}}
    return like(PlanGenerated, meals=[meal])


def items(store: EventStore) -> list[ListItem]:
    catch_up(ShoppingList(), store)
    with store.database.transaction() as db:
        return items_of(db, "home", WEEK)


def test_the_list_is_the_ingredients_of_the_planned_portions(store: EventStore) -> None:
    append(store, soup(), plan(ada=2))
    assert [(i.item, i.needed.quantity, i.needed.unit, i.needed.meals, i.ticked) for i in items(store)] == [
        ("carrots", 250, "g", ("Lentil soup",), False),
        ("red lentils", 150, "g", ("Lentil soup",), False),
    ]


def test_a_recipe_served_twice_is_bought_twice(store: EventStore) -> None:
    meals = [{**PlanGenerated.examples[0]["meals"][0], "day": f"2026-11-{n}", "portions": {"ada": 2}} for n in (23, 25)]
    append(store, soup(), like(PlanGenerated, meals=meals))
    assert [(i.item, i.needed.quantity) for i in items(store)] == [("carrots", 500), ("red lentils", 300)]


def test_a_recipe_that_does_not_say_how_much_it_makes_is_one_serving(store: EventStore) -> None:
    append(store, soup(servings=None), plan(ada=2))
    assert [i.needed.quantity for i in items(store)] == [1000, 600]


def test_ticks_survive_a_new_plan_and_come_last(store: EventStore) -> None:
    append(store, soup(), plan(ada=2), ItemTicked(week=WEEK, item="carrots"))
    assert [(i.item, i.ticked) for i in items(store)] == [("red lentils", False), ("carrots", True)]
    append(store, plan(ada=4))
    assert [(i.item, i.needed.quantity, i.ticked) for i in items(store)] == [
        ("red lentils", 300, False),
        ("carrots", 500, True),
    ]


def test_an_item_put_back_is_to_be_bought_again(store: EventStore) -> None:
    append(store, soup(), plan(ada=2), ItemTicked(week=WEEK, item="carrots"), ItemUnticked(week=WEEK, item="carrots"))
    assert not any(i.ticked for i in items(store))


def test_a_changed_recipe_changes_the_list_of_the_weeks_that_cook_it(store: EventStore) -> None:
    append(store, soup(), plan(ada=2))
    items(store)
    append(store, soup([{"line": "1 leek", "quantity": 1, "unit": "", "food": "leek"}]))
    assert [(i.item, i.needed.quantity, i.needed.unit) for i in items(store)] == [("leek", 0.5, "piece")]


def test_a_recipe_fetched_after_the_plan_comes_onto_the_list(store: EventStore) -> None:
    append(store, plan(ada=2))
    assert items(store) == []
    append(store, soup())
    assert len(items(store)) == 2


def test_a_new_plan_takes_off_what_only_the_old_one_needed(store: EventStore) -> None:
    append(store, soup(), plan(ada=2))
    items(store)
    append(store, like(RecipeFetched), plan(ada=1, recipe="overnight-oats", title="Overnight oats"))
    assert [i.item for i in items(store)] == ["rolled oats", "salt to taste"]


def test_the_neighbours_list_is_theirs(store: EventStore) -> None:
    append(store, soup(), plan(ada=2))
    catch_up(ShoppingList(), store)
    with store.database.transaction() as db:
        assert items_of(db, "next-door", WEEK) == []


def test_a_line_longer_than_an_index_entry_may_be_is_listed_and_ticked(store: EventStore) -> None:
    line = "".join(chr(0x4E00 + n * 7 % 20_000) for n in range(2_000))
    append(store, soup([{"line": line}]), plan(ada=4), ItemTicked(week=WEEK, item=line))
    assert [(i.item, i.ticked) for i in items(store)] == [(line, True)]
