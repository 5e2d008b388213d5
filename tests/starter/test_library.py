"""The shipped dishes are what a person first sees: every line must be readable, consistent and believable."""

import json
import re
from collections import Counter
from typing import Any

import pytest

from meal_assets.starter import library

Dish = dict[str, Any]

DISHES: list[Dish] = [json.loads(line) for line in library().read_text(encoding="utf-8").splitlines()]
LINES: list[Dish] = [line for dish in DISHES for line in dish["ingredients"]]
MEASURED: list[Dish] = [line for line in LINES if "food" in line]

TEXTS = ("id", "title", "yields", "category", "cuisine", "language", "author", "site_name")
MINUTES = ("prep_time", "cook_time", "total_time")
MEALS = {"Breakfast", "Lunch", "Dinner", "Snack"}
UNITS = {"g", "ml", "tbsp", "tsp", "piece", "clove", "slice", "stalk"}
NUTRIENTS = {
    "calories": "kcal",
    "proteinContent": "g",
    "carbohydrateContent": "g",
    "fatContent": "g",
    "fiberContent": "g",
    "sugarContent": "g",
    "saturatedFatContent": "g",
    "sodiumContent": "mg",
}
ATWATER_TOLERANCE = 0.20
"""SR28 uses food-specific energy factors, which leave fibre and cocoa well below 4 kcal/g."""

MEAT_AND_FISH = re.compile(
    r"\b(chicken|turkey|beef|steak|pork|lamb|ham|chorizo|salmon|cod|tuna|sardines|mackerel|trout|shrimp|mussel|anchovy"
    r"|herring|fish sauce|oyster sauce)\b"
)
DAIRY = re.compile(
    r"(?<!coconut )(?<!soy )\bmilk\b|(?<!peanut )\bbutter\b|\b(?:yogurt|kefir|buttermilk|cream|feta|parmesan|cheddar"
    r"|mozzarella|cheese|ricotta|paneer|naan|basil pesto|dark chocolate)\b"
)
EGG_OR_HONEY = re.compile(r"\b(eggs?|egg (?:whites?|noodles)|mayonnaise|honey)\b")
GLUTEN = re.compile(
    r"(?<!buckwheat )(?<!chickpea )\bflour\b|\b(bread|breadcrumbs|pitas?|bagels?|naan|muffins?|crispbreads?|bulgur"
    r"|couscous|spaghetti|penne|barley|soba noodles|egg noodles|oats|soy sauce|oyster sauce)\b"
)
FORBIDDEN = {
    "vegetarian": (MEAT_AND_FISH,),
    "vegan": (MEAT_AND_FISH, DAIRY, EGG_OR_HONEY),
    "dairy-free": (DAIRY,),
    "gluten-free": (GLUTEN,),
}


def amount(dish: Dish, nutrient: str) -> float:
    return float(dish["nutrients"][nutrient].split()[0])


def names(dishes: list[Dish]) -> list[str]:
    return [dish["id"] for dish in dishes]


def test_the_library_is_large_enough_to_plan_weeks_without_repeating():
    assert len(DISHES) >= 60


@pytest.mark.parametrize("field", ["id", "title"])
def test_no_two_dishes_share_a_name(field: str):
    assert [name for name, count in Counter(dish[field] for dish in DISHES).items() if count > 1] == []


@pytest.mark.parametrize(
    ("meals", "at_least"), [({"Breakfast"}, 16), ({"Snack"}, 14), ({"Lunch", "Dinner"}, 44), ({"Lunch"}, 30)]
)
def test_every_meal_of_the_day_has_a_choice(meals: set[str], at_least: int):
    assert sum(bool(meals & set(dish["category"].split(","))) for dish in DISHES) >= at_least


@pytest.mark.parametrize(("diet", "at_least"), [("vegetarian", 40), ("vegan", 20), ("gluten-free", 25)])
def test_every_diet_finds_dishes(diet: str, at_least: int):
    assert sum(diet in dish["keywords"] for dish in DISHES) >= at_least


