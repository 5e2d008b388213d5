"""Topic `plan_request`: a household wants a week planned."""

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from .base import Event, Value
from .values import MEALS, Amount, Diet, Meal, PersonId, RecipeId

LimitedNutrient = Literal["fiber_g", "sugar_g", "saturated_fat_g", "sodium_mg"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Minutes = Annotated[int, Field(ge=1, le=1_440)]


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


class NutrientLimit(Value):
    """What a day of a person, None meaning of everybody, holds at least and at most; in the nutrient's own unit."""

    nutrient: LimitedNutrient
    least: Amount | None = None
    most: Amount | None = None
    person: PersonId | None = None
    weight: float | None = Field(default=None, gt=0, le=100)
    """None: no day misses it. Else what each percent by which a day misses it costs."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.least is None and self.most is None:
            raise ValueError(f"limits: {self.nutrient} has neither a least nor a most")
        if self.most is not None and (self.least or 0) > self.most:
            raise ValueError(f"limits: the least of {self.nutrient} is above its most")
        return self


class MealShare(Value):
    """How much of a day's energy target one meal may bring, in percent."""

    meal: Meal
    least_pct: float = Field(default=0, ge=0, le=100)
    most_pct: float = Field(default=100, ge=0, le=100)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.least_pct > self.most_pct:
            raise ValueError(f"shares: the least of {self.meal} is above its most")
        return self


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
    bans: tuple[Lock, ...] = Field(default=(), max_length=200)
    """These recipes are not served at these meals."""
    limits: tuple[NutrientLimit, ...] = Field(default=(), max_length=50)
    shares: tuple[MealShare, ...] = Field(default=(), max_length=len(MEALS))
    weekday_minutes: dict[Weekday, Minutes] = {}
    """As max_minutes, in its place on these days."""
    diets: tuple[Diet, ...] = ()
    cuisines: tuple[str, ...] | None = Field(default=None, max_length=50)
    """Only dishes of these; None for all, also those of which none is known."""
    include: tuple[RecipeId, ...] = Field(default=(), max_length=28)
    """Recipes that are served at least once."""
    most_of_a_protein: int | None = Field(default=None, ge=1, le=28)
    """How many dishes of the week may have the same main source of protein."""
    most_of_a_cuisine: int | None = Field(default=None, ge=1, le=28)
    cooldown_days: int = Field(default=0, ge=0, le=365)
    """What was served in so many days before the week is not served in it; from 7 on nothing is served twice."""
    leftover_days: int = Field(default=0, ge=0, le=6)
    """How many days after it was cooked a dish may be eaten again, for lunch; 0 for never."""
    use_pantry: bool = False
    """Dishes made of what is at hand come first, before all of what goes off first."""
    relax: bool = False
    """The nearest week where none meets every target: how far a day may be off and how often a dish comes only cost."""

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
        {
            "week": "2026-12-07",
            "persons": ["ada"],
            "rules": {
                "bans": [{"day": "2026-12-08", "meal": "lunch", "recipe": "tofu-bowl"}],
                "limits": [
                    {"nutrient": "fiber_g", "least": 28},
                    {"nutrient": "sodium_mg", "most": 2300, "person": "ada", "weight": 0.5},
                ],
                "shares": [{"meal": "breakfast", "least_pct": 15, "most_pct": 30}],
                "weekday_minutes": {"mon": 30, "tue": 30},
                "diets": ["vegetarian"],
                "cuisines": ["Italian", "Maghrebi"],
                "include": ["shakshuka"],
                "most_of_a_protein": 4,
                "most_of_a_cuisine": 7,
                "cooldown_days": 10,
                "leftover_days": 3,
                "use_pantry": True,
                "relax": True,
            },
            "keep": 2,
            "since": "2026-12-09",
        },
    ]

    week: date
    persons: tuple[PersonId, ...] = Field(min_length=1, max_length=6)
    rules: PlanRules = PlanRules()
    seed: int = 0
    """Breaks ties between equally good weeks."""
    keep: float = Field(default=0, ge=0, le=1_000)
    """What changing a meal of the week as it was planned before costs."""
    since: date | None = None
    """Days before it stay as planned. On it, what was eaten already counts, and the other meals are planned."""

    @model_validator(mode="after")
    def _monday(self) -> Self:
        if self.week.weekday() != 0:
            raise ValueError(f"week: {self.week} is not a Monday")
        if self.since is not None and not 0 <= (self.since - self.week).days < 7:
            raise ValueError(f"since: {self.since} is not in the week of {self.week}")
        if len(set(self.persons)) < len(self.persons):
            raise ValueError("persons: each person once")
        return self
