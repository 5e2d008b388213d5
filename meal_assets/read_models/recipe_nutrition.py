"""What one serving of each recipe holds, and where the figures come from."""

from psycopg import sql

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.event_store.batch import Batch

from .base import ReadModel

NUTRIENTS = ("kcal", "protein_g", "carbs_g", "fat_g", "fiber_g", "sugar_g", "saturated_fat_g", "sodium_mg")


class RecipeNutrition(ReadModel):
    """Nutrition per serving: as published, or missing; a missing figure is NULL, never zero."""

    listens_to = (RecipeFetched,)
    tables = {
        "recipe_nutrition": """
            household text, recipe text, provenance text NOT NULL, kcal numeric, protein_g numeric, carbs_g numeric,
            fat_g numeric, fiber_g numeric, sugar_g numeric, saturated_fat_g numeric, sodium_mg numeric,
            position bigint NOT NULL, PRIMARY KEY (household, recipe)"""
    }
    made_of = dict.fromkeys(("provenance", *NUTRIENTS), ("RecipeFetched.per_serving",))
    shows = "SELECT recipe, provenance, kcal, protein_g, carbs_g, fat_g FROM recipe_nutrition ORDER BY position DESC"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO recipe_nutrition
                SELECT DISTINCT ON (household, recipe)
                       household, recipe, CASE WHEN per_serving IS NULL THEN 'missing' ELSE 'published' END,
                       (per_serving->>'kcal')::numeric, (per_serving->>'protein_g')::numeric,
                       (per_serving->>'carbs_g')::numeric, (per_serving->>'fat_g')::numeric,
                       (per_serving->>'fiber_g')::numeric, (per_serving->>'sugar_g')::numeric,
                       (per_serving->>'saturated_fat_g')::numeric, (per_serving->>'sodium_mg')::numeric, position
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE SET
                    provenance = excluded.provenance, kcal = excluded.kcal, protein_g = excluded.protein_g,
                    carbs_g = excluded.carbs_g, fat_g = excluded.fat_g, fiber_g = excluded.fiber_g,
                    sugar_g = excluded.sugar_g, saturated_fat_g = excluded.saturated_fat_g,
                    sodium_mg = excluded.sodium_mg, position = excluded.position
            """).format(batch.rows(RecipeFetched))
        )
