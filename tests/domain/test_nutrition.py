"""From ingredient lines to what a serving holds: amounts, weights, foods, rules, coverage."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.values import Nutrients
from meal_assets.domain.nutrition import (
    LEAST_COVERAGE,
    Computed,
    Food,
    FoodIndex,
    FoodSet,
    Measure,
    Part,
    Portion,
    Reading,
    believed,
    compute,
    food_key,
    from_json,
    read_apart,
    to_json,
)
from meal_assets.domain.nutrition.amounts import amount_of
from meal_assets.domain.nutrition.reading import is_heading
from meal_assets.domain.nutrition.rules import ABSORBED, DRAINED
from meal_assets.domain.nutrition.words import food_words, singular
from meal_assets.foods.starter import starter_file, starter_foods

INDEX = FoodIndex(starter_foods().foods)
MAX_STARTER_BYTES = 170_000


def line(name: str, *measures: tuple[float, str], **told: object) -> Reading:
    """`2 cups rice` as the parser would have read it."""
    amounts = tuple(Measure(low=n, high=n, unit=unit) for n, unit in measures)
    return Reading.model_validate({"line": name, "measures": amounts, "names": (name,), **told})


def one(reading: Reading, servings: float = 4) -> Part:
    (part,) = compute([reading], servings, INDEX).parts
    return part


def grams(name: str, *measures: tuple[float, str], **told: object) -> float:
    return round(one(line(name, *measures, **told)).grams, 1)


def meant(name: str) -> str | None:
    match = INDEX.find(name)
    return match.food.description if match else None


# ---- foods


@pytest.mark.parametrize(
    ("name", "food"),
    [
        ("garlic", "Garlic, raw"),
        ("unsalted butter", "Butter, without salt"),
        ("peanut butter", "Peanut butter, smooth style, with salt"),
        ("Freshly squeezed lemon juice", "Lemon juice, raw"),
        ("lemons", "Lemons, raw, without peel"),
        ("large eggs", "Egg, whole, raw, fresh"),
        ("egg whites", "Egg, white, raw, fresh"),
        ("chicken stock", "Soup, chicken broth, ready-to-serve"),
        ("chicken stock cubes", "Soup, chicken broth cubes, dry"),
        (
            "boneless, skinless chicken breasts",
            "Chicken, broiler or fryers, breast, skinless, boneless, meat only, raw",
        ),
        ("cooked rice", "Rice, white, long-grain, regular, enriched, cooked"),
        ("basmati rice", "Rice, white, long-grain, regular, raw, enriched"),
        ("fresh thyme leaves", "Thyme, fresh"),
        ("thyme", "Spices, thyme, dried"),
        ("sesame oil", "Oil, sesame, salad or cooking"),
        ("toasted sesame seeds", "Seeds, sesame seeds, whole, dried"),
        (
            "canned chickpeas",
            "Chickpeas (garbanzo beans, bengal gram), mature seeds, canned, drained, rinsed in tap water",
        ),
        ("dried chickpeas", "Chickpeas (garbanzo beans, bengal gram), mature seeds, raw"),
        ("coconut milk", "Nuts, coconut milk, canned (liquid expressed from grated meat and water)"),
    ],
)
def test_a_name_finds_the_food_that_is_meant(name: str, food: str) -> None:
    assert meant(name) == food


@pytest.mark.parametrize(
    ("british", "american"),
    [
        ("courgettes", "zucchini"),
        ("aubergine", "eggplant"),
        ("caster sugar", "granulated sugar"),
        ("icing sugar", "powdered sugar"),
        ("coriander leaves", "cilantro"),
        ("spring onions", "scallions"),
        ("plain flour", "all-purpose flour"),
        ("beef mince", "ground beef"),
        ("prawns", "shrimp"),
        ("double cream", "heavy cream"),
        ("bicarbonate of soda", "baking soda"),
        ("rocket", "arugula"),
        ("cornflour", "cornstarch"),
    ],
)
def test_both_sides_of_the_ocean_mean_the_same_food(british: str, american: str) -> None:
    assert meant(british) == meant(american) is not None


@pytest.mark.parametrize("name", ["unicorn", "umeboshi paste", "juniper berries", "dipping sauce", "love", "", "()"])
def test_what_is_not_known_is_not_guessed(name: str) -> None:
    assert INDEX.find(name) is None


def test_a_food_that_is_only_alike_gives_way_to_the_food_itself() -> None:
    assert meant("haddock") == "Fish, cod, Atlantic, raw"
    cod = next(f for f in starter_foods().foods if f.description == "Fish, cod, Atlantic, raw")
    haddock = replace(cod, food="1", description="Fish, haddock, raw", names=(), like=())
    match = FoodIndex((*starter_foods().foods, haddock)).find("haddock")
    assert match is not None
    assert match.food.description == "Fish, haddock, raw"


def test_a_match_tells_its_score_and_what_came_next() -> None:
    match = INDEX.find("garlic")
    assert match is not None
    assert match.by == "garlic"
    assert match.second is not None
    assert match.score > match.second_score > 0


def test_the_order_in_which_foods_are_known_does_not_matter() -> None:
    turned = FoodIndex(starter_foods().foods[::-1])
    for name in ("garlic", "bell pepper", "soft white bread", "firm fish", "cheese"):
        assert (a := INDEX.find(name)) is not None
        assert (b := turned.find(name)) is not None
        assert (a.food, a.score) == (b.food, b.score)


@pytest.mark.parametrize(
    ("many", "single"),
    [("tomatoes", "tomato"), ("berries", "berry"), ("leaves", "leaf"), ("olives", "olive"), ("radishes", "radish")]
    + [(word, word) for word in ("couscous", "asparagus", "molasses", "swiss", "egg")],
)
def test_words_have_one_form(many: str, single: str) -> None:
    assert singular(many) == single


def test_of_two_phrases_the_longer_is_meant() -> None:
    assert food_words("Coriander leaves") == ["cilantro"]
    assert food_words("ground coriander") == ["ground", "coriander"]


# ---- amounts and weights


def test_a_mass_beside_a_cup_is_the_amount() -> None:
    assert grams("all-purpose flour", (1, "cup"), (120, "g")) == 120


@pytest.mark.parametrize(
    ("name", "measure", "weight"),
    [
        ("all-purpose flour", (1, "cup"), 125),
        ("butter", (2, "tablespoons"), 28.4),
        ("butter", (1, "stick"), 113),
        ("garlic", (3, "cloves"), 9),
        ("onion", (2, ""), 220),
        ("eggs", (3, ""), 150),
        ("ground beef", (1, "lb"), 453.6),
        ("milk", (250, "ml"), 257.8),
        ("parsley", (2, "sprigs"), 2),
        ("olive oil", (1, "tbsp"), 13.5),
        ("salt", (1, "pinch"), 0.4),
    ],
)
def test_a_unit_weighs_what_the_food_says(name: str, measure: tuple[float, str], weight: float) -> None:
    assert grams(name, measure) == weight


def test_what_is_done_to_the_food_chooses_its_cup() -> None:
    assert grams("cheddar cheese", (1, "cup"), preparation="shredded") < grams(
        "cheddar cheese", (1, "cup"), preparation="diced"
    )


def test_a_size_chooses_the_piece() -> None:
    sizes = [grams("onion", (1, ""), size=size) for size in ("small", "medium", "large")]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


def test_cans_are_counted_and_weighed() -> None:
    can = Measure(low=2, high=2, unit="cans"), Measure(low=15, high=15, unit="ounces", each=True)
    assert grams("black beans", measures=can) == 850.5
    assert grams("black beans", (2, "15-ounce cans")) == 850.5


def test_what_is_drained_stays_behind() -> None:
    part = one(line("kidney beans", (1, "can"), (400, "g"), preparation="drained"))
    assert part.grams == pytest.approx(400 * DRAINED)
    assert "drained" in part.rule


def test_sums_are_added_and_what_is_taken_away_is_taken() -> None:
    more = Measure(low=1, high=1, unit="cup"), Measure(low=2, high=2, unit="tablespoons", join="+")
    less = Measure(low=1, high=1, unit="cup"), Measure(low=2, high=2, unit="tablespoons", join="-")
    amounts = [amount_of(Reading(line="", measures=m)) for m in (more, less)]
    assert [round(a.quantity) for a in amounts if a] == [266, 207]


def test_the_middle_of_a_range_counts() -> None:
    assert grams("garlic", measures=(Measure(low=3, high=5, unit="cloves"),)) == 12


def test_a_bath_of_oil_is_not_drunk() -> None:
    part = one(line("vegetable oil", (1, "quart"), purpose="for deep frying"))
    assert part.grams == pytest.approx(946.35 / 236.59 * 218 * ABSORBED, rel=0.01)
    assert one(line("vegetable oil", (2, "tbsp"), purpose="for frying")).grams == pytest.approx(27.3, abs=0.5)


def test_peel_and_bone_are_not_eaten() -> None:
    assert grams("bananas", (1, "kg")) == 640
    assert grams("bone-in chicken thighs", (1, "kg")) < 1000
    assert grams("boneless skinless chicken thighs", (1, "kg")) == 1000


@pytest.mark.parametrize("aside", ["for garnish", "to serve", "optional"])
def test_what_is_served_with_it_without_an_amount_is_left_aside(aside: str) -> None:
    part = one(line("rice", comment=aside))
    assert part.aside
    assert part.understood


def test_salt_to_taste_is_a_stated_amount_for_each_serving() -> None:
    assert grams("salt", comment="to taste") == 1.6
    assert one(line("salt", comment="to taste"), servings=1).grams == 0.4


def test_a_food_without_an_amount_is_not_understood_and_says_so() -> None:
    part = one(line("rice"))
    assert not part.understood
    assert part.rule == "says no amount"


def test_of_alternatives_the_first_counts_and_of_parts_all() -> None:
    reading = line("butter", (100, "g"), names=("butter", "margarine"))
    assert [p.name for p in compute([reading], 1, INDEX).parts] == ["butter"]
    both = reading.model_copy(update={"all_names": True})
    assert [(p.name, p.grams) for p in compute([both], 1, INDEX).parts] == [("butter", 50), ("margarine", 50)]


def test_juice_and_zest_of_a_fruit_are_not_the_fruit() -> None:
    juice, zest = (one(line("lemon", (1, ""), preparation=done)) for done in ("juice of", "zest of"))
    assert juice.match is not None
    assert zest.match is not None
    assert (juice.match.food.description, zest.match.food.description) == ("Lemon juice, raw", "Lemon peel, raw")


def test_food_that_is_cooked_before_it_is_measured_is_cooked_food() -> None:
    measured = (Measure(low=1, high=1, unit="cup", prepared=True),)
    cooked = one(line("rice", measures=measured, preparation="cooked"))
    later = one(line("rice", (1, "cup"), preparation="cooked"))
    assert cooked.match is not None
    assert later.match is not None
    assert "cooked" in cooked.match.food.description
    assert "raw" in later.match.food.description


@pytest.mark.parametrize("text", ["For the sauce:", "DRESSING:", "for the crust"])
def test_headings_are_no_ingredients(text: str) -> None:
    assert is_heading(text)
    assert one(Reading(line=text, names=(text,))).aside


@pytest.mark.parametrize("text", ["1 cup sugar:", "salt", "for frying: 2 cups oil"])
def test_lines_are_no_headings(text: str) -> None:
    assert not is_heading(text)


def test_tools_are_no_food() -> None:
    assert one(line("bamboo skewers", (10, ""))).aside


# ---- recipes


SOUP = [
    line("red lentils", (300, "g")),
    line("carrots", (500, "g"), names=("peeled carrots",)),
    line("olive oil", (2, "tbsp")),
    line("salt", comment="to taste"),
]


def test_a_serving_is_the_sum_over_the_servings() -> None:
    done = compute(SOUP, 4, INDEX)
    assert done.per_serving is not None
    assert done.coverage == 1
    assert done.per_serving.kcal == pytest.approx((300 * 3.58 + 500 * 0.41 + 27 * 8.84) / 4, rel=0.01)
    assert done.per_serving.fiber_g is not None


def test_what_is_not_understood_lowers_the_coverage_by_its_mass() -> None:
    done = compute([line("red lentils", (300, "g")), line("unicorn", (100, "g"))], 4, INDEX)
    assert done.coverage == pytest.approx(0.75)
    assert [p.rule for p in done.parts if not p.understood] == ["no food is near enough"]


def test_without_servings_there_is_no_serving_and_without_food_no_zero() -> None:
    assert compute(SOUP, None, INDEX).per_serving is None
    assert compute([line("unicorn", (1, "kg"))], 4, INDEX).per_serving is None
    assert compute([], 4, INDEX).per_serving is None


def test_a_nutrient_nobody_knows_of_much_of_the_dish_is_not_known() -> None:
    half = Nutrients(kcal=100, protein_g=1, carbs_g=2, fat_g=3)
    whole = half.model_copy(update={"sugar_g": 5.0})
    foods = FoodIndex([Food("1", "Apple", "x", half), Food("2", "Pear", "x", whole)])
    pears = compute([line("pear", (99, "g")), line("apple", (1, "g"))], 1, foods).per_serving
    mixed = compute([line("pear", (50, "g")), line("apple", (50, "g"))], 1, foods).per_serving
    assert pears is not None
    assert mixed is not None
    assert pears.sugar_g == pytest.approx(4.95)
    assert mixed.sugar_g is None


def test_a_correction_wins_and_nothing_is_no_food() -> None:
    sugar = next(f for f in starter_foods().foods if f.description == "Sugars, granulated")
    reading = line("Unicorn  dust", (100, "g"))
    corrected = compute([reading], 1, INDEX, {food_key("unicorn dust"): sugar})
    assert corrected.per_serving is not None
    assert corrected.per_serving.kcal == 387
    assert corrected.parts[0].corrected
    assert compute([reading], 1, INDEX, {food_key("unicorn dust"): None}).parts[0].aside


def test_lines_given_apart_need_no_parser() -> None:
    given = Ingredient(line="300 g red lentils, rinsed", quantity=300, unit="g", food="red lentils, rinsed")
    reading = read_apart(given)
    assert reading is not None
    assert (reading.names, reading.preparation, one(reading).grams) == (("red lentils",), "rinsed", 300)
    assert read_apart(Ingredient(line="salt")) is None


NAMES = st.sampled_from(["red lentils", "onion", "olive oil", "butter", "flour", "eggs", "salt", "unicorn"])
UNITS = st.sampled_from(["g", "kg", "cup", "tbsp", "tsp", "oz", "lb", "", "ml", "pinch"])
QUANTITIES = st.floats(0.25, 40).map(lambda q: round(q, 2))
LINES = st.builds(lambda name, n, unit: line(name, (n, unit)), NAMES, QUANTITIES, UNITS)


def told(done: Computed) -> tuple[float, ...]:
    return (*(done.total[n] or 0.0 for n in ("kcal", "protein_g", "carbs_g", "fat_g")), done.grams, done.coverage)


def times(reading: Reading, factor: float) -> Reading:
    more = [m.model_copy(update={"low": m.low * factor, "high": m.high * factor}) for m in reading.measures]
    return reading.model_copy(update={"measures": tuple(more)})


@given(st.lists(LINES, min_size=1, max_size=6), st.floats(0.5, 4))
def test_so_many_times_the_amounts_are_so_many_times_the_dish(readings: Sequence[Reading], factor: float) -> None:
    before, after = compute(readings, 4, INDEX), compute([times(r, factor) for r in readings], 4, INDEX)
    for one_part, more in zip(before.parts, after.parts, strict=True):
        assert more.understood == one_part.understood
        if one_part.understood:
            assert more.grams == pytest.approx(one_part.grams * factor)
    assert after.total["kcal"] == pytest.approx((before.total["kcal"] or 0.0) * factor)


@given(st.lists(LINES, min_size=1, max_size=6), st.randoms())
def test_the_order_of_the_lines_does_not_matter(readings: list[Reading], random: object) -> None:
    turned = list(readings)
    random.shuffle(turned)  # type: ignore[attr-defined]
    assert told(compute(turned, 4, INDEX)) == pytest.approx(told(compute(readings, 4, INDEX)))


@given(
    QUANTITIES,
    st.sampled_from([("g", "grams"), ("kg", "kilograms"), ("tbsp", "Tablespoons"), ("tsp", "tsp."), ("lb", "pounds")]),
)
def test_a_unit_by_another_name_weighs_the_same(quantity: float, units: tuple[str, str]) -> None:
    short, long = (one(line("butter", (quantity, unit))).grams for unit in units)
    assert short == long


# ---- what ships, and whose figures hold


def test_the_starter_foods_are_compact_complete_and_named_once() -> None:
    foods = starter_foods().foods
    assert starter_file().stat().st_size <= MAX_STARTER_BYTES
    assert len(foods) > 500
    names = [food_key(name) for f in foods for name in (*f.names, *f.like)]
    assert len({f.food for f in foods}) == len(foods)
    assert all(f.names or f.like for f in foods)
    assert len(names) > 2_000


def test_a_food_and_its_line_are_the_same() -> None:
    food = Food("1", "Pear", "Fruits", Nutrients(kcal=57, protein_g=0.4, carbs_g=15, fat_g=0.1), (Portion("cup", 140),))
    assert from_json(to_json(food)) == food
    for shipped in starter_foods().foods:
        assert from_json(to_json(shipped)) == shipped


def test_a_food_set_is_known_by_its_content_alone() -> None:
    foods = starter_foods().foods
    assert FoodSet.of(foods[::-1]) == FoodSet.of(foods)
    assert FoodSet.of(foods[1:]).sha256 != FoodSet.of(foods).sha256


RECIPE = RecipeFetched.model_validate({**RecipeFetched.examples[1], "per_serving": None})
COMPUTED = RecipeNutritionComputed.model_validate(RecipeNutritionComputed.examples[0])


def test_published_figures_come_before_computed_ones() -> None:
    published = RecipeFetched.model_validate(RecipeFetched.examples[1])
    assert believed(published, COMPUTED) == published.per_serving
    assert believed(RECIPE, COMPUTED) == COMPUTED.per_serving


def test_computed_figures_hold_for_their_content_and_with_enough_coverage() -> None:
    assert believed(RECIPE, None) is None
    assert believed(RECIPE, COMPUTED.model_copy(update={"content_hash": "0" * 64})) is None
    assert believed(RECIPE, COMPUTED.model_copy(update={"coverage": LEAST_COVERAGE - 0.01})) is None
    assert believed(RECIPE, COMPUTED.model_copy(update={"coverage": LEAST_COVERAGE})) == COMPUTED.per_serving
