"""What must be bought: amounts are added where their units allow it, and nothing is lost or invented."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.recipe import Ingredient
from meal_assets.domain.shopping import Serving, servings_of, shopping_list, shown
from meal_assets.domain.units import AS_WRITTEN
from meal_assets.starter import library

GRAMS = {"g": 1, "kg": 1000, "mg": 0.001, "oz": 28.349523125, "lb": 453.59237}
MILLILITRES = {
    "ml": 1,
    "cl": 10,
    "dl": 100,
    "l": 1000,
    "tsp": 4.92892159375,
    "tbsp": 14.78676478125,
    "cup": 236.5882365,
}
PIECES = {"": 1, "piece": 1, "pieces": 1, "whole": 1}
OWN = {"clove": 1, "bunch": 1, "bag": 1, "t": 1}

quantities = st.floats(min_value=0, max_value=5_000, allow_nan=False)
units = st.sampled_from([*GRAMS, *MILLILITRES, *PIECES, *OWN])
foods = st.sampled_from(["carrots", "milk", "salt"])
ingredients = st.builds(
    lambda quantity, unit, food: Ingredient(line="as its author put it", quantity=quantity, unit=unit, food=food),
    quantities,
    units,
    foods,
)
servings = st.builds(
    Serving,
    st.sampled_from(["Soup", "Stew", "Pie"]),
    st.floats(min_value=0.25, max_value=20),
    st.floats(min_value=0.5, max_value=12),
    st.lists(ingredients, min_size=1, max_size=6).map(tuple),
)


def one(quantity: float | None, unit: str | None, food: str | None = "carrots") -> Ingredient:
    return Ingredient(line="the line as written", quantity=quantity, unit=unit, food=food)


def bought(*parts: Ingredient, servings: float = 1, makes: float = 1) -> list[tuple[str, float | None, str]]:
    return [(i.item, i.quantity, i.unit) for i in shopping_list([Serving("Soup", servings, makes, parts)])]


def kind_of(unit: str) -> tuple[str, float]:
    """The unit that stands on the list, and how much of it one of these is."""
    for name, sizes in (("g", GRAMS), ("ml", MILLILITRES), ("piece", PIECES)):
        if unit in sizes:
            return name, sizes[unit]
    return unit, 1


@given(st.lists(servings, max_size=5))
def test_the_list_is_the_sum_of_its_recipes(week: list[Serving]) -> None:
    wanted: defaultdict[tuple[str, str], float] = defaultdict(float)
    for serving in week:
        for i in serving.ingredients:
            assert i.food is not None
            assert i.quantity is not None
            name, size = kind_of(i.unit or "")
            wanted[i.food, name] += i.quantity * size * serving.servings / serving.makes
    got = {(i.item, i.unit): i.quantity for i in shopping_list(week)}
    assert got == pytest.approx(dict(wanted), rel=1e-9, abs=0.001)


@given(st.lists(servings, max_size=5))
def test_the_order_of_the_recipes_does_not_matter(week: list[Serving]) -> None:
    one_way, other_way = shopping_list(week), shopping_list(reversed(week))
    assert [(i.item, i.unit, i.meals) for i in one_way] == [(i.item, i.unit, i.meals) for i in other_way]
    assert [i.quantity for i in one_way] == pytest.approx([i.quantity for i in other_way], abs=0.002)


@given(st.lists(servings, min_size=1, max_size=5))
def test_every_line_names_the_dishes_it_is_for_and_no_others(week: list[Serving]) -> None:
    for item in shopping_list(week):
        dishes = {
            s.title for s in week for i in s.ingredients if (i.food, kind_of(i.unit or "")[0]) == (item.item, item.unit)
        }
        assert item.meals == tuple(sorted(dishes))


@given(servings, st.floats(min_value=1, max_value=8))
def test_more_servings_need_as_much_more(serving: Serving, factor: float) -> None:
    more = Serving(serving.title, serving.servings * factor, serving.makes, serving.ingredients)
    for less_of, more_of in zip(shopping_list([serving]), shopping_list([more]), strict=True):
        assert less_of.quantity is not None
        assert more_of.quantity == pytest.approx(less_of.quantity * factor, rel=1e-6, abs=0.005)


@given(st.lists(servings, max_size=5))
def test_no_item_stands_twice_in_the_same_unit(week: list[Serving]) -> None:
    keys = [(i.item, i.unit) for i in shopping_list(week)]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("a", "b", "together"),
    [
        ((500, "g"), (1.5, "kg"), [("carrots", 2000, "g")]),
        ((1, "tsp"), (1, "tbsp"), [("carrots", 19.716, "ml")]),
        ((1, "Tbsp."), (2, "TABLESPOONS"), [("carrots", 44.36, "ml")]),
        ((1, "EL"), (1, "TL"), [("carrots", 19.716, "ml")]),
        ((1, "fl. oz."), (2, "fluid  ounces"), [("carrots", 88.721, "ml")]),
        ((8, "oz"), (1, "lb"), [("carrots", 680.389, "g")]),
        ((100, "gr"), (100, "Grams"), [("carrots", 200, "g")]),
        ((2, ""), (1, "piece"), [("carrots", 3, "piece")]),
        ((2, None), (1, "whole"), [("carrots", 3, "piece")]),
        ((200, "g"), (2, ""), [("carrots", 200, "g"), ("carrots", 2, "piece")]),
        ((200, "g"), (1, "cup"), [("carrots", 200, "g"), ("carrots", 236.588, "ml")]),
        ((1, "bunch"), (2, "bunch"), [("carrots", 3, "bunch")]),
        ((1, "bag"), (1, "t"), [("carrots", 1, "bag"), ("carrots", 1, "t")]),
        ((1, "clove"), (10, "g"), [("carrots", 1, "clove"), ("carrots", 10, "g")]),
        ((None, None), (100, "g"), [("carrots", None, ""), ("carrots", 100, "g")]),
        ((None, "g"), (None, None), [("carrots", None, "")]),
    ],
)
def test_what_can_be_added_is_added_and_nothing_else(
    a: tuple[float | None, str | None], b: tuple[float | None, str | None], together: list[tuple[str, float, str]]
) -> None:
    assert bought(one(*a), one(*b)) == [(item, pytest.approx(quantity), unit) for item, quantity, unit in together]


@pytest.mark.parametrize("unit", ["9**9**9**9", "m**9**9", "((((", "g/ml", "10 g", "%", "kg·m", "__import__"])
def test_what_is_no_unit_of_a_kitchen_is_a_unit_of_its_own_and_never_computed(unit: str) -> None:
    assert bought(one(2, unit)) == [("carrots", 2, unit)]


def test_a_line_that_only_its_authors_words_describe_stands_as_written_so_many_times() -> None:
    assert bought(one(None, None, food=None), servings=3, makes=2) == [("the line as written", 1.5, AS_WRITTEN)]


def test_the_same_words_in_two_recipes_are_one_line() -> None:
    salt = (Ingredient(line="salt to taste"),)
    week = [Serving("Soup", 2, 4, salt), Serving("Stew", 1, 1, salt)]
    (item,) = shopping_list(week)
    assert (item.item, item.quantity, item.unit, item.meals) == ("salt to taste", 1.5, AS_WRITTEN, ("Soup", "Stew"))


def test_nothing_planned_is_nothing_to_buy() -> None:
    assert shopping_list([]) == []


def test_all_persons_eat_of_one_dish() -> None:
    assert servings_of({"ada": 1.5, "ben": 2}) == pytest.approx(3.5)


def test_every_food_of_the_starter_library_is_bought_in_one_unit() -> None:
    dishes = [json.loads(line) for line in library().read_text(encoding="utf-8").splitlines()]
    week = [
        Serving(d["title"], 1, 1, tuple(Ingredient.model_validate(i) for i in d["ingredients"] if i.get("quantity")))
        for d in dishes
    ]
    kinds: defaultdict[str, set[str]] = defaultdict(set)
    for item in shopping_list(week):
        kinds[item.item].add(item.unit)
    assert len(kinds) > 100
    assert {food: sorted(found) for food, found in kinds.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        (None, "", ""),
        (0.5, "g", "0.5 g"),
        (150, "g", "150 g"),
        (149.6, "g", "150 g"),
        (1000, "g", "1 kg"),
        (1234, "g", "1.23 kg"),
        (123_456, "g", "123 kg"),
        (1_234_567, "g", "1235 kg"),
        (250, "ml", "250 ml"),
        (1500, "ml", "1.5 l"),
        (1, "piece", "1 piece"),
        (0.5, "piece", "0.5 pieces"),
        (3, "piece", "3 pieces"),
        (2, "bunch", "2 bunch"),
        (2000, "bunch", "2000 bunch"),
        (2, AS_WRITTEN, "2 × as written"),
    ],
)
def test_an_amount_is_shown_as_people_write_it(quantity: float | None, unit: str, text: str) -> None:
    assert shown(quantity, unit) == text


@given(st.floats(min_value=0.01, max_value=1e8), st.sampled_from(["g", "ml", "piece", "clove"]))
def test_an_amount_is_never_shown_with_an_exponent_and_is_right_within_five_percent(quantity: float, unit: str) -> None:
    number, name = shown(quantity, unit).split()
    assert "e" not in number
    assert float(number) * (1000 if name in {"kg", "l"} else 1) == pytest.approx(quantity, rel=0.055)
