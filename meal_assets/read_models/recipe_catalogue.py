"""The library as people browse it."""

from psycopg import sql

from meal_assets.contracts.recipe import RecipeFetched, RecipeRemoved
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class RecipeCatalogue(ReadModel):
    """Every recipe as it was last fetched, until it is removed."""

    version = 2
    listens_to = (RecipeFetched, RecipeRemoved)
    tables = {
        "recipe_catalogue": """
            household text, recipe text, title text NOT NULL, servings numeric, minutes bigint,
            categories jsonb NOT NULL, cuisines jsonb NOT NULL, ingredients jsonb NOT NULL, instructions jsonb NOT NULL,
            source_url text, site text, position bigint NOT NULL, PRIMARY KEY (household, recipe)"""
    }
    made_of = {"minutes": ("RecipeFetched.total_minutes", "RecipeFetched.prep_minutes", "RecipeFetched.cook_minutes")}
    shows = "SELECT recipe, title, servings, minutes, site FROM recipe_catalogue ORDER BY position DESC"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO recipe_catalogue
                SELECT DISTINCT ON (household, recipe)
                       household, recipe, title, servings, coalesce(total_minutes, prep_minutes + cook_minutes),
                       categories, cuisines, ingredients, instructions, source_url, site, position
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE SET
                    title = excluded.title, servings = excluded.servings, minutes = excluded.minutes,
                    categories = excluded.categories, cuisines = excluded.cuisines,
                    ingredients = excluded.ingredients, instructions = excluded.instructions,
                    source_url = excluded.source_url, site = excluded.site, position = excluded.position
            """).format(batch.rows(RecipeFetched))
        )
        batch.db.execute(
            sql.SQL("""
                DELETE FROM recipe_catalogue AS c USING {} AS removed
                WHERE (c.household, c.recipe) = (removed.household, removed.recipe) AND removed.position > c.position
            """).format(batch.rows(RecipeRemoved))
        )