@pytest.mark.parametrize("dish", DISHES, ids=names(DISHES))
def test_a_dish_has_every_field_in_its_type(dish: Dish):
    assert set(dish) == {*TEXTS, *MINUTES, "keywords", "ingredients", "instructions_list", "nutrients"}
    assert all(isinstance(dish[field], str) and dish[field].strip() == dish[field] != "" for field in TEXTS)
    assert all(type(dish[field]) is int and dish[field] >= 0 for field in MINUTES)
    assert dish["total_time"] == dish["prep_time"] + dish["cook_time"]
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", dish["id"])
    assert re.fullmatch(r"1 serving|\d+ servings", dish["yields"])
    assert set(dish["category"].split(",")) <= MEALS
    assert all(isinstance(word, str) and word for word in dish["keywords"])
    assert len(dish["keywords"]) == len(set(dish["keywords"]))
    assert 3 <= len(dish["instructions_list"]) <= 6
    assert all(step.endswith(".") for step in dish["instructions_list"])


@pytest.mark.parametrize("dish", DISHES, ids=names(DISHES))
def test_nutrients_are_complete_and_agree_with_each_other(dish: Dish):
    assert {name: text.split()[1] for name, text in dish["nutrients"].items()} == NUTRIENTS
    kcal, protein, carbs, fat = (amount(dish, name) for name in list(NUTRIENTS)[:4])
    assert 4 * protein + 4 * carbs + 9 * fat == pytest.approx(kcal, rel=ATWATER_TOLERANCE)
    assert amount(dish, "sugarContent") <= carbs
    assert amount(dish, "fiberContent") <= carbs
    assert amount(dish, "saturatedFatContent") <= fat


@pytest.mark.parametrize(("snack", "smallest", "largest"), [(True, 80, 350), (False, 250, 850)])
def test_a_serving_is_of_a_size_people_eat(snack: bool, smallest: float, largest: float):
    energies = {dish["id"]: amount(dish, "calories") for dish in DISHES if (dish["category"] == "Snack") is snack}
    assert {name: kcal for name, kcal in energies.items() if not smallest <= kcal <= largest} == {}


def test_a_line_is_either_measured_in_every_part_or_only_text():
    shapes = ({"line"}, {"line", "quantity", "unit", "food"})
    assert [line for line in LINES if set(line) not in shapes] == []
    assert {type(line["quantity"]) for line in MEASURED} <= {int, float}
    assert {line["unit"] for line in MEASURED} <= UNITS


def test_a_measured_line_begins_with_its_quantity():
    assert [line for line in MEASURED if line["line"].split()[0] != f"{line['quantity']:g}"] == []
    assert min(line["quantity"] for line in MEASURED) > 0


def test_the_same_food_is_always_spelled_one_way():
    foods = {line["food"] for line in MEASURED}
    spellings = Counter(food.casefold().removesuffix("s") for food in foods)
    assert [food for food, count in spellings.items() if count > 1] == []


def test_one_food_is_never_measured_in_units_that_cannot_be_added():
    kinds = {"tbsp": "ml", "tsp": "ml"}
    measures: dict[str, set[str]] = {}
    for line in MEASURED:
        unit: str = line["unit"]
        measures.setdefault(line["food"], set()).add(kinds.get(unit, unit))
    assert {food: sorted(units) for food, units in measures.items() if len(units) > 1} == {}


@pytest.mark.parametrize("diet", sorted(FORBIDDEN))
def test_a_diet_word_is_only_given_where_no_food_contradicts_it(diet: str):
    broken = [
        (dish["id"], line["food"])
        for dish in DISHES
        if diet in dish["keywords"]
        for line in dish["ingredients"]
        if "food" in line and any(pattern.search(line["food"]) for pattern in FORBIDDEN[diet])
    ]
    assert broken == []
