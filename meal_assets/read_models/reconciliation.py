"""Each closed day against its targets, with what was said about it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from meal_assets.charts import lines, series_of
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, DeviationAlerted
from meal_assets.contracts.values import Macros
from meal_assets.domain.reconciliation import on_target, streak
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel

PICTURED_DAYS = 14
STREAK_DAYS = 365
"""A longer row of days on target is called as long as this."""
NO_COLUMNS = {"person", "day", "made_of", "goals_version"}
"""What of a result is the key, or stands in the event for whoever asks where it comes from."""


class Reconciliation(ReadModel):
    """The control loop's view of a person's day: eaten, target, deviation, alerts, suggestions."""

    listens_to = (DayReconciled, DeviationAlerted, AdjustmentSuggested)
    partitioned_by = "day"
    tables = {
        "reconciliation": """
            household text, person text, day date, eaten jsonb, target jsonb, average jsonb, days bigint,
            deviation jsonb, within_tolerance boolean, kcal_within_tolerance boolean, tolerance_pct numeric,
            trend jsonb, alerts jsonb NOT NULL DEFAULT '{}', suggestions jsonb NOT NULL DEFAULT '[]',
            position bigint NOT NULL, PRIMARY KEY (household, person, day)"""
    }
    made_of = {"alerts": ("DeviationAlerted.nutrient", "DeviationAlerted.level")}
    shows = (
        "SELECT day, person, within_tolerance, deviation, alerts, suggestions->0->>'title' AS suggestion"
        " FROM reconciliation ORDER BY day DESC, person"
    )

    def apply(self, db: Connection, recorded: Recorded) -> None:
        match recorded.event:
            case DayReconciled() as said:
                columns = {
                    name: Jsonb(value) if isinstance(value, dict) else value
                    for name, value in said.model_dump(mode="json", exclude=NO_COLUMNS).items()
                }
                if said.within_tolerance:
                    columns["suggestions"] = Jsonb([])
            case DeviationAlerted() as said:
                alerts = db.execute(
                    "SELECT alerts FROM reconciliation WHERE household = %s AND person = %s AND day = %s",
                    (recorded.household, said.person, said.day),
                ).fetchone()
                old = dict(alerts[0]) if alerts else {}
                columns = {"alerts": Jsonb({**old, said.nutrient: said.level})}
            case AdjustmentSuggested() as said:
                columns = {"suggestions": Jsonb([s.model_dump(mode="json") for s in said.suggestions])}
            case _:
                return
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        db.execute(
            sql.SQL("""
                INSERT INTO reconciliation (household, person, day, position, {names}) VALUES (%s, %s, %s, %s, {values})
                ON CONFLICT (household, person, day) DO UPDATE SET position = excluded.position, {sets}
            """).format(
                names=names,
                values=sql.SQL(", ").join(sql.Placeholder() * len(columns)),
                sets=sql.SQL(", ").join(sql.SQL("{c} = excluded.{c}").format(c=sql.Identifier(c)) for c in columns),
            ),
            (recorded.household, said.person, said.day, recorded.position, *columns.values()),
        )

    @classmethod
    def picture(cls, db: Connection) -> str | None:
        rows = db.execute(
            "WITH newest AS (SELECT household FROM read.reconciliation ORDER BY position DESC LIMIT 1),"
            " days AS (SELECT person, day, (eaten->>'kcal')::float8 AS eaten, (target->>'kcal')::float8 AS target"
            "          FROM read.reconciliation JOIN newest USING (household) WHERE eaten IS NOT NULL)"
            " SELECT person, day, eaten, target FROM days WHERE day > (SELECT max(day) FROM days) - %s"
            " ORDER BY person, day",
            (PICTURED_DAYS,),
        ).fetchall()
        eaten = series_of([(person, day, kcal) for person, day, kcal, _ in rows])
        target = series_of([(person, day, kcal) for person, day, _, kcal in rows])
        return lines("Energy against target", "kcal a day", eaten, beside={"target": target}) if rows else None


@dataclass(frozen=True, slots=True)
class ReconciledDay:
    """A closed day: deviations in percent by nutrient, alert levels by nutrient, suggestions best first."""

    person: str
    day: date
    eaten: dict[str, float]
    target: dict[str, float]
    deviation: dict[str, float]
    within_tolerance: bool
    tolerance_pct: float
    days: int
    alerts: dict[str, str]
    suggestions: list[dict[str, Any]]

    @property
    def on_target(self) -> bool:
        """Whether the day by itself, energy included, was within the tolerance."""
        return on_target(Macros(**self.eaten), Macros(**self.target), self.tolerance_pct)


def reconciled_days(db: Connection, household: str, first: date, last: date) -> list[ReconciledDay]:
    """Closed days from `first` to `last`, by day and person."""
    rows = db.execute(
        "SELECT person, day, eaten, target, deviation, within_tolerance, tolerance_pct::float8, days, alerts,"
        " suggestions"
        " FROM read.reconciliation WHERE household = %s AND day BETWEEN %s AND %s AND eaten IS NOT NULL"
        " ORDER BY day, person",
        (household, first, last),
    )
    return [ReconciledDay(*row) for row in rows]


def streaks(db: Connection, household: str, last: date) -> dict[str, int]:
    """Person -> how many days in a row were on target up to a day, or up to the one before where it is not over."""
    met: dict[str, dict[date, bool]] = {}
    for day in reconciled_days(db, household, last - timedelta(days=STREAK_DAYS), last):
        met.setdefault(day.person, {})[day.day] = day.on_target
    return {person: streak(days, max(days)) for person, days in met.items() if max(days) >= last - timedelta(days=1)}
