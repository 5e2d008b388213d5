"""What each person spends in a day, with the interval that it lies in, and the goal that would fit."""

from dataclasses import dataclass
from datetime import date

from psycopg.types.json import Jsonb

from meal_assets.charts import lines, series_of
from meal_assets.contracts.expenditure import EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.contracts.values import MACROS
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel

PICTURED_DAYS = 84


class EnergyBalance(ReadModel):
    """Weight behind the scale's figures, intake and estimated expenditure of each day; and the last suggested goal."""

    listens_to = (ExpenditureEstimated, EnergyGoalSuggested)
    tables = {
        "energy_balance": """
            household text, person text, day date, weight_kg double precision NOT NULL, intake_kcal double precision,
            expenditure_kcal double precision NOT NULL, low_kcal double precision NOT NULL,
            high_kcal double precision NOT NULL, position bigint NOT NULL, PRIMARY KEY (household, person, day)""",
        "energy_balance_goal": """
            household text, person text, day date NOT NULL, before jsonb NOT NULL, goal jsonb NOT NULL,
            bounds text[] NOT NULL, position bigint NOT NULL, PRIMARY KEY (household, person)""",
    }
    made_of = {
        name: (f"ExpenditureEstimated.{name}",)
        for name in ("weight_kg", "intake_kcal", "expenditure_kcal", "low_kcal", "high_kcal")
    }
    shows = (
        "SELECT day, person, round(weight_kg::numeric, 1) AS weight_kg, intake_kcal, expenditure_kcal, low_kcal,"
        " high_kcal FROM energy_balance ORDER BY day DESC, person"
    )

    def apply(self, db: Connection, recorded: Recorded) -> None:
        match recorded.event:
            case ExpenditureEstimated() as said:
                db.execute(
                    "INSERT INTO energy_balance VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (household, person, day) DO UPDATE SET weight_kg = excluded.weight_kg,"
                    " intake_kcal = excluded.intake_kcal, expenditure_kcal = excluded.expenditure_kcal,"
                    " low_kcal = excluded.low_kcal, high_kcal = excluded.high_kcal, position = excluded.position",
                    (
                        *(recorded.household, said.person, said.day, said.weight_kg, said.intake_kcal),
                        *(said.expenditure_kcal, said.low_kcal, said.high_kcal, recorded.position),
                    ),
                )
            case EnergyGoalSuggested() as said:
                db.execute(
                    "INSERT INTO energy_balance_goal VALUES (%s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (household, person) DO UPDATE SET day = excluded.day, before = excluded.before,"
                    " goal = excluded.goal, bounds = excluded.bounds, position = excluded.position",
                    (
                        *(recorded.household, said.person, said.day, Jsonb(said.before.model_dump())),
                        *(Jsonb(said.goal.model_dump()), list(said.bounds), recorded.position),
                    ),
                )

    @classmethod
    def picture(cls, db: Connection) -> str | None:
        rows = db.execute(
            "WITH newest AS (SELECT household, day FROM read.energy_balance ORDER BY day DESC, household LIMIT 1)"
            " SELECT person, e.day, expenditure_kcal, low_kcal, high_kcal FROM read.energy_balance e"
            " JOIN newest USING (household) WHERE e.day > newest.day - %s ORDER BY person, e.day",
            (PICTURED_DAYS,),
        ).fetchall()
        spent, low, high = (series_of([(row[0], row[1], row[n]) for row in rows]) for n in (2, 3, 4))
        around = {"at least": low, "at most": high}
        return lines("Energy spent", "kcal a day", spent, beside=around) if rows else None


@dataclass(frozen=True, slots=True)
class DayBalance:
    """A person's day: weight in kg without its water, intake (None where unknown) and expenditure in kcal, 95 %."""

    person: str
    day: date
    weight_kg: float
    intake_kcal: float | None
    kcal: float
    low_kcal: float
    high_kcal: float


@dataclass(frozen=True, slots=True)
class SuggestedGoal:
    """The last suggestion to a person: (kcal, protein g, carbohydrate g, fat g) as they were, and as they would fit."""

    person: str
    day: date
    before: tuple[float, ...]
    goal: tuple[float, ...]
    bounds: tuple[str, ...]


def balances(db: Connection, household: str, first: date, last: date, person: str | None = None) -> list[DayBalance]:
    """Days from `first` to `last`, of one person or of everybody, by person and day."""
    rows = db.execute(
        "SELECT person, day, weight_kg, intake_kcal, expenditure_kcal, low_kcal, high_kcal FROM read.energy_balance"
        " WHERE household = %s AND day BETWEEN %s AND %s AND person = coalesce(%s, person) ORDER BY person, day",
        (household, first, last, person),
    )
    return [DayBalance(*row) for row in rows]


def newest_balance(db: Connection, household: str, person: str, last: date | None = None) -> DayBalance | None:
    """As of the last weigh-in or closed day, up to a day when one is given; None before any weigh-in."""
    row = db.execute(
        "SELECT person, day, weight_kg, intake_kcal, expenditure_kcal, low_kcal, high_kcal FROM read.energy_balance"
        " WHERE household = %s AND person = %s AND day <= coalesce(%s, day) ORDER BY day DESC LIMIT 1",
        (household, person, last),
    ).fetchone()
    return None if row is None else DayBalance(*row)


def suggested_goals(db: Connection, household: str, person: str | None = None) -> list[SuggestedGoal]:
    """The last suggestion to each person, by person; whether it still fits, their targets say."""
    rows = db.execute(
        "SELECT g.person, g.day, g.before, g.goal, g.bounds FROM read.energy_balance_goal g"
        " WHERE g.household = %s AND g.person = coalesce(%s, g.person) ORDER BY g.person",
        (household, person),
    )
    return [
        SuggestedGoal(who, day, tuple(before[n] for n in MACROS), tuple(goal[n] for n in MACROS), tuple(bounds))
        for who, day, before, goal, bounds in rows
    ]
