"""Topic `plan_request`: a household wants a week planned."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from .base import Event, Value
from .values import MEALS, Meal, PersonId, RecipeId


class Lock(Value):
    """This meal is decided: the recipe is given, only portions are open."""

    day: date
    meal: Meal
    recipe: RecipeId


class Skip(Value):
    """Nothing is planned for this meal; `person` None means for nobody."""

    day: date
    meal: Meal
    person: PersonId | None = None


class PlanRules(Value):
    """What the week must obey. Percentages are of each person's daily target; portions are servings of a recipe."""

    meals: tuple[Meal, ...] = Field(default=MEALS, min_length=1)
    kcal_tolerance_pct: float = Field(default=5, ge=0, le=100)
    macro_tolerance_pct: float = Field(default=10, ge=0, le=100)
    max_repeats: int = Field(default=2, ge=1, le=28)
    """How often one recipe may be served in the week."""
    portion_min: float = Field(default=0.5, gt=0, le=10)
    portion_max: float = Field(default=2.5, gt=0, le=10)
    portion_step: float = Field(default=0.25, gt=0, le=1)
    exclude: tuple[str, ...] = Field(default=(), max_length=200)
    max_minutes: int | None = Field(default=None, ge=1)
    """No dish that takes longer than this in all."""
    locks: tuple[Lock, ...] = Field(default=(), max_length=200)
    skips: tuple[Skip, ...] = Field(default=(), max_length=200)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.meals)) < len(self.meals):
            raise ValueError("meals: each meal once")
        if self.portion_min > self.portion_max:
            raise ValueError("portion_min: is above portion_max")
        taken: dict[tuple[date, Meal], str] = {}
        for lock in self.locks:
            if taken.setdefault((lock.day, lock.meal), lock.recipe) != lock.recipe:
                raise ValueError(f"locks: {lock.day} {lock.meal} is locked to two recipes")
            if Skip(day=lock.day, meal=lock.meal) in self.skips:
                raise ValueError(f"locks: {lock.day} {lock.meal} is both locked and skipped")
        return self


class PlanRequested(Event, topic="plan_request", stream="plan/{week}", outcome="working", stays=True):
    """Plan the seven days from `week` (a Monday) for these persons."""

    examples = [
        {
            "week": "2026-11-23",
            "persons": ["ada", "ben"],
            "rules": {
                "exclude": ["peanut"],
                "locks": [{"day": "2026-11-27", "meal": "dinner", "recipe": "lentil-soup"}],
                "skips": [{"day": "2026-11-25", "meal": "lunch", "person": "ben"}],
            },
        },
        {
            "week": "2026-11-30",
            "persons": ["ada"],
            "rules": {
                "meals": ["lunch", "dinner"],
                "kcal_tolerance_pct": 8,
                "macro_tolerance_pct": 15,
                "max_repeats": 3,
                "portion_min": 1,
                "portion_max": 2,
                "portion_step": 0.5,
                "max_minutes": 45,
            },
            "seed": 7,
        },
    ]

    week: date
    persons: tuple[PersonId, ...] = Field(min_length=1, max_length=6)
    rules: PlanRules = PlanRules()
    seed: int = 0
    """Breaks ties between equally good weeks."""

    @model_validator(mode="after")
    def _monday(self) -> Self:
        if self.week.weekday() != 0:
            raise ValueError(f"week: {self.week} is not a Monday")
        if len(set(self.persons)) < len(self.persons):
            raise ValueError("persons: each person once")
        return self
