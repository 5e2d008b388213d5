"""Recipes from files and pages: the real ones, the shapes schema.org allows, and what nobody should send."""

import gzip
import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meal_assets.contracts.recipe import Finding, RecipeFetched
from meal_assets.contracts.values import Meal, Nutrients
from meal_assets.domain.recipes import Read, carries_word, content_hash, meals_for, minutes, read_recipe, recipe_id
from meal_assets.domain.recipes.occasions import OCCASIONS
from meal_assets.domain.recipes.words import words
from meal_assets.errors import Invalid
from tests.shared_data import shared_data

PLAIN: dict[str, Any] = {"title": "Lentil soup", "ingredients": ["300 g red lentils"]}
PAGE: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Recipe",
    "name": "Lentil soup",
    "recipeIngredient": ["300 g red lentils", "1 onion"],
    "recipeInstructions": "Cook.",
    "recipeYield": ["4", "4 bowls"],
    "prepTime": "P0DT0H10M",
    "cookTime": "PT1H5M",
    "totalTime": "PT1H15M",
    "recipeCategory": ["Dinner", "Soup"],
    "recipeCuisine": "Turkish",
    "keywords": "lentils, vegan , lentils",
    "inLanguage": "en_GB",
    "author": [{"@type": "Person", "name": "Ada"}, {"@type": "Person", "name": "Ben"}],
    "publisher": {"@type": "Organization", "name": "Soups &amp; Co"},
    "image": {"@type": "ImageObject", "url": "//cdn.example.org/soup bowl.jpg?a=1&copy=2"},
    "mainEntityOfPage": {"@type": "WebPage", "@id": "https://www.example.org/lentil-soup/"},
    "nutrition": {
        "@type": "NutritionInformation",
        "calories": "300 calories",
        "proteinContent": "20 g",
        "carbohydrateContent": "40 g",
        "fatContent": "5 g",
    },
}


