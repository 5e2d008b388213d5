"""From a fetched recipe to what a serving holds: offline, once, and again when something is learnt."""

import json
from datetime import date
from typing import Any

import psycopg
import pytest

from meal_assets.commands.dead_letters import retry
from meal_assets.commands.diary import planned_meal
from meal_assets.commands.foods import correct_match, import_foods
from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import set_profile
from meal_assets.commands.recipes import request_recipes
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay
from meal_assets.consumers.compute_nutrition import ComputeNutrition
from meal_assets.consumers.fetch_recipes import FetchRecipes
from meal_assets.consumers.generate_plan import GeneratePlan
from meal_assets.contracts.food import FoodsImported
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.system import DeadLettered
from meal_assets.contracts.values import MACROS, Nutrients
from meal_assets.domain.candidates import LITTLE_UNDERSTOOD, NO_NUTRITION
from meal_assets.domain.nutrition import Food, Portion
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.foods.usda import ReadFoods

HOME = Origin("home", "test")
SOUP = {
    "id": "lentil-soup",
    "title": "Lentil soup",
    "yields": "4 servings",
    "ingredients": [
        {"line": "300 g red lentils", "quantity": 300, "unit": "g", "food": "red lentils"},
        "500 g carrots",
    ],
}
DUST = Food("900001", "Unicorn dust, raw", "Sweets", Nutrients(kcal=400, protein_g=0, carbs_g=100, fat_g=0))
PUBLISHED = {"calories": "300 kcal", "proteinContent": "20 g", "carbohydrateContent": "40 g", "fatContent": "5 g"}


def bring_in(store: EventStore, *recipes: dict[str, Any], origin: Origin = HOME) -> None:
    request_recipes(store, "recipes", "\n".join(map(json.dumps, recipes)).encode(), origin)
    consume(FetchRecipes(), store)
    assert consume(ComputeNutrition(), store).failed is None


def said(store: EventStore) -> list[RecipeNutritionComputed]:
    return [
        r.event for r in store.read(types=[RecipeNutritionComputed]) if isinstance(r.event, RecipeNutritionComputed)
    ]


def with_dust(**more: Any) -> dict[str, Any]:
    return {**SOUP, "ingredients": [*SOUP["ingredients"], "200 g unicorn dust"], **more}  # type: ignore[misc]


def test_a_recipe_without_nutrition_is_computed_from_its_lines(store: EventStore) -> None:
    bring_in(store, SOUP)
    (done,) = said(store)
    assert done.per_serving is not None
    assert done.per_serving.kcal == pytest.approx((300 * 3.58 + 440 * 0.41) / 4, rel=0.02)
    assert (done.coverage, done.sources, done.not_understood) == (1, ("usda",), ())
    assert [(f.line, f.food) for f in done.foods] == [(0, "174284"), (1, "170393")]
    computed = store.read(types=[RecipeNutritionComputed])[0]
    assert computed.causation_id is not None
    assert done.as_of < computed.position


def test_what_is_believably_published_is_not_computed(store: EventStore) -> None:
    bring_in(store, {**SOUP, "nutrients": PUBLISHED})
    assert said(store) == []
    bring_in(store, {**SOUP, "nutrients": {**PUBLISHED, "calories": "4000 kcal"}})
    assert len(said(store)) == 1


def test_a_line_that_is_not_understood_is_named_with_the_reason(store: EventStore) -> None:
    bring_in(store, with_dust())
    (done,) = said(store)
    assert [(n.line, n.text, n.reason) for n in done.not_understood] == [
        (2, "200 g unicorn dust", "no food is near enough")
    ]
    assert done.coverage < 0.85


def test_without_servings_nothing_is_said_of_a_serving(store: EventStore) -> None:
    bring_in(store, {**SOUP, "yields": "a potful"})
    (done,) = said(store)
    assert (done.servings, done.per_serving, done.coverage) == (None, None, 1)


def test_the_same_again_is_no_news_and_another_content_is(store: EventStore) -> None:
    bring_in(store, SOUP)
    bring_in(store, SOUP, {**SOUP, "id": "stew", "title": "Stew"})
    assert [e.recipe for e in said(store)] == ["lentil-soup", "stew"]
    bring_in(store, {**SOUP, "ingredients": ["600 g red lentils"]})
    assert [e.recipe for e in said(store)] == ["lentil-soup", "stew", "lentil-soup"]


def test_foods_brought_in_compute_the_recipes_they_change_and_no_other(store: EventStore) -> None:
    bring_in(store, SOUP, with_dust(id="dusty", title="Dusty"))
    accepted = import_foods(store, "usda", "mine.jsonl", ReadFoods((DUST,), (), 0), HOME)
    consume(ComputeNutrition(), store)
    assert [e.recipe for e in said(store)] == ["lentil-soup", "dusty", "dusty"]
    assert said(store)[-1].coverage == 1
    assert said(store)[-1].food_set != said(store)[0].food_set
    again = import_foods(store, "usda", "again.jsonl", ReadFoods((DUST,), (), 0), HOME)
    assert (accepted.events, again.events) == (1, 0)


def test_a_correction_is_learnt_for_every_recipe_of_the_household(store: EventStore) -> None:
    bring_in(store, with_dust(), with_dust(id="dusty", title="Dusty"))
    bring_in(store, with_dust(), origin=Origin("next-door", "test"))
    correct_match(store, "Unicorn Dust", "174284", HOME)
    consume(ComputeNutrition(), store)
    assert [(r.household, r.event.recipe) for r in store.read(types=[RecipeNutritionComputed])[3:]] == [  # type: ignore[attr-defined]
        ("home", "dusty"),
        ("home", "lentil-soup"),
    ]
    assert said(store)[-1].foods[-1].food == "174284"
    bring_in(store, with_dust(id="later", title="Later"))
    assert said(store)[-1].coverage == 1


