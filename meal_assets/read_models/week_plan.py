"""The week as a grid: meals with portions, days beside their targets, and how good it is."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.contracts.values import MEALS
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel


class WeekPlan(ReadModel):
    """The newest plan of each week. A rejected request is noted; the plan before it stands."""

    listens_to = (PlanGenerated, PlanRejected)
    fresh_for = timedelta(days=8)  # a plan a week
    tables = {
        "week_plan": """
            household text, week date, day date, meal text, recipe text NOT NULL, title text NOT NULL,
            portions jsonb NOT NULL, PRIMARY KEY (household, week, day, meal)""",
        "week_plan_days": """
            household text, week date, day date, person text,
            kcal numeric NOT NULL, protein_g numeric NOT NULL, carbs_g numeric NOT NULL, fat_g numeric NOT NULL,
            target_kcal numeric NOT NULL, target_protein_g numeric NOT NULL, target_carbs_g numeric NOT NULL,
            target_fat_g numeric NOT NULL, PRIMARY KEY (household, week, day, person)""",
        "week_plan_state": """
            household text, week date, state text NOT NULL, proof jsonb, conflicts jsonb, considered bigint NOT NULL,
            left_out jsonb NOT NULL, position bigint NOT NULL, PRIMARY KEY (household, week)""",
    }
    made_of = dict.fromkeys(("day", "meal", "recipe", "title", "portions"), ("PlanGenerated.meals",))
    shows = (
        "WITH cells AS (SELECT household, week, day, meal, concat(title, ' (', (SELECT string_agg("  # noqa: S608
        " concat(key, ' ', value), ', ' ORDER BY key) FROM jsonb_each_text(portions)), ')') AS cell FROM week_plan) "
        "SELECT day, "
        + ", ".join(f"max(cell) FILTER (WHERE meal = '{meal}') AS {meal}" for meal in MEALS)
        + " FROM cells GROUP BY household, week, day ORDER BY week DESC, household, day"
    )

    def apply(self, db: Connection, recorded: Recorded) -> None:
        match recorded.event:
            case PlanGenerated() as plan:
                key = (recorded.household, plan.week)
                db.execute("DELETE FROM week_plan WHERE household = %s AND week = %s", key)
                db.execute("DELETE FROM week_plan_days WHERE household = %s AND week = %s", key)
                with db.cursor() as cursor:
                    cursor.executemany(
                        "INSERT INTO week_plan VALUES (%s, %s, %s, %s, %s, %s, %s)",
                        [(*key, m.day, m.meal, m.recipe, m.title, Jsonb(m.portions)) for m in plan.meals],
                    )
                    cursor.executemany(
                        "INSERT INTO week_plan_days VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                        [
                            (*key, d.day, d.person, *dict(d.planned).values(), *dict(d.target).values())
                            for d in plan.days
                        ],
                    )
                proof, conflicts = Jsonb(plan.proof.model_dump(mode="json")), None
                self._state(db, recorded, "planned", plan, proof, conflicts)
            case PlanRejected() as plan:
                conflicts = Jsonb([c.model_dump(mode="json") for c in plan.conflicts])
                self._state(db, recorded, "rejected", plan, None, conflicts)

    def _state(
        self,
        db: Connection,
        recorded: Recorded,
        state: str,
        plan: PlanGenerated | PlanRejected,
        proof: Jsonb | None,
        conflicts: Jsonb | None,
    ) -> None:
        db.execute(
            "INSERT INTO week_plan_state VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (household, week) DO UPDATE SET state = excluded.state, proof = excluded.proof,"
            " conflicts = excluded.conflicts, considered = excluded.considered, left_out = excluded.left_out,"
            " position = excluded.position",
            (
                recorded.household,
                plan.week,
                state,
                proof,
                conflicts,
                plan.considered,
                Jsonb(plan.left_out),
                recorded.position,
            ),
        )


@dataclass(frozen=True, slots=True)
class Cell:
    """One planned meal: what, and how many servings for whom."""

    day: date
    meal: str
    recipe: str
    title: str
    portions: dict[str, float]


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A person's planned day and their target, each (kcal, protein g, carbohydrate g, fat g)."""

    day: date
    person: str
    planned: tuple[float, ...]
    target: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlannedWeek:
    """A week as it stands. `state` is "planned" or "rejected"; conflicts are (rule, detail)."""

    week: date
    state: str
    cells: tuple[Cell, ...]
    days: tuple[DayTotal, ...]
    proof: dict[str, Any] | None
    conflicts: tuple[tuple[str, str], ...]
    considered: int
    left_out: dict[str, int]


def planned_week(db: Connection, household: str, week: date) -> PlannedWeek | None:
    """The household's week beginning on that Monday; None when nobody asked for it yet."""
    key = (household, week)
    state = db.execute(
        "SELECT state, proof, conflicts, considered, left_out FROM read.week_plan_state"
        " WHERE household = %s AND week = %s",
        key,
    ).fetchone()
    if state is None:
        return None
    cells = db.execute(
        "SELECT day, meal, recipe, title, portions FROM read.week_plan WHERE household = %s AND week = %s"
        " ORDER BY day, array_position(%s, meal)",
        (*key, list(MEALS)),
    )
    days = db.execute(
        "SELECT day, person, kcal, protein_g, carbs_g, fat_g, target_kcal, target_protein_g, target_carbs_g,"
        " target_fat_g FROM read.week_plan_days WHERE household = %s AND week = %s ORDER BY day, person",
        key,
    )
    return PlannedWeek(
        week,
        state[0],
        tuple(Cell(*row) for row in cells),
        tuple(
            DayTotal(day, person, tuple(map(float, rest[:4])), tuple(map(float, rest[4:])))
            for day, person, *rest in days
        ),
        state[1],
        tuple((c["rule"], c["detail"]) for c in state[2] or ()),
        state[3],
        state[4],
    )