@cache
def real_rows() -> list[dict[str, Any]]:
    with gzip.open(shared_data("recipes-real.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def real_recipes() -> list[tuple[dict[str, Any], Read]]:
    return [(row, read_recipe(row)) for row in real_rows()]


def dish(title: str = "Thing", /, *, kcal: float | None = None, **fields: Any) -> RecipeFetched:
    event = read_recipe({**PLAIN, "title": title, **fields}).event
    facts = None if kcal is None else Nutrients(kcal=kcal, protein_g=0, carbs_g=kcal / 4, fat_g=0)
    return event.model_copy(update={"per_serving": facts})


def test_every_real_row_is_a_recipe_with_an_id_of_its_own():
    recipes = [read.event for _, read in real_recipes()]
    assert len(recipes) == 277
    assert len({r.recipe for r in recipes}) == len(recipes)
    assert all(len(r.ingredients) == len(row["ingredients"]) for r, row in zip(recipes, real_rows(), strict=True))


def test_real_nutrition_is_believed_where_it_agrees_with_four_four_nine():
    by_mark = {
        mark: {row["id"] for row, read in real_recipes() if (read.event.per_serving is not None) is mark}
        for mark in (True, False)
    }
    assert len(by_mark[True]) == 270
    # The file's own mark does not know that fibre may count half, nor that 7,032 kcal are no serving.
    assert {row["id"] for row in real_rows() if not row["atwater_ok"]} - by_mark[False] == {
        "eatingonadime.com/eatingonadime_2"
    }
    assert by_mark[False] - {row["id"] for row in real_rows() if not row["atwater_ok"]} == {"nosalty.hu/nosalty_2"}


def test_published_texts_give_the_numbers_the_file_knows():
    for row, read in real_recipes():
        if facts := read.event.per_serving:
            assert facts.model_dump(include=set(row["macros"])) == pytest.approx(row["macros"]), row["id"]


def test_nearly_all_real_recipes_tell_their_servings():
    unknown = {row["id"] for row, read in real_recipes() if read.event.servings is None}
    assert len(unknown) == 7
    assert unknown == {row["id"] for row, read in real_recipes() if any(f == "yields" for f, _ in read.findings)} | {
        row["id"] for row in real_rows() if "yields" not in row
    }


def test_reading_again_gives_the_same_event_and_hash():
    for row, read in real_recipes():
        again = read_recipe(json.loads(json.dumps(row)))
        assert again == read
        assert content_hash(read.event.model_dump(mode="json")) == read.event.content_hash


def test_the_hash_changes_with_the_content_and_not_with_the_order_of_keys():
    plain, changed = read_recipe(PLAIN).event, read_recipe({**PLAIN, "yields": "4 servings"}).event
    assert plain.content_hash != changed.content_hash
    assert read_recipe(dict(reversed(PLAIN.items()))).event == plain
    assert content_hash({"b": 1, "a": "é", "content_hash": "x"}) == content_hash({"a": "é", "b": 1})


def test_a_page_in_json_ld_is_read_whole():
    read = read_recipe(PAGE)
    assert read.findings == ()
    assert read.event.model_dump(exclude={"content_hash", "recipe"}, exclude_none=True) == {
        "title": "Lentil soup",
        "source_url": "https://www.example.org/lentil-soup/",
        "site": "Soups & Co",
        "author": "Ada, Ben",
        "language": "en-GB",
        "image_url": "https://cdn.example.org/soup%20bowl.jpg?a=1&copy=2",
        "servings": 4,
        "yields": "4 bowls",
        "prep_minutes": 10,
        "cook_minutes": 65,
        "total_minutes": 75,
        "categories": ("Dinner", "Soup"),
        "cuisines": ("Turkish",),
        "keywords": ("lentils", "vegan"),
        "ingredients": ({"line": "300 g red lentils"}, {"line": "1 onion"}),
        "instructions": ("Cook.",),
        "per_serving": {"kcal": 300, "protein_g": 20, "carbs_g": 40, "fat_g": 5},
    }


@pytest.mark.parametrize(
    "row",
    [
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage", "name": "Soups"}, PAGE]},
        [{"@type": "BreadcrumbList"}, PAGE],
        {"@type": "WebPage", "mainEntity": PAGE},
        {**PAGE, "@type": ["Recipe", "NewsArticle"]},
        {**PAGE, "@type": "http://schema.org/Recipe"},
        [{"@graph": [[PAGE]]}],
    ],
)
def test_a_recipe_is_found_wherever_pages_put_it(row: object):
    assert read_recipe(row).event == read_recipe(PAGE).event


@pytest.mark.parametrize(
    ("instructions", "steps"),
    [
        ("Chop.\nCook.", ("Chop.", "Cook.")),
        ("<p>Chop.</p><p>Cook <b>well</b>.</p>", ("Chop.", "Cook well.")),
        (["Chop.", "", "Cook."], ("Chop.", "Cook.")),
        (
            [{"@type": "HowToStep", "text": "Chop.", "name": "First"}, {"@type": "HowToStep", "name": "Cook."}],
            ("Chop.", "Cook."),
        ),
        (
            [
                {"@type": "HowToSection", "name": "Soup", "itemListElement": [{"@type": "HowToStep", "text": "Chop."}]},
                {"@type": "HowToSection", "name": "End", "itemListElement": {"@type": "HowToStep", "text": "Cook."}},
            ],
            ("Chop.", "Cook."),
        ),
        (
            {"@type": "ItemList", "itemListElement": [{"itemListElement": [{"text": "Chop."}]}, "Cook."]},
            ("Chop.", "Cook."),
        ),
    ],
)
def test_instructions_may_be_text_lists_steps_or_sections(instructions: object, steps: tuple[str, ...]):
    assert read_recipe({**PAGE, "recipeInstructions": instructions}).event.instructions == steps


def test_ingredients_may_come_apart_or_in_groups():
    read = read_recipe(
        {
            **PLAIN,
            "ingredients": [
                {"line": "300 g red lentils", "quantity": 300, "unit": "g", "food": "red lentils"},
                {"quantity": "1 1/2", "unit": {"name": "cup"}, "food": {"name": "rice"}},
                {"purpose": "Top", "ingredients": ["salt", " "]},
                {"line": "a bit of pepper", "quantity": "a bit"},
                None,
                7,
            ],
        }
    )
    assert [i.model_dump(exclude_none=True) for i in read.event.ingredients] == [
        {"line": "300 g red lentils", "quantity": 300, "unit": "g", "food": "red lentils"},
        {"line": "1.5 cup rice", "quantity": 1.5, "unit": "cup", "food": "rice"},
        {"line": "salt"},
        {"line": "a bit of pepper"},
    ]
    assert [field for field, _ in read.findings] == ["ingredients.3.quantity", "ingredients.5"]


def test_texts_lose_markup_entities_and_what_nobody_sees_and_are_composed():
    row = {
        "title": " Cre\u0300me &amp;amp; <b>Sugar</b>\u200b\x00 ",
        "ingredients": ["&frac12; cup  m\u00adilk", "<br/>", "a < 5 g"],
    }
    event = read_recipe(row).event
    assert event.title == "Crème & Sugar"
    assert [i.line for i in event.ingredients] == ["½ cup milk", "a < 5 g"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prep_time", "overnight"),
        ("total_time", -5),
        ("yields", "a feast"),
        ("canonical_url", "javascript:alert(1)"),
        ("image", "data:image/png;base64,AAAA"),
        ("image", "http://[broken"),
        ("language", "English, mostly"),
        ("category", 7),
        ("instructions_list", 7),
        ("author", True),
        ("nutrients", "plenty"),
    ],
)
def test_a_field_that_is_not_understood_is_left_out_and_reported(field: str, value: object):
    read = read_recipe({**PLAIN, field: value})
    assert [f for f, _ in read.findings] == [field]
    without = read_recipe(PLAIN).event.model_dump(exclude={"content_hash", "yields"})
    assert read.event.model_dump(exclude={"content_hash", "yields"}) == without


def test_what_is_too_long_is_cut_to_what_the_contract_holds():
    read = read_recipe(
        {
            "title": "t" * 501,
            "ingredients": ["i" * 2001] * 501,
            "category": "c" * 300,
            "keywords": [f"k{n}" for n in range(201)],
            "instructions": ["s" * 10_001] * 501,
            "canonical_url": "https://example.org/" + "u" * 2000,
        }
    )
    event = read.event
    assert (len(event.title), len(event.ingredients), len(event.ingredients[0].line)) == (500, 500, 2000)
    assert (len(event.categories[0]), len(event.keywords), len(event.instructions)) == (255, 200, 500)
    assert event.source_url is None
    assert {field.split(".")[0] for field, _ in read.findings} == {
        "title",
        "ingredients",
        "category",
        "keywords",
        "instructions",
        "canonical_url",
    }


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (None, "recipe"),
        ("Lentil soup", "recipe"),
        (7, "recipe"),
        ([], "@type"),
        ({"@type": "WebPage", "name": "Soups"}, "@type"),
        ({}, "title"),
        ({**PLAIN, "title": " <br> "}, "title"),
        ({**PLAIN, "title": 7}, "title"),
        ({"title": "Soup"}, "ingredients"),
        ({**PLAIN, "ingredients": []}, "ingredients"),
        ({**PLAIN, "ingredients": ["", None, {}]}, "ingredients"),
    ],
)
def test_what_is_no_recipe_is_refused_and_the_field_is_named(row: object, field: str):
    with pytest.raises(Invalid) as refused:
        read_recipe(row)
    assert refused.value.field == field


