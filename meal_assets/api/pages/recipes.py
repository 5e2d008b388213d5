"""Recipes: found by words; what a serving holds, where the figures come from, and mending what was not understood."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from meal_assets.commands.foods import correct_match
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.domain.nutrition import LEAST_COVERAGE
from meal_assets.event_store import Connection
from meal_assets.foods.known import foods_known
from meal_assets.read_models.recipe_catalogue import RecipeCatalogue
from meal_assets.read_models.recipe_nutrition import RecipeNutrition

from ..problems import Problem
from .library import one_recipe, search_recipes
from .showing import Panel, done, page
from .told import stream_of
from .visitor import Seen, Visitor, Written

router = APIRouter()
A_PAGE = 30
FOODS = 12
NOTHING = "nothing"
LABEL = (
    ("kcal", "Energy", "kcal"),
    ("fat_g", "Fat", "g"),
    ("saturated_fat_g", "of which saturated", "g"),
    ("carbs_g", "Carbs", "g"),
    ("sugar_g", "of which sugar", "g"),
    ("fiber_g", "Fibre", "g"),
    ("protein_g", "Protein", "g"),
    ("sodium_mg", "Sodium", "mg"),
)
"""As on a pack."""


def _found(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    query = visitor.request.query_params
    text, page_ = query.get("q", "").strip()[:100], query.get("page", "1")
    number = min(max(int(page_), 1), 10_000) if page_.isdecimal() else 1
    rows = search_recipes(db, visitor.household, text, limit=A_PAGE + 1, offset=(number - 1) * A_PAGE)
    return {"q": text, "found": rows[:A_PAGE], "number": number, "more": len(rows) > A_PAGE}


@router.get("/recipes")
def recipes(visitor: Seen) -> Response:
    return page(visitor, "recipes", "Recipes", [Panel("found", (RecipeCatalogue, RecipeNutrition), _found)])


def _recipe(visitor: Visitor, db: Connection) -> Mapping[str, Any]:
    """The recipe, what a serving holds, and of each line which food it was taken for."""
    name = visitor.request.path_params["recipe"]
    found = one_recipe(db, visitor.household, name)
    if found is None:
        raise Problem(404, "This recipe is not in the library, or not any more.")
    row = db.execute(
        "SELECT c.ingredients, c.instructions, c.source_url, n.sources, n.serving_g::float8"
        " FROM read.recipe_catalogue c JOIN read.recipe_nutrition n USING (household, recipe)"
        " WHERE (household, recipe) = (%s, %s)",
        (visitor.household, name),
    ).fetchone()
    assert row is not None
    told = [r.event for r in stream_of(visitor, db, f"nutrition/{name}")]
    computed = next((e for e in reversed(told) if isinstance(e, RecipeNutritionComputed)), None)
    wrong = {n.line: n.reason for n in computed.not_understood or ()} if computed else {}
    grams: dict[int, float] = {}
    for used in computed.foods or () if computed else ():
        grams[used.line] = grams.get(used.line, 0.0) + used.grams
    lines = [
        {"n": n, "text": i["line"], "food": i.get("food") or i["line"], "wrong": wrong.get(n), "grams": grams.get(n)}
        for n, i in enumerate(row[0])
    ]
    return {
        "recipe": found,
        "lines": lines,
        "instructions": row[1],
        "source_url": row[2] if str(row[2]).startswith(("http://", "https://")) else None,
        "sources": row[3] or [],
        "serving_g": row[4],
        "label": LABEL,
        "enough": LEAST_COVERAGE,
        **_foods(visitor),
    }


def _foods(visitor: Visitor) -> Mapping[str, Any]:
    """Which foods the words of somebody who mends a line could mean."""
    query = visitor.request.query_params
    text, words = query.get("mend", "")[:200], query.get("food", "").strip()[:100]
    found = []
    if text and words:
        store = visitor.shared.store
        found = foods_known(store, visitor.household, store.head()).index.search(words, FOODS)
    return {"mend": text, "words": words, "foods": found}


@router.get("/recipes/{recipe}")
def recipe(visitor: Seen) -> Response:
    return page(visitor, "recipe", "Recipe", [Panel("dish", (RecipeCatalogue, RecipeNutrition), _recipe)])


@router.post("/recipes/{recipe}/mend")
def mend(visitor: Seen, form: Written) -> Response:
    """Say which food recipes mean by a text; all that use it are computed again."""
    food = None if form["food"] == NOTHING else form["food"]
    receipt = visitor.accept(lambda store, origin: correct_match(store, form["text"], food, origin), form)
    return done(receipt, f"/app/recipes/{visitor.request.path_params['recipe']}")
