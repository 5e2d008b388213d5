"""Every entry of every diary, as it stands after corrections."""

from psycopg import sql

from meal_assets.contracts.diary import MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class FoodLog(ReadModel):
    """What was eaten, entry by entry. An entry id is never used again after it was retracted."""

    listens_to = (MealLogged, MealLogCorrected, MealLogRetracted)
    tables = {
        "food_log": """
            household text, person text, day date, entry text, meal text NOT NULL, food text NOT NULL, recipe text,
            servings numeric, grams numeric, kcal numeric NOT NULL, protein_g numeric NOT NULL,
            carbs_g numeric NOT NULL, fat_g numeric NOT NULL, nutrition jsonb NOT NULL, source text NOT NULL,
            position bigint NOT NULL, PRIMARY KEY (household, person, day, entry)"""
    }
    made_of = dict.fromkeys(
        ("kcal", "protein_g", "carbs_g", "fat_g"), ("MealLogged.nutrition", "MealLogCorrected.nutrition")
    )
    shows = "SELECT day, person, meal, food, kcal, protein_g, carbs_g, fat_g FROM food_log ORDER BY position DESC"

    def fold(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO food_log
                SELECT household, person, day, entry, meal, food, recipe, servings, grams,
                       (nutrition->>'kcal')::numeric, (nutrition->>'protein_g')::numeric,
                       (nutrition->>'carbs_g')::numeric, (nutrition->>'fat_g')::numeric, nutrition, source, position
                FROM {} AS logged
            """).format(batch.rows(MealLogged))
        )
        batch.db.execute(
            sql.SQL("""
                UPDATE food_log AS log SET
                    kcal = (c.nutrition->>'kcal')::numeric, protein_g = (c.nutrition->>'protein_g')::numeric,
                    carbs_g = (c.nutrition->>'carbs_g')::numeric, fat_g = (c.nutrition->>'fat_g')::numeric,
                    nutrition = c.nutrition, position = c.position
                FROM (SELECT DISTINCT ON (household, person, day, entry) * FROM {} AS corrected
                      ORDER BY household, person, day, entry, position DESC) AS c
                WHERE (log.household, log.person, log.day, log.entry) = (c.household, c.person, c.day, c.entry)
            """).format(batch.rows(MealLogCorrected))
        )
        batch.db.execute(
            sql.SQL("""
                DELETE FROM food_log AS log USING {} AS r
                WHERE (log.household, log.person, log.day, log.entry) = (r.household, r.person, r.day, r.entry)
            """).format(batch.rows(MealLogRetracted))
        )
