"""Recipes with what a serving holds, found by words."""

from dataclasses import dataclass
from typing import Any

from meal_assets.contracts.values import Nutrients
from meal_assets.event_store import Connection

HELD = tuple(Nutrients.model_fields)
SELECT = f"""
    SELECT c.recipe, c.title, c.servings::float8, c.minutes, c.categories, c.site, n.provenance, n.coverage::float8,
           {", ".join(f"n.{name}::float8" for name in HELD)}
    FROM read.recipe_catalogue c JOIN read.recipe_nutrition n USING (household, recipe) WHERE household = %s
"""  # noqa: S608 - SQL made of our own constants


@dataclass(frozen=True, slots=True)
class Found:
    """A recipe of the library; what a serving holds is None where it is not known."""

    recipe: str
    title: str
    servings: float | None
    minutes: int | None
    categories: list[str]
    site: str | None
    provenance: str
    coverage: float | None
    kcal: float | None
    protein_g: float | None
    carbs_g: float | None
    fat_g: float | None
    fiber_g: float | None
    sugar_g: float | None
    saturated_fat_g: float | None
    sodium_mg: float | None

    @property
    def nutrients(self) -> Nutrients:
        return Nutrients.model_validate({name: getattr(self, name) for name in HELD})


def search_recipes(
    db: Connection, household: str, text: str, *, limit: int, offset: int = 0, known: bool = False
) -> list[Found]:
    """Those whose title has every word, or whose category is one, by title; `known`: with nutrition only."""
    where, given = SELECT + (" AND n.kcal IS NOT NULL" if known else ""), [household]
    for word in text.split()[:8]:
        where += " AND (c.title ILIKE %s OR c.categories::text ILIKE %s)"
        given += [f"%{_plain(word)}%"] * 2
    rows = db.execute(f"{where} ORDER BY lower(c.title), recipe LIMIT %s OFFSET %s", (*given, limit, offset))
    return [Found(*row) for row in rows]


def one_recipe(db: Connection, household: str, recipe: str) -> Found | None:
    row: Any = db.execute(f"{SELECT} AND recipe = %s", (household, recipe)).fetchone()
    return None if row is None else Found(*row)


def _plain(word: str) -> str:
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
