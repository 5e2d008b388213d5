"""Which dishes a week may be made of, why the others are left out, and what each costs by itself."""

from datetime import date, timedelta

import pytest

from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.kitchen import IngredientsWeighed, Wanted
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import NutrientLimit, PlanRequested, PlanRules
from meal_assets.contracts.profile import GoalSet, PreferencesSet
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.values import Nutrients
from meal_assets.domain.candidates import (
    ANOTHER_CUISINE,
    FIBRE_WEIGHT,
    NO_NUTRITION,
    ONE_STAR_COST,
    PANTRY_COST,
    UNRATED_COST,
    Facts,
    Problem,
    liking,
    problem,
    served_on,
)
from meal_assets.domain.pantry import Lot
from meal_assets.domain.targets import Targets, targets

MONDAY = date(2026, 11, 23)
SERVING = Nutrients(kcal=500, protein_g=30, carbs_g=50, fat_g=18, fiber_g=8)


def recipe(name: str, *lines: str, serving: Nutrients | None = SERVING, **given: object) -> RecipeFetched:
    ingredients = tuple(Ingredient(line=line) for line in lines or (name,))
    told = {"categories": ("Dinner",), "language": "en", **given}
    title = name.replace("-", " ")
    return RecipeFetched(
        recipe=name, title=title, ingredients=ingredients, content_hash="ab" * 32, per_serving=serving, **told
    )


BEEF = recipe("beef-stew", "500 g beef", "300 g carrots", cuisines=("Irish",))
DAL = recipe("dal", "300 g red lentils", "400 ml coconut milk", cuisines=("North Indian",))
EGGS = recipe("baked-eggs", "4 eggs", "50 g butter")
BARE = recipe("tofu-bowl", "300 g tofu", serving=Nutrients(kcal=400, protein_g=25, carbs_g=40, fat_g=15))
UNKNOWN = recipe("soup", "1 l water", serving=None)
LIBRARY = (BEEF, DAL, EGGS, BARE, UNKNOWN)


def person(
    name: str, exclude: tuple[str, ...] = (), diets: tuple[str, ...] = (), fiber: float | None = None
) -> Targets:
    goal = GoalSet(person=name, kcal=2000, protein_g=130, carbs_g=210, fat_g=70, fiber_g=fiber)
    stands = targets([goal, PreferencesSet(person=name, exclude=exclude, diets=diets)], on=MONDAY)
    assert stands is not None
    return stands


def asked(rules: PlanRules | None = None, ada: Targets | None = None, **known: object) -> Problem:
    request = PlanRequested(week=MONDAY, persons=("ada",), rules=rules or PlanRules())
    given = {"targets": {"ada": ada or person("ada")}, "recipes": LIBRARY, **known}
    return problem(request, Facts(**given))


def names(found: Problem) -> set[str]:
    return {dish.recipe for dish in found.dishes}


def costs(found: Problem) -> dict[str, float]:
    return {dish.recipe: dish.cost for dish in found.dishes}


def test_all_with_nutrition_may_be_served_and_cost_nothing_where_nobody_said_anything() -> None:
    found = asked()
    assert names(found) == {"beef-stew", "dal", "baked-eggs", "tofu-bowl"}
    assert set(costs(found).values()) == {0.0}
    assert found.left_out == {NO_NUTRITION: 1}
    assert found.excluded == {"soup": NO_NUTRITION}


@pytest.mark.parametrize(
    ("rules", "ada", "kept", "why"),
    [
        (PlanRules(diets=("vegan",)), person("ada"), {"dal", "tofu-bowl"}, {"not vegan": 2}),
        (PlanRules(), person("ada", diets=("vegan",)), {"dal", "tofu-bowl"}, {"a diet that ada keeps": 2}),
        (PlanRules(diets=("vegan",)), person("ada", diets=("vegan",)), {"dal", "tofu-bowl"}, {"not vegan": 2}),
        (PlanRules(diets=("vegetarian",)), person("ada", exclude=("eggs",)), {"dal", "tofu-bowl"},
         {"not vegetarian": 1, "a word that ada excludes": 1}),
        (PlanRules(), person("ada", diets=("paleo",)), set(), {"a diet that ada keeps": 4}),
        (PlanRules(exclude=("dairy",)), person("ada"), {"beef-stew", "dal", "tofu-bowl"}, {"excluded word: dairy": 1}),
        (PlanRules(cuisines=("indian",)), person("ada"), {"dal"}, {ANOTHER_CUISINE: 3}),
        (PlanRules(cuisines=()), person("ada"), set(), {ANOTHER_CUISINE: 4}),
        (PlanRules(limits=(NutrientLimit(nutrient="fiber_g", least=25),)), person("ada"),
         {"beef-stew", "dal", "baked-eggs"}, {"fibre not known": 1}),
        (PlanRules(limits=(NutrientLimit(nutrient="fiber_g", least=25, weight=1),)), person("ada"),
         {"beef-stew", "dal", "baked-eggs", "tofu-bowl"}, {}),
    ],
)  # fmt: skip
def test_why_dishes_are_left_out(rules: PlanRules, ada: Targets, kept: set[str], why: dict[str, int]) -> None:
    found = asked(rules, ada)
    assert names(found) == kept
    assert found.left_out == {NO_NUTRITION: 1, **why}


