"""What each person ate each day."""

from dataclasses import dataclass
from datetime import date, timedelta

from psycopg import sql

from meal_assets.charts import lines, series_of
from meal_assets.contracts.diary import MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

KNOWN = ("kcal", "protein_g", "carbs_g", "fat_g")
PICTURED_DAYS = 14
PERHAPS = ("fiber_g", "sugar_g", "saturated_fat_g", "sodium_mg")
COLUMNS = ("entries", *KNOWN, *PERHAPS, *(f"{n}_known" for n in PERHAPS))
# OFFSET 0: what is taken out of an event is taken out once, not for each sum.
FOLD = sql.SQL(f"""
    INSERT INTO daily_nutrition (household, person, day, {", ".join(COLUMNS)})
    SELECT household, person, day, sum(sign * counts),
           {", ".join(f"coalesce(sum(sign * (n->>'{n}')::numeric), 0)" for n in KNOWN + PERHAPS)},
           {", ".join(f"coalesce(sum(sign) FILTER (WHERE n ? '{n}'), 0)" for n in PERHAPS)} FROM (
        (SELECT household, person, day, nutrition AS n, 1 AS sign, 1 AS counts FROM {{logged}} AS l OFFSET 0)
        UNION ALL SELECT household, person, day, nutrition, 1, 0 FROM {{corrected}} AS c
        UNION ALL SELECT household, person, day, before, -1, 0 FROM {{corrected}} AS c
        UNION ALL SELECT household, person, day, before, -1, 1 FROM {{retracted}} AS r
    ) AS amounts GROUP BY household, person, day
    ON CONFLICT (household, person, day) DO UPDATE
    SET {", ".join(f"{c} = daily_nutrition.{c} + excluded.{c}" for c in COLUMNS)}
""")  # noqa: S608 - SQL made of our own constants
EMPTIED = sql.SQL("""
    DELETE FROM daily_nutrition AS n USING {retracted} AS r
    WHERE entries = 0 AND n.household = r.household AND n.person = r.person AND n.day = r.day
""")


class DailyNutrition(ReadModel):
    """Totals of a person's day. Where some entries did not know a nutrient, `…_known` counts those that did."""

    listens_to = (MealLogged, MealLogCorrected, MealLogRetracted)
    partitioned_by = "day"
    fresh_for = timedelta(days=2)  # people eat every day
    tables = {
        "daily_nutrition": "household text, person text, day date, entries bigint NOT NULL, "
        + ", ".join(f"{n} numeric NOT NULL" for n in KNOWN + PERHAPS)
        + ", "
        + ", ".join(f"{n}_known bigint NOT NULL" for n in PERHAPS)
        + ", PRIMARY KEY (household, person, day)"
    }
    made_of = dict.fromkeys(
        (*KNOWN, *PERHAPS, *(f"{n}_known" for n in PERHAPS)),
        ("MealLogged.nutrition", "MealLogCorrected.nutrition", "MealLogCorrected.before", "MealLogRetracted.before"),
    )
    shows = (
        "SELECT day, person, entries, kcal, protein_g, carbs_g, fat_g FROM daily_nutrition ORDER BY day DESC, person"
    )

    def fold(self, batch: Batch) -> None:
        """Sums only: a correction takes away what it replaces, so the order of events does not matter."""
        rows = {
            "logged": batch.rows(MealLogged),
            "corrected": batch.rows(MealLogCorrected),
            "retracted": batch.rows(MealLogRetracted),
        }
        batch.db.execute(FOLD.format(**rows))
        batch.db.execute(EMPTIED.format(**rows))

    @classmethod
    def picture(cls, db: Connection) -> str | None:
        rows = db.execute(
            "WITH newest AS (SELECT household, day FROM read.daily_nutrition ORDER BY day DESC, household LIMIT 1)"
            " SELECT person, d.day, kcal::float8 FROM read.daily_nutrition d JOIN newest USING (household)"
            " WHERE d.day > newest.day - %s ORDER BY person, d.day",
            (PICTURED_DAYS,),
        ).fetchall()
        return lines("Energy eaten", "kcal a day", series_of(rows)) if rows else None


@dataclass(frozen=True, slots=True)
class DayEaten:
    """What a person ate in a day: (kcal, protein g, carbohydrate g, fat g) over so many entries."""

    person: str
    day: date
    entries: int
    eaten: tuple[float, ...]


def days_eaten(db: Connection, household: str, first: date, last: date, person: str | None = None) -> list[DayEaten]:
    """Days from `first` to `last`, of one person or of everybody, by day and person."""
    rows = db.execute(
        "SELECT person, day, entries, kcal, protein_g, carbs_g, fat_g FROM read.daily_nutrition"
        " WHERE household = %s AND day BETWEEN %s AND %s AND person = coalesce(%s, person) ORDER BY day, person",
        (household, first, last, person),
    )
    return [DayEaten(person, day, entries, tuple(map(float, macros))) for person, day, entries, *macros in rows]
