"""What each person should eat in a day, and where the figure comes from."""

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from psycopg.types.json import Jsonb

from meal_assets.contracts import Event
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.domain.targets import targets
from meal_assets.event_store import Connection, Recorded

from .base import ReadModel

ORDER: tuple[type[Event], ...] = (ProfileSet, GoalSet, PreferencesSet)


class Targets(ReadModel):
    """Daily energy and macronutrients of each person: a goal set by hand, or the formula over the profile."""

    version = 2
    listens_to = (ProfileSet, GoalSet, PreferencesSet)
    tables = {
        "targets": """
            household text, person text, name text, source text, kcal numeric, protein_g numeric, carbs_g numeric,
            fat_g numeric, tolerance_pct numeric, exclude text[] NOT NULL, diets text[] NOT NULL, said jsonb NOT NULL,
            position bigint NOT NULL, PRIMARY KEY (household, person)"""
    }
    made_of = {
        "kcal": (
            "GoalSet.kcal",
            *(f"ProfileSet.{n}" for n in ("weight_kg", "activity", "aim", "sex", "height_cm", "born")),
        ),
        "protein_g": ("GoalSet.protein_g", "ProfileSet.weight_kg"),
        "carbs_g": (
            "GoalSet.carbs_g",
            *(f"ProfileSet.{n}" for n in ("weight_kg", "activity", "aim", "sex", "height_cm", "born")),
        ),
        "fat_g": ("GoalSet.fat_g", "ProfileSet.weight_kg"),
    }
    shows = "SELECT person, name, source, kcal, protein_g, carbs_g, fat_g, tolerance_pct FROM targets ORDER BY person"

    def apply(self, db: Connection, recorded: Recorded) -> None:
        event = recorded.event
        key = (recorded.household, event.person)  # type: ignore[attr-defined]  # every profile event has one
        row = db.execute("SELECT said FROM targets WHERE household = %s AND person = %s", key).fetchone()
        said: dict[str, Any] = dict(row[0]) if row else {}
        said[type(event).__name__] = event.model_dump(mode="json", exclude_none=True)
        history = [kind.model_validate(said[kind.__name__]) for kind in ORDER if kind.__name__ in said]
        now = targets(history, on=recorded.recorded_at.astimezone(UTC).date())
        macros = now.macros if now else None
        db.execute(
            "INSERT INTO targets VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (household, person) DO UPDATE SET name = excluded.name, source = excluded.source,"
            " kcal = excluded.kcal, protein_g = excluded.protein_g, carbs_g = excluded.carbs_g,"
            " fat_g = excluded.fat_g, tolerance_pct = excluded.tolerance_pct, exclude = excluded.exclude,"
            " diets = excluded.diets, said = excluded.said, position = excluded.position",
            (
                *key,
                now.name if now else None,
                now.source if now else None,
                *((macros.kcal, macros.protein_g, macros.carbs_g, macros.fat_g) if macros else (None,) * 4),
                now.tolerance_pct if now else None,
                list(now.exclude) if now else [],
                list(now.diets) if now else [],
                Jsonb(said),
                recorded.position,
            ),
        )


@dataclass(frozen=True, slots=True)
class PersonTargets:
    """A person of the household and their day, (kcal, protein g, carbohydrate g, fat g); None before any is known."""

    person: str
    name: str | None
    source: str | None
    target: tuple[float, ...] | None
    tolerance_pct: float | None
    exclude: tuple[str, ...]
    diets: tuple[str, ...]


def household_targets(db: Connection, household: str) -> list[PersonTargets]:
    """Everybody of the household, by id."""
    rows = db.execute(
        "SELECT person, name, source, kcal, protein_g, carbs_g, fat_g, tolerance_pct, exclude, diets FROM read.targets"
        " WHERE household = %s ORDER BY person",
        (household,),
    )
    return [
        PersonTargets(
            person,
            name,
            source,
            None if macros[0] is None else tuple(map(float, macros)),
            None if tolerance is None else float(tolerance),
            tuple(exclude),
            tuple(diets),
        )
        for person, name, source, *macros, tolerance, exclude, diets in rows
    ]
