"""Every entry of every diary, as it stands after corrections."""

from dataclasses import dataclass
from datetime import date

from psycopg import sql

from meal_assets.contracts.diary import DiaryDayObserved, MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel


class FoodLog(ReadModel):
    """What was eaten, entry by entry; of a diary elsewhere meal by meal, as it was told last.

    An entry id is never used again after it was retracted.
    """

    version = 2
    listens_to = (MealLogged, MealLogCorrected, MealLogRetracted, DiaryDayObserved)
    tables = {
        "food_log": """
            household text, person text, day date, entry text, meal text NOT NULL, food text NOT NULL, recipe text,
            servings numeric, grams numeric, kcal numeric NOT NULL, protein_g numeric NOT NULL,
            carbs_g numeric NOT NULL, fat_g numeric NOT NULL, nutrition jsonb NOT NULL, source text NOT NULL,
            position bigint NOT NULL, PRIMARY KEY (household, person, day, entry, source)"""
    }
    made_by = {
        "entry": "coalesce(payload->>'entry', %(entry)s) = %(entry)s",
        "source": "coalesce(payload->>'source', %(source)s) = %(source)s",
    }
    made_of = dict.fromkeys(
        ("kcal", "protein_g", "carbs_g", "fat_g", "nutrition"),
        ("MealLogged.nutrition", "MealLogCorrected.nutrition", "DiaryDayObserved.meals"),
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
                  AND log.source <> 'fatsecret'
            """).format(batch.rows(MealLogCorrected))
        )
        batch.db.execute(
            sql.SQL("""
                DELETE FROM food_log AS log USING {} AS r
                WHERE (log.household, log.person, log.day, log.entry) = (r.household, r.person, r.day, r.entry)
                  AND log.source <> 'fatsecret'
            """).format(batch.rows(MealLogRetracted))
        )
        observed = batch.rows(DiaryDayObserved)
        batch.db.execute(
            sql.SQL("""
                DELETE FROM food_log AS log USING {} AS o WHERE log.source = 'fatsecret'
                  AND (log.household, log.person, log.day) = (o.household, o.person, o.day)
            """).format(observed)
        )
        batch.db.execute(
            sql.SQL("""
                INSERT INTO food_log
                SELECT household, person, day, told->>'meal', told->>'meal', 'told to FatSecret', NULL, NULL, NULL,
                       (n->>'kcal')::numeric, (n->>'protein_g')::numeric, (n->>'carbs_g')::numeric,
                       (n->>'fat_g')::numeric, n, source, position
                FROM (SELECT DISTINCT ON (household, person, day) * FROM {} AS observed
                      ORDER BY household, person, day, position DESC) AS o
                CROSS JOIN LATERAL jsonb_array_elements(meals) AS told
                CROSS JOIN LATERAL (SELECT told->'nutrition') AS totals (n)
            """).format(observed)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What was eaten at a meal; `food` as the log keeps it. Of the amounts, servings or grams may be known."""

    day: date
    entry: str
    meal: str
    food: str
    recipe: str | None
    servings: float | None
    grams: float | None
    nutrition: dict[str, float | None]
    source: str


SELECT = "SELECT day, entry, meal, food, recipe, servings::float8, grams::float8, nutrition, source FROM read.food_log"


def entries_of(db: Connection, household: str, person: str, day: date) -> list[Entry]:
    """A person's day, in the order it was logged."""
    rows = db.execute(
        f"{SELECT} WHERE (household, person, day) = (%s, %s, %s) ORDER BY position, entry", (household, person, day)
    )
    return [Entry(*row) for row in rows]


def entry_of(db: Connection, household: str, person: str, day: date, entry: str) -> Entry | None:
    """One of them, by its id."""
    row = db.execute(
        f"{SELECT} WHERE (household, person, day, entry) = (%s, %s, %s, %s)", (household, person, day, entry)
    ).fetchone()
    return None if row is None else Entry(*row)


def lately_eaten(db: Connection, household: str, person: str, limit: int) -> list[Entry]:
    """The person's newest entries, the newest first."""
    rows = db.execute(
        f"{SELECT} WHERE (household, person) = (%s, %s) ORDER BY day DESC, position DESC LIMIT %s",
        (household, person, limit),
    )
    return [Entry(*row) for row in rows]