def test_the_secret_of_a_person_is_in_no_reason() -> None:
    found = asked(ada=person("ada", exclude=("lentils",), diets=("gluten-free", "low-fodmap")))
    assert not any(secret in reason for reason in found.excluded.values() for secret in ("lentil", "gluten", "fodmap"))


def test_fibre_of_a_goal_is_wanted_softly_unless_the_request_speaks_of_fibre() -> None:
    wanted = NutrientLimit(nutrient="fiber_g", least=30, person="ada", weight=FIBRE_WEIGHT)
    assert asked(ada=person("ada", fiber=30)).rules.limits == (wanted,)
    own = PlanRules(limits=(NutrientLimit(nutrient="fiber_g", least=20),))
    assert asked(own, person("ada", fiber=30)).rules == own
    assert asked(ada=person("ada")).rules.limits == ()


def test_what_is_liked_less_costs_more_and_the_unrated_stand_between() -> None:
    by_stars = [liking([stars]) for stars in (5, 4, 3, 2, 1)]
    assert by_stars == sorted(by_stars)
    assert (by_stars[0], by_stars[-1]) == (0, ONE_STAR_COST)
    assert by_stars[1] < UNRATED_COST < by_stars[2]
    assert liking([]) == UNRATED_COST
    assert liking([5, 1]) == liking([3])


def test_the_stars_of_who_eats_count() -> None:
    rated = [
        RecipeRated(person="ada", recipe="dal", stars=5),
        RecipeRated(person="ada", recipe="beef-stew", stars=1),
        RecipeRated(person="ben", recipe="dal", stars=1),
    ]
    found = asked(ratings=rated)
    assert costs(found) == {
        "dal": 0, "beef-stew": ONE_STAR_COST, "baked-eggs": UNRATED_COST, "tofu-bowl": UNRATED_COST,
    }  # fmt: skip
    assert set(costs(asked(ratings=rated[2:])).values()) == {0.0}


def lot(item: str, grams: float = 500, expires: date | None = None, food: str | None = None, **given: object) -> Lot:
    return Lot(item, item, grams, "g", food, grams, expires, **given)


def test_dishes_made_of_what_is_at_home_come_first_and_before_all_of_what_goes_off() -> None:
    rules = PlanRules(use_pantry=True)
    assert set(costs(asked(rules)).values()) == {PANTRY_COST}
    lots = [lot("lentils"), lot("carrots", expires=MONDAY + timedelta(3)), lot("butter", expires=MONDAY)]
    found = costs(asked(rules, lots=lots))
    assert 0 <= found["baked-eggs"] < found["beef-stew"] < found["dal"] < found["tofu-bowl"] == PANTRY_COST
    assert set(costs(asked(PlanRules(), lots=lots)).values()) == {0.0}


@pytest.mark.parametrize(
    "lots",
    [[lot("lentils", expires=MONDAY - timedelta(1))], [lot("lentil soup")], []],
    ids=["gone off", "another food", "nothing"],
)
def test_what_is_gone_or_is_another_food_helps_no_dish(lots: list[Lot]) -> None:
    assert costs(asked(PlanRules(use_pantry=True), lots=lots))["dal"] == PANTRY_COST


