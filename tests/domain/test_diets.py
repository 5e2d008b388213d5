"""What dishes carry, and which diets they fit: words as cooks write them, and recipes as they were published."""

import gzip
import json

import pytest

from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.values import DIETS, Nutrients
from meal_assets.domain.diets import Look, allergens, cuisine_named, sources, unfit
from meal_assets.domain.diets.tables import phrases, protein_of_group, proteins, rules
from meal_assets.domain.recipes import carries_word, read_recipe
from meal_assets.starter import library
from tests.shared_data import shared_data


def recipe(*lines: str, title: str = "Dish", **given: object) -> RecipeFetched:
    ingredients = tuple(Ingredient(line=line) for line in lines or ("water",))
    return RecipeFetched(
        recipe="dish", title=title, ingredients=ingredients, content_hash="ab" * 32, **{"language": "en", **given}
    )


def holding(protein_g: float, carbs_g: float = 10, kcal: float = 400) -> Nutrients:
    return Nutrients(kcal=kcal, protein_g=protein_g, carbs_g=carbs_g, fat_g=10)


PLENTY = holding(45)


@pytest.mark.parametrize(
    ("diet", "line", "why"),
    [
        ("vegetarian", "200 g chicken breast", "chicken"),
        ("vegetarian", "1 l chicken broth", "chicken"),
        ("vegetarian", "2 tbsp fish sauce", "fish"),
        ("vegetarian", "6 sheets gelatine", "gelatine"),
        ("vegetarian", "2 tsp Worcestershire sauce", "worcestershire"),
        ("vegetarian", "3 vegetarian sausages", None),
        ("vegetarian", "100 g goat's cheese", None),
        ("vegetarian", "400 g kidney beans", None),
        ("vegetarian", "2 beefsteak tomatoes", None),
        ("vegan", "2 large eggs", "eggs"),
        ("vegan", "50 g butter", "butter"),
        ("vegan", "1 tbsp honey", "honey"),
        ("vegan", "3 tbsp mayonnaise", "mayonnaise"),
        ("vegan", "400 ml coconut milk", None),
        ("vegan", "2 tbsp peanut butter", None),
        ("vegan", "50 g vegan butter", None),
        ("vegan", "2 cups plant-based milk", None),
        ("vegan", "1 tsp cream of tartar", None),
        ("vegan", "1 eggplant", None),
        ("vegan", "2 flax eggs", None),
        ("vegan", "400 g butter beans", None),
        ("vegan", "1 butternut squash", None),
        ("vegan", "1 cup milk or almond milk", "milk"),
        ("gluten-free", "200 g wheat flour", "wheat"),
        ("gluten-free", "2 tbsp soy sauce", "soy sauce"),
        ("gluten-free", "100 g rolled oats", "oats"),
        ("gluten-free", "250 ml beer", "beer"),
        ("gluten-free", "100 g buckwheat", None),
        ("gluten-free", "100 g gluten-free rolled oats", None),
        ("gluten-free", "2 tbsp gluten-free soy sauce", None),
        ("gluten-free", "200 g penne (gluten-free)", None),
        ("gluten-free", "200 g penne (gluten-free if needed)", "penne"),
        ("gluten-free", "100 g rice flour and 50 g almond flour", None),
        ("gluten-free", "200 g rice noodles", None),
        ("gluten-free", "8 corn tortillas", None),
        ("gluten-free", "8 flour tortillas", "flour"),
        ("lactose-free", "200 ml milk", "milk"),
        ("lactose-free", "100 g ricotta", "ricotta"),
        ("lactose-free", "200 ml lactose-free milk", None),
        ("lactose-free", "30 g parmesan", None),
        ("lactose-free", "100 g cheddar cheese", None),
        ("lactose-free", "20 g butter", None),
        ("low-fodmap", "2 cloves garlic", "garlic"),
        ("low-fodmap", "1 apple", "apple"),
        ("low-fodmap", "2 shallots", "shallots"),
        ("low-fodmap", "400 g lentils", "lentils"),
        ("low-fodmap", "4 green onions", "onions"),
        ("low-fodmap", "200 g green beans", None),
        ("low-fodmap", "2 tbsp garlic-infused oil", None),
        ("low-fodmap", "1 tbsp apple cider vinegar", None),
        ("low-fodmap", "2 tbsp green onion tops", None),
        ("low-fodmap", "150 g buckwheat", None),
        ("low-fodmap", "1/2 honeydew melon", None),
        ("vertical", "1 tbsp canola oil", "canola"),
        ("vertical", "1 tbsp corn oil", "corn oil"),
        ("vertical", "200 g quinoa", "quinoa"),
        ("vertical", "200 g brown rice", "brown rice"),
        ("vertical", "200 g white rice", None),
        ("vertical", "40 g rice flour", None),
        ("vertical", "500 g ground beef", None),
        ("slow-carb", "200 g pasta", "pasta"),
        ("slow-carb", "4 slices of bread", "bread"),
        ("slow-carb", "400 g black beans", None),
        ("slow-carb", "200 g white rice", None),
        ("slow-carb", "300 g cauliflower rice", None),
        ("mediterranean", "6 slices bacon", "bacon"),
        ("mediterranean", "30 g butter", "butter"),
        ("mediterranean", "3 tbsp olive oil", None),
        ("mediterranean", "1 tsp baking soda", None),
    ],
)
def test_words_rule_out_and_words_that_only_look_like_them_do_not(diet: str, line: str, why: str | None) -> None:
    assert unfit(recipe(line), PLENTY, diet) == why