KEYS = sorted({*PAGE, *PLAIN, "text", "url", "@id", "@graph", "line", "quantity", "unit", "food", "servingSize"})

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["1 1/2 g", "PT5M", "9" * 400, "&#" + "9" * 5000 + ";", "\ud800", "http://[", "4 cups", "1/0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=12,
)


def accepted_or_invalid(row: object) -> None:
    try:
        read = read_recipe(row)
    except Invalid:
        return
    RecipeFetched.model_validate_json(read.event.model_dump_json())
    for field, reason in read.findings:
        Finding(line=1, field=field, reason=reason, skipped=False).model_dump_json()


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_any_json_value_is_a_recipe_or_invalid(row: object):
    accepted_or_invalid(row)


FIELDS = sorted(
    {*PAGE, "title", "ingredients", "yields", "nutrients", "macros", "prep_time", "id", "canonical_url", "host"}
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values, min_size=1, max_size=3))
def test_a_spoilt_page_is_a_recipe_or_invalid(spoilt: dict[str, object]):
    accepted_or_invalid({**PAGE, **spoilt})


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 276), st.dictionaries(st.sampled_from(FIELDS), json_values, min_size=1, max_size=3))
def test_a_spoilt_real_row_is_a_recipe_or_invalid(n: int, spoilt: dict[str, object]):
    accepted_or_invalid({**real_rows()[n], **spoilt})


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["calories", "proteinContent", "fatContent", "servingSize", "kcal"]), json_values)
)
def test_a_spoilt_label_never_loses_the_recipe(facts: dict[str, object]):
    label = {**PAGE["nutrition"], **facts}
    assert read_recipe({**PAGE, "nutrition": label}).event.ingredients == read_recipe(PAGE).event.ingredients


