"""What may be said about one person's diary of one day, and what stands in it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from math import fsum

from pydantic import ValidationError

from meal_assets.contracts.base import Event
from meal_assets.contracts.diary import (
    DayClosed,
    DiaryDayObserved,
    EntryId,
    MealLogCorrected,
    MealLogged,
    MealLogRetracted,
    ObservedMeal,
)
from meal_assets.contracts.values import MACROS, Macros, Meal, Nutrients, RecipeId
from meal_assets.errors import Invalid


def entries(history: Iterable[Event]) -> dict[EntryId, Nutrients]:
    """What each entry logged here counts for, in the order they were logged; retracted ones are gone."""
    return _Diary.of(history).standing


def is_empty(history: Iterable[Event]) -> bool:
    """Whether nothing stands in it, logged here or observed elsewhere."""
    return _Diary.of(history).is_empty


def day_total(history: Iterable[Event]) -> Macros:
    """The sum of what stands, in kcal and grams to six decimals; Invalid when a day cannot hold that much."""
    return _Diary.of(history).total()


def nutrients(history: Iterable[Event]) -> Nutrients:
    """The sum of what stands; what any of it does not tell is not known of the sum."""
    diary = _Diary.of(history)
    return Nutrients.total([*diary.standing.values(), *(meal.nutrition for meal in diary.observed)])


def meals_eaten(history: Iterable[Event]) -> frozenset[Meal]:
    """The meals for which something stands in it, logged here or observed elsewhere."""
    diary = _Diary.of(history)
    return frozenset({diary.logged[entry].meal for entry in diary.standing} | {meal.meal for meal in diary.observed})


def recipes_eaten(history: Iterable[Event]) -> frozenset[RecipeId]:
    """The recipes that stand in it."""
    diary = _Diary.of(history)
    return frozenset(recipe for entry in diary.standing if (recipe := diary.logged[entry].recipe) is not None)


def is_closed(history: Iterable[Event]) -> bool:
    """Whether the person said that the day is complete."""
    return _Diary.of(history).closed


def log(history: Iterable[Event], meals: Sequence[MealLogged]) -> list[Event]:
    """Those of `meals` that are not in the diary yet.

    Invalid when an entry is there with other content, and when the day would add up to more than a day can hold.
    """
    diary = _Diary.of(history)
    new: list[Event] = []
    for meal in meals:
        if meal.entry not in diary.logged:
            diary.apply(meal)
            new.append(meal)
        elif not diary.says_already(meal):
            raise Invalid("entry", diary.why_not_again(meal.entry))
    diary.total()
    return new


def correct(history: Iterable[Event], *, entry: EntryId, nutrition: Nutrients) -> list[Event]:
    """`nutrition` holds for the entry from now on; Invalid when it does not stand or the day cannot hold that much."""
    diary = _Diary.of(history)
    meal, before = diary.find(entry)
    if before is None:
        raise Invalid("entry", f"{entry} was retracted; log the meal again under a new id")
    if before == nutrition:
        return []
    said = MealLogCorrected(entry=entry, person=meal.person, day=meal.day, before=before, nutrition=nutrition)
    diary.apply(said)
    diary.total()
    return [said]


def retract(history: Iterable[Event], *, entry: EntryId) -> list[Event]:
    """The entry never happened; nothing when it is retracted already, Invalid when it was never logged."""
    meal, before = _Diary.of(history).find(entry)
    if before is None:
        return []
    return [MealLogRetracted(entry=entry, person=meal.person, day=meal.day, before=before)]


def close(history: Iterable[Event], *, person: str, day: date) -> list[Event]:
    """The day is complete; nothing when it is closed already, Invalid when nothing stands in it."""
    diary = _Diary.of(history)
    if diary.closed:
        return []
    if diary.is_empty:
        raise Invalid("day", f"nothing is logged for {person} on {day}; log a meal before closing the day")
    return [DayClosed(person=person, day=day)]


def observe(history: Iterable[Event], *, person: str, day: date, meals: Sequence[ObservedMeal]) -> list[Event]:
    """What FatSecret holds of the day now, without what was logged here; nothing where that is what it held before.

    Invalid when the day would add up to more than a day can hold.
    """
    diary = _Diary.of(history)
    hashed = _content_hash(meals)
    if hashed == diary.content_hash or (not meals and not diary.observed):
        return []
    before = tuple(meal.nutrition for meal in diary.observed)
    said = DiaryDayObserved(
        person=person, day=day, source="fatsecret", content_hash=hashed, meals=tuple(meals), before=before
    )
    diary.apply(said)
    diary.total()
    return [said]


def _content_hash(meals: Sequence[ObservedMeal]) -> str:
    told = [meal.model_dump(mode="json", exclude_none=True) for meal in meals]
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Diary:
    """The fold of one diary stream. `logged` keeps the ids of retracted entries: an id is never used twice."""

    logged: dict[EntryId, MealLogged] = field(default_factory=dict)
    standing: dict[EntryId, Nutrients] = field(default_factory=dict)
    observed: tuple[ObservedMeal, ...] = ()
    content_hash: str | None = None
    closed: bool = False

    @classmethod
    def of(cls, history: Iterable[Event]) -> "_Diary":
        diary = cls()
        for event in history:
            diary.apply(event)
        return diary

    def apply(self, event: Event) -> None:
        match event:
            case MealLogged():
                self.logged[event.entry] = event
                self.standing[event.entry] = event.nutrition
            case MealLogCorrected():
                self.standing[event.entry] = event.nutrition
            case MealLogRetracted():
                self.standing.pop(event.entry, None)
            case DiaryDayObserved():
                self.observed, self.content_hash = event.meals, event.content_hash
            case DayClosed():
                self.closed = True

    @property
    def is_empty(self) -> bool:
        return not self.standing and not self.observed

    def find(self, entry: EntryId) -> tuple[MealLogged, Nutrients | None]:
        """The entry as it was logged, and what it counts for now: None when retracted."""
        if entry not in self.logged:
            raise Invalid("entry", f"{entry} is not in this day's diary")
        return self.logged[entry], self.standing.get(entry)

    def says_already(self, meal: MealLogged) -> bool:
        """Whether the entry says the same, either as first logged or as corrected since."""
        first, now = self.find(meal.entry)
        return meal == first or (now is not None and meal == first.model_copy(update={"nutrition": now}))

    def why_not_again(self, entry: EntryId) -> str:
        if entry in self.standing:
            return f"{entry} is logged already with other content; correct that entry, or use a new id"
        return f"{entry} was retracted; log the meal under a new id"

    def total(self) -> Macros:
        parts = [*self.standing.values(), *(meal.nutrition for meal in self.observed)]
        sums = {name: round(fsum(getattr(part, name) for part in parts), 6) for name in MACROS}
        try:
            return Macros(**sums)
        except ValidationError as e:
            shown = ", ".join(f"{name} {amount:g}" for name, amount in sums.items())
            raise Invalid("nutrition", f"the day adds up to {shown}, more than a day can hold") from e