@pytest.mark.parametrize(
    ("diet", "serving", "fits"),
    [
        ("keto", holding(20, carbs_g=20), True),
        ("keto", holding(20, carbs_g=20.1), False),
        ("high-protein", holding(40), True),
        ("high-protein", holding(39.9), False),
        ("slow-carb", holding(30), True),
        ("slow-carb", holding(29.9), False),
        ("keto", None, False),
        ("high-protein", None, False),
    ],
)
def test_bounds_of_a_serving(diet: str, serving: Nutrients | None, fits: bool) -> None:
    assert (unfit(recipe("300 g tofu", categories=("Dinner",)), serving, diet) is None) is fits


def test_small_dishes_of_a_high_protein_diet_go_by_the_share_of_their_energy() -> None:
    skyr = recipe("200 g skyr", categories=("Snack",))
    assert unfit(skyr, holding(10, kcal=200), "high-protein") is None
    assert unfit(skyr, holding(9.9, kcal=200), "high-protein") == (
        "20 % of the energy from protein, at least 20 % are wanted"
    )


def test_the_words_of_a_title_count_for_meat_and_fish_and_not_for_what_only_has_that_shape() -> None:
    assert unfit(recipe("1 pie crust", title="Chicken pie"), None, "vegetarian") == "chicken"
    assert unfit(recipe("3 bananas", "200 g almonds", title="Banana bread"), None, "gluten-free") is None
    assert unfit(recipe("300 g tofu", title="Vegan butter chicken"), None, "vegan") is None


@pytest.mark.parametrize(
    ("given", "fits"),
    [
        ({"language": "de"}, False),
        ({"language": "en-GB"}, True),
        ({"language": None}, True),
        ({"language": None, "instructions": ("Den Reis in der Brühe kochen und dann mit Salz würzen.",)}, False),
        ({"language": None, "instructions": ("Boil the rice in the stock and season with salt.",)}, True),
    ],
)
def test_a_recipe_whose_words_are_not_understood_fits_no_diet_that_rules_out_foods(given: dict, fits: bool) -> None:
    assert (unfit(recipe("200 g Reis", **given), None, "vegan") is None) is fits
    assert unfit(recipe("200 g Reis", **given), holding(10), "keto") is None


def test_a_diet_nobody_knows_fits_no_dish() -> None:
    assert unfit(recipe(), PLENTY, "breatharian") == "breatharian is no known diet"


def test_every_diet_has_a_rule_with_a_source_and_every_group_it_names_has_words() -> None:
    groups = {group for entries in phrases().values() for p in entries for group, sign in p.says if sign == "is"}
    assert set(rules()) == set(DIETS) == set(sources())
    assert all(sources().values())
    named = {group for rule in rules().values() for group in rule.without}
    named |= {group for listed in allergens().values() for group in listed}
    assert named | set(protein_of_group()) <= groups
    assert set(protein_of_group().values()) == set(proteins())


@pytest.mark.parametrize(
    ("word", "line", "carried"),
    [
        ("nuts", "30 g almonds", "almonds"),
        ("dairy", "30 g parmesan", "parmesan"),
        ("Dairy", "400 ml coconut milk", None),
        ("milk", "400 ml coconut milk", "milk"),
        ("shellfish", "200 g shrimp", "shrimp"),
        ("fish", "200 g salmon", "salmon"),
        ("egg", "1 eggplant", None),
        ("eggs", "2 tbsp mayonnaise", "mayonnaise"),
        ("gluten", "200 g spaghetti", "spaghetti"),
        ("tree nuts", "50 g walnuts", "walnuts"),
        ("nuts", "100 g coconut", None),
        ("cilantro", "20 g cilantro", "cilantro"),
        ("coriander", "20 g cilantro", None),
    ],
)
def test_an_excluded_word_stands_for_all_foods_of_an_allergen_and_else_for_itself(
    word: str, line: str, carried: str | None
) -> None:
    assert Look(recipe(line)).carries(word) == carried


