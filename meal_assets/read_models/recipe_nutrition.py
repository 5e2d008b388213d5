"""What one serving of each recipe holds, and where the figures come from."""

from psycopg import sql

from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved
from meal_assets.contracts.values import Nutrients
from meal_assets.event_store.batch import Batch

from .base import ReadModel

NUTRIENTS = tuple(Nutrients.model_fields)


class RecipeNutrition(ReadModel):
    """Nutrition per serving: as published, else computed from the ingredients, else missing: NULL, never zero.

    Of a recipe that was removed nothing is left but that it was.
    """

    version = 3
    listens_to = (RecipeFetched, RecipeRemoved, RecipeNutritionComputed)
    tables = {
        "recipe_nutrition": """
            household text, recipe text, provenance text NOT NULL DEFAULT 'missing', kcal numeric, protein_g numeric,
            carbs_g numeric, fat_g numeric, fiber_g numeric, sugar_g numeric, saturated_fat_g numeric,
            sodium_mg numeric, coverage numeric, sources jsonb, serving_g numeric, not_understood jsonb,
            content_hash text, published jsonb, computed jsonb, computed_from text, fetched_at bigint,
            removed_at bigint, position bigint NOT NULL,
            PRIMARY KEY (household, recipe)"""
    }
    made_of = dict.fromkeys(NUTRIENTS, ("RecipeFetched.per_serving",)) | {"content_hash": ()}
    shows = (
        "SELECT recipe, provenance, coverage, kcal, protein_g, carbs_g, fat_g FROM recipe_nutrition"
        " WHERE provenance <> 'removed' ORDER BY position DESC"
    )

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO recipe_nutrition AS n (household, recipe, published, content_hash, fetched_at, position)
                SELECT DISTINCT ON (household, recipe)
                       household, recipe, per_serving, content_hash, position, position
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE SET
                    published = excluded.published, content_hash = excluded.content_hash,
                    fetched_at = excluded.fetched_at,
                    position = greatest(n.position, excluded.position)
            """).format(batch.rows(RecipeFetched))
        )
        batch.db.execute(
            sql.SQL("""
                INSERT INTO recipe_nutrition AS n (household, recipe, computed, computed_from, coverage, sources,
                                                   serving_g, not_understood, position)
                SELECT DISTINCT ON (household, recipe)
                       household, recipe, per_serving, content_hash, coverage, coalesce(sources, '[]'), serving_g,
                       coalesce(not_understood, '[]'), position
                FROM {} AS told ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE SET
                    computed = excluded.computed, computed_from = excluded.computed_from,
                    coverage = excluded.coverage, sources = excluded.sources, serving_g = excluded.serving_g,
                    not_understood = excluded.not_understood, position = greatest(n.position, excluded.position)
            """).format(batch.rows(RecipeNutritionComputed))
        )
        batch.db.execute(
            sql.SQL("""
                INSERT INTO recipe_nutrition AS n (household, recipe, removed_at, position)
                SELECT household, recipe, max(position), max(position) FROM {} AS removed GROUP BY household, recipe
                ON CONFLICT (household, recipe) DO UPDATE SET
                    removed_at = excluded.removed_at, position = greatest(n.position, excluded.position)
            """).format(batch.rows(RecipeRemoved))
        )
        batch.db.execute(
            sql.SQL("""
                UPDATE recipe_nutrition AS n SET provenance = chosen.provenance, {figures}
                FROM (SELECT household, recipe,
                             CASE WHEN removed_at > coalesce(fetched_at, 0) THEN 'removed'
                                  WHEN published IS NOT NULL THEN 'published'
                                  WHEN computed_from = content_hash AND computed IS NOT NULL THEN 'computed'
                                  ELSE 'missing' END AS provenance,
                             CASE WHEN removed_at > coalesce(fetched_at, 0) THEN NULL
                                  ELSE coalesce(published, CASE WHEN computed_from = content_hash THEN computed END)
                             END AS holds
                      FROM recipe_nutrition WHERE position > %s) AS chosen
                WHERE (n.household, n.recipe) = (chosen.household, chosen.recipe)
            """).format(
                figures=sql.SQL(", ").join(
                    sql.SQL("{} = (holds->>{})::numeric").format(sql.Identifier(name), sql.Literal(name))
                    for name in NUTRIENTS
                )
            ),
            (batch.after,),
        )
