"""The week over 277 recipes as they were published."""

import gzip
import json
from itertools import product

import pytest

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.values import MEALS, Macros
from meal_assets.domain.plan import Dish, Eater, plan_week
from meal_assets.domain.recipes import meals_for, minutes, read_recipe
from tests.domain.test_plan import MONDAY, broken_rules
from tests.shared_data import shared_data

pytestmark = pytest.mark.slow


def eater(person: str, kcal: float, protein: float, carbs: float, fat: float) -> Eater:
    return Eater(person, Macros(kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat))


ADA = eater("ada", 2000, 130, 210, 70)
BEN = eater("ben", 2600, 150, 300, 88)
CLEO = eater("cleo", 1600, 110, 150, 60)


@pytest.fixture(scope="module")
def dishes() -> list[Dish]:
    with gzip.open(shared_data("recipes-real.jsonl.gz"), "rt", encoding="utf-8") as lines:
        recipes = [read_recipe(json.loads(line)).event for line in lines]
    return [
        Dish(r.recipe, r.title, meals, r.per_serving, minutes(r))
        for r in recipes
        if r.per_serving is not None and (meals := meals_for(r))
    ]


@pytest.mark.parametrize(
    ("eaters", "rules"),
    [
        ([ADA], PlanRules(meals=("breakfast", "lunch", "dinner"))),
        ([ADA], PlanRules()),
        ([ADA, BEN], PlanRules()),
        ([ADA, CLEO], PlanRules()),
        ([BEN, CLEO], PlanRules(max_minutes=30)),
    ],
    ids=["one person, three meals", "one person", "ada and ben", "ada and cleo", "ben and cleo, half an hour"],
)
def test_a_week_of_published_recipes_keeps_every_rule_within_five_percent_of_the_best(
    dishes: list[Dish], eaters: list[Eater], rules: PlanRules
) -> None:
    plan = plan_week(MONDAY, eaters, dishes, rules)
    assert isinstance(plan, PlanGenerated)
    assert broken_rules(plan, eaters, dishes, rules) == []
    assert plan.proof.gap <= 0.05


def test_a_target_no_recipe_reaches_is_refused_with_its_nutrient(dishes: list[Dish]) -> None:
    lean = eater("ada", 2000, 130, 325, 20)
    outcome = plan_week(MONDAY, [lean, BEN], dishes, PlanRules(portion_max=1, portion_min=1))
    assert isinstance(outcome, PlanRejected)
    named = {f"{nutrient} of {e}" for nutrient, e in product(("energy", "protein", "carbs", "fat"), ("ada", "ben"))}
    assert named & {c.rule for c in outcome.conflicts}


def test_every_meal_has_dishes(dishes: list[Dish]) -> None:
    assert all(sum(meal in d.meals for d in dishes) >= 4 for meal in MEALS)