@pytest.mark.parametrize(
    "word", ["leaves", "leaf", "knife", "knives", "cherry", "cherries", "dish", "glass", "pea", "bay leaf"]
)
@pytest.mark.parametrize(
    "line", ["leaf", "bay leaves", "knives", "knife", "cherries", "dishes", "glasses", "peas", "peanut"]
)
def test_a_word_is_carried_in_singular_and_plural_as_anywhere_else(word: str, line: str) -> None:
    assert (Look(recipe(f"2 {line}")).carries(word) is not None) is carries_word(recipe(f"2 {line}"), word)


@pytest.mark.parametrize(
    ("title", "lines", "protein"),
    [
        ("Beef chili", ("500 g ground beef", "400 g kidney beans"), "beef"),
        ("Bean chili", ("1 l chicken stock", "400 g kidney beans"), "legumes"),
        ("Bacon-wrapped chicken", ("4 chicken breasts", "8 slices bacon"), "poultry"),
        ("Pad thai", ("160 g rice noodles", "1 tbsp fish sauce", "200 g firm tofu", "2 eggs"), "tofu"),
        ("Shakshuka", ("4 eggs", "400 g tomatoes"), "eggs"),
        ("Yogurt with berries", ("200 g Greek yogurt", "100 g berries"), "dairy"),
        ("Salmon with beans", ("2 fillets", "green beans"), "fish"),
        ("Mushroom soup", ("300 g mushrooms", "20 g butter", "1 l vegetable stock"), None),
    ],
)
def test_the_main_source_of_protein(title: str, lines: tuple[str, ...], protein: str | None) -> None:
    assert Look(recipe(*lines, title=title, per_serving=PLENTY)).protein == protein
    assert Look(recipe(*lines, title=title, per_serving=holding(3))).protein is None


@pytest.mark.parametrize(
    ("given", "cuisines"),
    [
        ({"cuisines": ("Italian-Inspired",)}, ("italian",)),
        ({"cuisines": ("Easy", "Tex-Mex")}, ("mexican", "easy")),
        ({"cuisines": ("Martian",), "keywords": ("quick", "thai food")}, ("thai", "martian")),
        ({"categories": ("Indian Dinner",)}, ("indian",)),
        ({"categories": ("Dinner",)}, ()),
    ],
)
def test_where_a_dish_is_from(given: dict, cuisines: tuple[str, ...]) -> None:
    assert Look(recipe(**given)).cuisines == cuisines
    assert cuisine_named("Maghrebi") == "moroccan"


def test_dishes_that_ship_with_the_product_are_told_apart_as_a_cook_would() -> None:
    with library().open(encoding="utf-8") as lines:
        recipes = {r.title: Look(r) for line in lines if (r := read_recipe(json.loads(line)).event)}
    assert recipes["Red lentil dal with basmati rice"].unfit("vegan") is None
    assert recipes["Mujaddara with yogurt"].unfit("vegan") == "greek yogurt"
    assert recipes["Buckwheat with mushrooms, egg and sauerkraut"].unfit("gluten-free") is None
    assert recipes["Soba noodle salad with tofu"].unfit("gluten-free") is not None
    assert recipes["Trout with almonds, green beans and potatoes"].unfit("low-fodmap") is None
    fitting = {diet: sum(look.unfit(diet) is None for look in recipes.values()) for diet in DIETS}
    assert fitting["vegan"] < fitting["vegetarian"] < len(recipes)
    assert all(count > 0 for count in fitting.values())


def test_no_published_recipe_that_fits_a_diet_says_otherwise_of_itself() -> None:
    with gzip.open(shared_data("recipes-real.jsonl.gz"), "rt", encoding="utf-8") as lines:
        looks = [Look(read_recipe(json.loads(line)).event) for line in lines]
    meaty = {"chicken", "chickens", "beef", "pork", "bacon", "salmon", "shrimp", "turkey", "carne", "poulet", "ham"}
    for look in looks:
        said = {*look.recipe.title.casefold().split(), *" ".join(look.recipe.keywords).casefold().split()}
        if look.unfit("vegetarian") is None:
            assert not said & meaty or said & {"vegan", "vegetarian", "meatless"}, look.recipe.title
        if look.unfit("vegan") is None:
            assert look.unfit("vegetarian") is None, look.recipe.title
    claimed = [look for look in looks if "vegan" in look.recipe.title.casefold().split() and look.is_understood]
    assert len(claimed) >= 5
    assert [look.recipe.title for look in claimed if look.unfit("vegan")] == []
