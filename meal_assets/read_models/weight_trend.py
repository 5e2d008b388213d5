"""The weight behind the weigh-ins: water moves the scale by half a kilogram from day to day, fat does not."""

from collections.abc import Iterator, Mapping
from datetime import date

from psycopg import sql

from meal_assets.charts import lines, series_of
from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

HALF_LIFE_DAYS = 7
PICTURED_DAYS = 42


class WeightTrend(ReadModel):
    """Weigh-ins and their exponentially weighted mean; a weigh-in counts half of one that is a week younger."""

    version = 2
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
        """Each person's history is smoothed from its start; written is what comes with or after a new weigh-in."""
        new: dict[tuple[str, str], dict[date, float]] = {}
        weighed = sql.SQL("SELECT household, person, day, weight_kg::float8 FROM {} AS w ORDER BY position")
        for household, person, day, weight in batch.db.execute(weighed.format(batch.rows(WeightRecorded))):
            new.setdefault((household, person), {})[day] = weight
        old: dict[tuple[str, str], dict[date, float]] = {key: {} for key in new}
        known = batch.db.execute(
            "SELECT household, person, day, weight_kg FROM weight_trend"
            " WHERE (household, person) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            ([household for household, _ in new], [person for _, person in new]),
        )
        for household, person, day, weight in known:
            old[household, person][day] = weight
        with batch.db.cursor() as write:
            for key, weights in new.items():
                write.executemany(
                    "INSERT INTO weight_trend VALUES (%s, %s, %s, %s, %s) ON CONFLICT (household, person, day)"
                    " DO UPDATE SET weight_kg = excluded.weight_kg, trend_kg = excluded.trend_kg",
                    [
                        (*key, day, weight, trend)
                        for day, weight, trend in smoothed(old[key] | weights)
                        if day >= min(weights)
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
        return lines("Weight", "kg", weights, beside={"trend": trend}) if rows else None


def smoothed(weights: Mapping[date, float]) -> Iterator[tuple[date, float, float]]:
    """(day, weight, trend) by day: the trend is the mean of all weights so far, each by its age's half-lives."""
    trend = share = 0.0
    before: date | None = None
    for day, weight in sorted(weights.items()):
        faded = 0.5 ** ((day - before).days / HALF_LIFE_DAYS) if before else 0.0
        share, before = share * faded + 1, day
        trend += (weight - trend) / share  # what never changes stays exactly what it is
        yield day, weight, trend


def newest_trend(db: Connection, household: str, person: str, until: date | None = None) -> float | None:
    """The smoothed weight in kg on the person's last weigh-in day, up to a day if one is given; None before any."""
    row = db.execute(
        "SELECT trend_kg FROM read.weight_trend WHERE household = %s AND person = %s AND day <= coalesce(%s, day)"
        " ORDER BY day DESC LIMIT 1",
        (household, person, until),
    ).fetchone()
    return row[0] if row else None


def weights_of(db: Connection, household: str, person: str, first: date, last: date) -> list[tuple[date, float, float]]:
    """(day, weight, trend) in kg, of a person's weigh-ins from `first` to `last`."""
    rows = db.execute(
        "SELECT day, weight_kg, trend_kg FROM read.weight_trend WHERE (household, person) = (%s, %s)"
        " AND day BETWEEN %s AND %s ORDER BY day",
        (household, person, first, last),
    )
    return [(day, weight, trend) for day, weight, trend in rows]
