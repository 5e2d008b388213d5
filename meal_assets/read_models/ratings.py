"""How many stars each person gave a recipe last."""

from psycopg import sql

from meal_assets.contracts.rating import RecipeRated
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class Ratings(ReadModel):
    """The stars that count when a week is planned."""

    listens_to = (RecipeRated,)
    tables = {
        "ratings": """
            household text, person text, recipe text, stars bigint NOT NULL, position bigint NOT NULL,
            PRIMARY KEY (household, person, recipe)"""
    }
    shows = "SELECT recipe, person, stars FROM ratings ORDER BY stars DESC, recipe, person"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO ratings
                SELECT DISTINCT ON (household, person, recipe) household, person, recipe, stars, position
                FROM {} AS rated ORDER BY household, person, recipe, position DESC
                ON CONFLICT (household, person, recipe) DO UPDATE
                SET stars = excluded.stars, position = excluded.position
            """).format(batch.rows(RecipeRated))
        )


def ratings_in(db: Connection, household: str) -> list[tuple[str, str, int]]:
    """(recipe, person, stars), the best first."""
    return db.execute(
        "SELECT recipe, person, stars FROM read.ratings WHERE household = %s ORDER BY stars DESC, recipe, person",
        (household,),
    ).fetchall()