def test_values_nested_without_end_do_not_exhaust_the_stack():
    deep: object = "Soup"
    for _ in range(5_000):
        deep = [deep]
    for field in ("title", "ingredients", "nutrients", "yields", "image", "@graph"):
        accepted_or_invalid({**PLAIN, field: deep})


def test_an_id_in_the_right_form_is_kept():
    assert recipe_id("lentil-soup", url="https://x.org/y", title="T", site=None) == "lentil-soup"
    assert recipe_id(439, url=None, title="T", site=None) == "439"


@pytest.mark.parametrize("explicit", [None, "x.org/soup_1", "Soup", True, "", "-soup", "s" * 129])
def test_without_one_the_id_is_words_of_the_address_and_a_hash(explicit: object):
    url = "https://www.x.org/best/crème-brûlée.html"
    assert re.fullmatch(r"creme-brulee-[0-9a-f]{8}", recipe_id(explicit, url=url, title="T", site=None))


def test_however_an_address_is_written_it_is_the_same_recipe():
    same = ("https://www.x.org/soup/", "http://x.org/soup", "https://X.org/soup?utm_source=mail#top")
    assert len({recipe_id(None, url=url, title="T", site="X") for url in same}) == 1


def test_different_recipes_have_different_ids():
    ids = [
        recipe_id(None, url="https://x.org/soup", title="Soup", site="X"),
        recipe_id(None, url="https://y.org/soup", title="Soup", site="X"),
        recipe_id(None, url="https://x.org/soup?id=2", title="Soup", site="X"),
        recipe_id(None, url="https://x.org/", title="Soup", site="X"),
        recipe_id(None, url="https://x.org/", title="Salad", site="X"),
        recipe_id(None, url=None, title="Soup", site="Y"),
        recipe_id("Soup 2", url=None, title="Soup", site="X"),
    ]
    assert len(set(ids)) == len(ids)


def test_a_title_without_a_latin_letter_has_a_hash_for_an_id():
    first, second = (recipe_id(None, url=None, title=title, site=None) for title in ("味噌汁", "煮物"))
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{16}", first)


@pytest.mark.parametrize(
    ("category", "meals"),
    [
        ("Breakfast", {"breakfast"}),
        ("Brunch,Dessert", {"breakfast", "snack"}),
        ("Pancakes", {"breakfast"}),
        ("Petit-déjeuner", {"breakfast"}),
        ("Frühstück", {"breakfast"}),
        ("Cookies & Bars", {"snack"}),
        ("Efterrätt", {"snack"}),
        ("Desserter, Kager", {"snack"}),
        ("Lunch", {"lunch", "dinner"}),
        ("Main Course,Salad", {"lunch", "dinner"}),
        ("hoofdgerecht", {"lunch", "dinner"}),
        ("Hauptgänge", {"lunch", "dinner"}),
        ("Carnes, aves, peixes", {"lunch", "dinner"}),
        ("Side Dishes", {"lunch"}),
        ("Beilage", {"lunch"}),
        ("Dressing & Sauces", set()),
        ("Dessert, Sauce", {"snack"}),
        ("Sidecar", {"snack"}),
    ],
)
def test_a_category_tells_the_meals(category: str, meals: set[Meal]):
    assert meals_for(dish("Thing", kcal=100, category=category)) == meals


