"""The weight behind the weigh-ins: water moves the scale by half a kilogram from day to day, fat does not."""

from meal_assets.charts import lines, series_of
from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

HALF_LIFE_DAYS = 7
PICTURED_DAYS = 42


class WeightTrend(ReadModel):
    """Weigh-ins and their exponentially weighted mean; a weigh-in counts half of one that is a week younger."""

    listens_to = (WeightRecorded,)
    tables = {
        "weight_trend": """
            household text, person text, day date, weight_kg double precision NOT NULL,
            trend_kg double precision NOT NULL, PRIMARY KEY (household, person, day)"""
    }
    made_by = {"day": "(payload->>'day')::date <= %(day)s::date"}
    made_of = {"trend_kg": ("WeightRecorded.weight_kg",)}
    shows = "SELECT day, person, weight_kg, trend_kg FROM weight_trend ORDER BY day DESC, person"

    def fold(self, batch: Batch) -> None:
        import pandas as pd

        new = batch.frame(WeightRecorded)[["household", "person", "day", "weight_kg"]]
        persons = new[["household", "person"]].drop_duplicates()
        cursor = batch.db.execute(
            "SELECT household, person, day, weight_kg FROM weight_trend"
            " WHERE (household, person) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            (list(persons["household"]), list(persons["person"])),
        )
        old = pd.DataFrame(cursor.fetchall(), columns=new.columns)
        weights = (pd.concat([old, new]) if len(old) else new).drop_duplicates(
            ["household", "person", "day"], keep="last"
        )
        with batch.db.cursor() as write:
            for (household, person), own in weights.groupby(["household", "person"], sort=True):
                own = own.sort_values("day")
                times = pd.to_datetime(own["day"])
                trend = own["weight_kg"].ewm(halflife=f"{HALF_LIFE_DAYS} days", times=times).mean()  # type: ignore[arg-type]  # the stubs know numbers only
                write.executemany(
                    "INSERT INTO weight_trend VALUES (%s, %s, %s, %s, %s) ON CONFLICT (household, person, day)"
                    " DO UPDATE SET weight_kg = excluded.weight_kg, trend_kg = excluded.trend_kg",
                    [
                        (household, person, day, weight, value)
                        for day, weight, value in zip(
                            own["day"], own["weight_kg"].tolist(), trend.tolist(), strict=True
                        )
                    ],
                )

    @classmethod
    def picture(cls, db: Connection) -> str | None:
        rows = db.execute(
            "WITH newest AS (SELECT household, day FROM read.weight_trend ORDER BY day DESC, household LIMIT 1)"
            " SELECT person, w.day, weight_kg, trend_kg FROM read.weight_trend w JOIN newest USING (household)"
            " WHERE w.day > newest.day - %s ORDER BY person, w.day",
            (PICTURED_DAYS,),
        ).fetchall()
        weights = series_of([(person, day, weight) for person, day, weight, _ in rows])
        trend = series_of([(person, day, value) for person, day, _, value in rows])
        return lines("Weight", "kg", weights, beside=trend, what="trend") if rows else None


def newest_trend(db: Connection, household: str, person: str) -> float | None:
    """The smoothed weight in kg on the person's last weigh-in day; None before the first."""
    row = db.execute(
        "SELECT trend_kg FROM read.weight_trend WHERE household = %s AND person = %s ORDER BY day DESC LIMIT 1",
        (household, person),
    ).fetchone()
    return row[0] if row else None