def test_weighed_ingredients_count_by_their_grams_and_by_their_food() -> None:
    wanted = (Wanted(line=0, item="red lentils", food="172420", quantity=300, unit="g", grams=300),
              Wanted(line=1, item="coconut milk", food="170172", quantity=400, unit="ml", grams=400))  # fmt: skip
    weighed = IngredientsWeighed(
        recipe="dal", content_hash="ab" * 32, as_of=1, food_set="cd" * 32, wanted=wanted, foods=()
    )
    rules = PlanRules(use_pantry=True)

    def cost(grams: float) -> float:
        lots = [lot("masoor", grams, food="172420"), lot("milk of the coconut", food="170172")]
        return costs(asked(rules, lots=lots, weighed={"dal": weighed}))["dal"]

    assert cost(300) == cost(900) < cost(150) < PANTRY_COST
    stale = weighed.model_copy(update={"content_hash": "ef" * 32})
    assert costs(asked(rules, lots=[lot("masoor", food="172420")], weighed={"dal": stale}))["dal"] == PANTRY_COST


def test_days_on_which_a_dish_is_served_count_outside_of_the_week_and_within_the_cooldown() -> None:
    days = [MONDAY - timedelta(8), MONDAY - timedelta(7), MONDAY, MONDAY + timedelta(6), MONDAY + timedelta(13)]
    served = served_on([("dal", day) for day in [*days, MONDAY + timedelta(14)]], MONDAY, 7)
    assert served == {"dal": frozenset({MONDAY - timedelta(7), MONDAY + timedelta(13)})}
    found = asked(PlanRules(cooldown_days=7), served=served)
    assert {d.recipe: d.served for d in found.dishes}["dal"] == served["dal"]


TUESDAY = MONDAY + timedelta(1)


def planned(*meals: str) -> PlanGenerated:
    table = [
        {"day": str(TUESDAY), "meal": meal, "recipe": "dal", "title": "Dal", "portions": {"ada": 1.5, "ben": 2}}
        for meal in meals
    ]
    return PlanGenerated.model_validate(PlanGenerated.examples[0] | {"week": str(MONDAY), "meals": table, "days": []})


def logged(person_: str, meal: str, kcal: float) -> MealLogged:
    nutrition = {"kcal": kcal, "protein_g": 10, "carbs_g": 10, "fat_g": 10}
    told = {"person": person_, "day": str(TUESDAY), "meal": meal, "entry": meal, "nutrition": nutrition}
    return MealLogged.model_validate(MealLogged.examples[1] | told)


def test_a_week_asked_for_again_knows_what_was_planned_and_what_became_of_its_first_day() -> None:
    plan = planned("breakfast", "lunch", "dinner")
    both = {"ada": person("ada"), "ben": person("ben")}
    request = PlanRequested(week=MONDAY, persons=("ada", "ben"), keep=2, since=TUESDAY)
    diaries = {"ada": [logged("ada", "lunch", 700)], "ben": []}
    found = problem(request, Facts(both, LIBRARY, plan=plan, diaries=diaries))
    assert (found.under_way.keep, found.under_way.since, found.under_way.plan) == (2, TUESDAY, plan)
    assert found.under_way.done == {(TUESDAY, "breakfast"), (TUESDAY, "lunch")}
    assert found.under_way.eaten[TUESDAY, "ada"].kcal == 700
    assert found.under_way.eaten[TUESDAY, "ben"] == Nutrients.total([SERVING * 2] * 2)


def test_where_nobody_logged_anything_the_whole_day_is_still_to_come() -> None:
    request = PlanRequested(week=MONDAY, persons=("ada",), since=TUESDAY)
    found = problem(request, Facts({"ada": person("ada")}, LIBRARY, plan=planned("lunch"), diaries={"ada": []}))
    assert (found.under_way.done, found.under_way.eaten) == (frozenset(), {})
    fresh = PlanRequested(week=MONDAY, persons=("ada",))
    assert not problem(fresh, Facts({"ada": person("ada")}, LIBRARY)).under_way.recipes


def test_protein_and_cuisine_are_told_where_a_rule_asks() -> None:
    found = {d.recipe: d for d in asked(PlanRules(most_of_a_protein=3, most_of_a_cuisine=3)).dishes}
    assert {name: dish.protein for name, dish in found.items()} == {
        "beef-stew": "beef", "dal": "legumes", "baked-eggs": "eggs", "tofu-bowl": "tofu",
    }  # fmt: skip
    assert (found["dal"].cuisine, found["tofu-bowl"].cuisine) == ("indian", None)