def test_a_correction_to_nothing_leaves_the_line_aside_and_can_be_taken_back(store: EventStore) -> None:
    bring_in(store, with_dust())
    correct_match(store, "unicorn dust", None, HOME)
    consume(ComputeNutrition(), store)
    assert (said(store)[-1].coverage, said(store)[-1].not_understood) == (1, ())
    assert correct_match(store, "unicorn  dust", None, HOME).events == 0
    correct_match(store, "unicorn dust", "174284", HOME)
    consume(ComputeNutrition(), store)
    assert len(said(store)[-1].foods) == 3


def test_a_correction_must_name_something_that_is_known(store: EventStore) -> None:
    with pytest.raises(Invalid, match="no food known here"):
        correct_match(store, "unicorn dust", "1", HOME)
    with pytest.raises(Invalid, match="has no word"):
        correct_match(store, "…", None, HOME)
    assert store.head() == 0


def test_handling_again_says_the_same(store: EventStore) -> None:
    bring_in(store, SOUP, with_dust(id="dusty", title="Dusty"))
    import_foods(store, "usda", "mine.jsonl", ReadFoods((DUST,), (), 0), HOME)
    correct_match(store, "carrots", None, HOME)
    consume(ComputeNutrition(), store)
    assert len(said(store)) == 5
    assert replay(ComputeNutrition(), store) == []


def test_a_process_that_dies_between_saying_and_noting_it_says_nothing_twice(store: EventStore) -> None:
    bring_in(store, SOUP)
    with store.database.transaction() as db:
        db.execute("UPDATE log.checkpoints SET position = 0 WHERE subscriber = 'compute_nutrition'")
    consume(ComputeNutrition(), store)
    assert len(said(store)) == 1


def test_a_set_whose_rows_are_not_here_is_a_dead_letter_that_says_what_to_do(store: EventStore) -> None:
    event = FoodsImported(source="usda", name="elsewhere.zip", food_set="ab" * 32, foods=1, rejected=0)
    store.append(event.stream_in("home"), [event], origin=HOME)
    request_recipes(store, "recipes", json.dumps(SOUP).encode(), HOME)
    consume(FetchRecipes(), store)
    assert consume(ComputeNutrition(), store).set_aside == 1
    (letter,) = store.read(types=[DeadLettered])
    assert isinstance(letter.event, DeadLettered)
    assert "import their file again" in letter.event.error
    with store.database.transaction() as db:
        db.execute(
            "INSERT INTO log.foods SELECT %s, '900001', 'x', %s",
            (
                "ab" * 32,
                '{"food":"900001","description":"x","group":"y","per_100g":[1,0,0,0,null,null,null,null]}',
            ),
        )
    retry(store, "compute_nutrition", letter.event.position, HOME)
    assert consume(ComputeNutrition(), store).handled == 1
    assert len(said(store)) == 1


def test_a_line_that_was_read_before_is_not_parsed_again(store: EventStore) -> None:
    bring_in(store, SOUP)
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("UPDATE log.readings SET reading = replace(reading, '500.0', '250.0')")
    bring_in(store, {**SOUP, "id": "stew", "title": "Stew"})
    soup, stew = said(store)
    assert stew.foods[1].grams == soup.foods[1].grams / 2


def test_foods_of_products_stand_in_where_usda_knows_nothing(store: EventStore) -> None:
    spread = Food("off:0001", "Unicorn dust, Acme", "x", DUST.per_100g, (Portion("serving", 15),), brand=True)
    import_foods(store, "openfoodfacts", "pantry.jsonl", ReadFoods((spread,), (), 0), HOME)
    bring_in(store, with_dust())
    assert said(store)[-1].sources == ("usda", "openfoodfacts")


def left_out(store: EventStore) -> dict[str, int]:
    """What is not considered for a week in which ada wants two servings of the first recipe a day."""
    double = said(store)[0].per_serving
    assert double is not None
    wanted = {name: getattr(double, name) * 2 for name in MACROS}
    set_profile(store, GoalSet(person="ada", **wanted), HOME)
    request_plan(store, date(2026, 11, 23), HOME, rules=PlanRules(meals=("dinner",), max_repeats=7))
    consume(GeneratePlan(), store)
    event = store.read_stream("home/plan/2026-11-23")[-1].event
    assert isinstance(event, PlanGenerated)
    return event.left_out


def test_a_week_is_planned_on_computed_figures_with_enough_coverage_only(store: EventStore) -> None:
    stew = {**SOUP, "id": "stew", "title": "Stew"}
    bring_in(store, stew, with_dust(), {**SOUP, "id": "potful", "title": "Potful", "yields": "a potful"})
    assert left_out(store) == {LITTLE_UNDERSTOOD: 1, NO_NUTRITION: 1}
    correct_match(store, "unicorn dust", None, HOME)
    consume(ComputeNutrition(), store)
    assert left_out(store) == {NO_NUTRITION: 1}


def test_a_planned_dish_is_eaten_with_its_computed_figures(store: EventStore) -> None:
    bring_in(store, SOUP)
    left_out(store)
    meal = planned_meal(store, "home", "ada", date(2026, 11, 23), "dinner", servings=2)
    (done,) = said(store)
    assert done.per_serving is not None
    assert meal.nutrition.kcal == pytest.approx(2 * done.per_serving.kcal)
