"""What to cook when."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.prep import Batch, Times, batches
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch as Events

from .base import ReadModel


class PrepSchedule(ReadModel):
    """Each cooking of a planned week with the meals that eat of it, and how long its recipe takes."""

    listens_to = (PlanGenerated, RecipeFetched)
    tables = {
        "prep_schedule": """
            household text, week date, day date, meal text, recipe text, title text NOT NULL,
            servings double precision NOT NULL, meals jsonb NOT NULL,
            PRIMARY KEY (household, week, day, meal, recipe)""",
        "prep_schedule_times": """
            household text, recipe text, prep_minutes bigint, cook_minutes bigint, total_minutes bigint,
            PRIMARY KEY (household, recipe)""",
    }
    made_of = dict.fromkeys(("day", "meal", "recipe", "title", "servings", "meals"), ("PlanGenerated.meals",))
    shows = (
        "SELECT day, meal, title, servings, prep_minutes, cook_minutes, total_minutes, meals FROM prep_schedule"
        " LEFT JOIN prep_schedule_times USING (household, recipe) ORDER BY week DESC, day, meal, recipe"
    )

    def fold(self, batch: Events) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO prep_schedule_times
                SELECT DISTINCT ON (household, recipe) household, recipe, prep_minutes, cook_minutes, total_minutes
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE
                SET prep_minutes = excluded.prep_minutes, cook_minutes = excluded.cook_minutes,
                    total_minutes = excluded.total_minutes
            """).format(batch.rows(RecipeFetched))
        )
        for recorded in batch.events:
            if isinstance(plan := recorded.event, PlanGenerated):
                self._take_plan(batch.db, recorded.household, plan)

    def _take_plan(self, db: Connection, household: str, plan: PlanGenerated) -> None:
        db.execute("DELETE FROM prep_schedule WHERE household = %s AND week = %s", (household, plan.week))
        with db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO prep_schedule VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (
                        *(household, plan.week, b.day, b.meal, b.recipe, b.title, b.servings),
                        Jsonb([[str(day), meal, servings] for day, meal, servings in b.meals]),
                    )
                    for b in batches(plan.meals)
                ],
            )


@dataclass(frozen=True, slots=True)
class Cooked:
    """A week's cooking, and what its recipes tell of times."""

    batches: tuple[Batch, ...]
    times: dict[str, Times]


def cooked_in(db: Connection, household: str, week: date) -> Cooked:
    """The cooking of the week that begins on that Monday; empty where none is planned."""
    rows: Any = db.execute(
        "SELECT recipe, title, p.meals, prep_minutes, cook_minutes, total_minutes FROM read.prep_schedule p"
        " LEFT JOIN read.prep_schedule_times USING (household, recipe)"
        " WHERE household = %s AND week = %s ORDER BY day, meal, recipe",
        (household, week),
    ).fetchall()
    found = tuple(
        Batch(recipe, title, tuple((date.fromisoformat(day), meal, servings) for day, meal, servings in meals))
        for recipe, title, meals, *_ in rows
    )
    return Cooked(found, {recipe: Times(*minutes) for recipe, _, _, *minutes in rows})