def test_no_word_of_the_table_stands_for_two_kinds_of_meals():
    listed = [(" ".join(words(phrase)), meals) for meals, phrases in OCCASIONS for phrase in phrases.split(", ")]
    assert len({phrase for phrase, _ in listed}) == len(set(listed))


@pytest.mark.parametrize(
    ("title", "meals"),
    [
        ("Easy Taco Seasoning Recipe", set()),
        ("Mom's Homemade Strawberry Preserves", set()),
        ("Zucchini Relish Recipe for Canning", set()),
        ("Grilled Salmon with Blackberry Sauce", {"lunch", "dinner"}),
        ("Tender Beef Tips and Gravy", {"lunch", "dinner"}),
    ],
)
def test_a_condiment_is_no_meal_though_it_is_filed_as_a_main(title: str, meals: set[Meal]):
    assert meals_for(dish(title, category="Main Course")) == meals


def test_keywords_count_where_categories_say_nothing_and_then_the_title():
    assert meals_for(dish("Chicken", category="Festive", keywords=["granola"])) == {"breakfast"}
    assert meals_for(dish("Walnut brownies", category="Festive", keywords=["pesto"])) == {"snack"}


@pytest.mark.parametrize(("kcal", "meals"), [(250, {"lunch", "dinner"}), (249, {"snack"}), (None, {"lunch", "dinner"})])
def test_a_dish_of_unknown_kind_is_placed_by_its_energy(kcal: float | None, meals: set[Meal]):
    assert meals_for(dish("Thing", kcal=kcal)) == meals


def test_real_dishes_fill_every_meal():
    served = [meals_for(read.event) for _, read in real_recipes()]
    counts = {meal: sum(meal in meals for meals in served) for meal in ("breakfast", "lunch", "dinner", "snack")}
    assert counts == {"breakfast": 19, "lunch": 150, "dinner": 135, "snack": 120}
    assert sorted(read.event.title for _, read in real_recipes() if not meals_for(read.event))[:3] == [
        "Ahi Tuna Rub",
        "Cauliflower Alfredo Sauce",
        "Chinese Hot Pot Sauce",
    ]


@pytest.mark.parametrize(
    ("line", "word", "carried"),
    [
        ("2 tbsp peanut butter", "peanut", True),
        ("1 cup peanuts", "Peanut", True),
        ("1 peanut", "peanuts", True),
        ("200 g buckwheat flour", "wheat", False),
        ("1 eggplant", "egg", False),
        ("2 eggs", "egg", True),
        ("fresh berries", "berry", True),
        ("2 tomatoes", "tomato", True),
        ("bay leaves", "leaf", True),
        ("1 sea bass", "bas", False),
        ("GRUYÈRE, grated", "gruyere", True),
        ("pine nuts", "pine nut", True),
        ("1 nut of pine", "pine nut", False),
        ("gluten-free oats", "gluten free", True),
        ("10g peanut", "peanut", True),
        ("えび 200g", "えび", True),
        ("salt", "", False),
        ("salt", "-", False),
    ],
)
def test_a_word_is_found_whole_in_singular_or_plural(line: str, word: str, carried: bool):
    assert carries_word(dish("Thing", ingredients=[line]), word) is carried


def test_a_word_counts_in_the_title_and_in_a_food_as_well():
    recipe = dish("Shrimp rolls", ingredients=[{"line": "2 of them", "food": "eggs"}])
    assert carries_word(recipe, "shrimps")
    assert carries_word(recipe, "egg")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({"total_time": 90, "prep_time": 10, "cook_time": 20}, 90),
        ({"total_time": 0, "prep_time": 10, "cook_time": 20}, 30),
        ({"cook_time": 20}, 20),
        ({"prep_time": 5, "cook_time": 0}, 5),
        ({}, None),
    ],
)
def test_a_dish_takes_its_total_time_or_preparing_and_cooking(times: dict[str, Any], expected: int | None):
    assert minutes(dish(**times)) == expected
