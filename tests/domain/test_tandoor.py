"""Recipes as a real Tandoor told them, and the three ways in which its own sums are too small."""

import json
from copy import deepcopy
from typing import Any

import pytest

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.recipes import read_recipe
from meal_assets.domain.recipes.tandoor import read_tandoor
from meal_assets.fakes.tandoor import TYPES, detail_of
from meal_assets.starter import library
from tests.shared_data import shared_data

NUTRIENTS = {1: "kcal", 2: "protein_g", 3: "fat_g", 4: "carbs_g", 5: "fiber_g", 6: "sodium_mg"}
Json = dict[str, Any]


def starters() -> list[RecipeFetched]:
    return [read_recipe(json.loads(line)).event for line in library().read_text().splitlines()]


def sample(name: str) -> list[Json]:
    return [one["response"]["body"] for one in json.loads(shared_data(f"tandoor-samples/{name}.json").read_text())]


@pytest.fixture
def carbonara() -> Json:
    return sample("04-recipe-detail")[0]


@pytest.fixture
def stew() -> Json:
    """Nothing typed in; Tandoor computes from two foods with amounts and units."""
    foods = {n: {"food": {"name": n}, "value": 100.0} for n in ("beef", "carrot")}
    totals = {1: 1_200.0, 2: 100.0, 3: 40.0, 4: 110.0}
    recipe = detail_of(7, starters()[0])
    recipe |= {"properties": [], "servings": 4}
    recipe["food_properties"] = {
        str(number): {"id": number, "name": name, "food_values": foods, "total_value": totals[number],
                      "missing_value": False}
        for number, name, _, _ in TYPES[:4]
    }  # fmt: skip
    return recipe


def test_a_recorded_recipe_is_read_whole(carbonara: Json) -> None:
    read = read_tandoor(carbonara, NUTRIENTS).event
    assert (read.recipe, read.title, read.servings) == ("tandoor-439", "Sample Carbonara", 2)
    assert (read.prep_minutes, read.cook_minutes, read.total_minutes) == (10, 15, 25)
    assert read.instructions[0] == "Boil the **spaghetti**."
    assert any(i.food == "spaghetti" and i.unit == "g" and i.quantity for i in read.ingredients)
    assert not any("For the pasta" in i.line for i in read.ingredients), "a header is no ingredient"


def test_what_was_typed_in_is_per_serving_and_must_be_whole(carbonara: Json) -> None:
    """The recorded one has typed in kcal and protein only, so the older form beside it is taken."""
    assert len(carbonara["properties"]) == 2
    label = read_tandoor(carbonara, NUTRIENTS).event.per_serving
    assert label is not None
    assert (label.kcal, label.protein_g, label.carbs_g, label.fat_g) == (710, 32, 78, 28)


def test_computed_totals_are_of_the_whole_recipe(stew: Json) -> None:
    label = read_tandoor(stew, NUTRIENTS).event.per_serving
    assert label is not None
    assert (label.kcal, label.protein_g, label.carbs_g, label.fat_g) == (300, 25, 27.5, 10)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s: s["ingredients"][0].update(unit=None), "has no unit"),
        (lambda s: s["ingredients"][0].update(amount=0.0), "has no amount"),
        (lambda s: s.update(step_recipe=5), "a sub-recipe counts nothing"),
    ],
    ids=["no unit", "no amount", "sub-recipe"],
)
def test_a_sum_that_is_silently_too_small_is_not_believed(stew: Json, spoil: Any, why: str) -> None:
    spoilt = deepcopy(stew)
    spoil(spoilt["steps"][0])
    read = read_tandoor(spoilt, NUTRIENTS)
    assert read.event.per_serving is None
    assert any(why in reason for field, reason in read.findings if field == "food_properties")


def test_a_sum_that_tandoor_calls_incomplete_is_not_believed(stew: Json) -> None:
    stew["food_properties"]["2"]["missing_value"] = True
    stew["food_properties"]["2"]["food_values"]["beef"]["value"] = None
    read = read_tandoor(stew, NUTRIENTS)
    assert read.event.per_serving is None
    assert ("food_properties", "beef has no value for Eiweiß: what Tandoor computes is less than there is") in (
        read.findings
    )


def test_no_servings_divide_nothing(stew: Json) -> None:
    stew["servings"] = 0
    assert read_tandoor(stew, NUTRIENTS).event.per_serving is None


def test_recorded_untidy_recipes_are_read_and_their_sums_are_not_believed() -> None:
    untidy, with_sub_recipe = sample("05-recipe-detail-untidy")
    assert read_tandoor(untidy, NUTRIENTS).event.ingredients
    lasagne = read_tandoor(with_sub_recipe, NUTRIENTS)
    assert lasagne.event.per_serving is None
    assert any("sub-recipe" in reason for _, reason in lasagne.findings)


def test_the_fake_tells_recipes_as_the_starter_library_has_them() -> None:
    for number, recipe in enumerate(starters(), start=1):
        read = read_tandoor(detail_of(number, recipe), NUTRIENTS)
        assert read.findings == ()
        assert (read.event.title, read.event.ingredients) == (recipe.title, recipe.ingredients)
        assert read.event.instructions == recipe.instructions
        assert recipe.per_serving
        assert read.event.per_serving
        assert read.event.per_serving.kcal == recipe.per_serving.kcal
