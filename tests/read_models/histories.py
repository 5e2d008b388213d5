"""Random but possible histories: every event type there is, by several households, persons, days, weeks and recipes.

A new event type is in them by its examples; where a rule binds events together (a diary, a plan), the domain decides.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from pydantic import ValidationError

from meal_assets.contracts import EVENTS, Event
from meal_assets.contracts.diary import DayClosed, DiaryDayObserved, MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.system import PersonForgotten
from meal_assets.contracts.values import MEALS, Nutrients
from meal_assets.domain import diary
from meal_assets.event_store import EventStore, Origin

from .said import like

MONDAYS = [date(2026, 11, 23) + timedelta(weeks=n) for n in range(2)]
POOLS: dict[str, list[Any]] = {
    "person": ["ada", "ben", "eve"],
    "day": [f"2026-11-{n}" for n in range(21, 26)],
    "week": [str(monday) for monday in MONDAYS],
    "recipe": ["lentil-soup", "overnight-oats", "tofu-bowl"],
    "item": ["red lentils", "carrots", "salt to taste"],
    "consumer": ["generate_plan", "fetch_recipes"],
    "position": [7, 8, 9],
    "servings": [None, 1, 2, 4],
    "fiber_g": [None, 0, 3.6],
    "sodium_mg": [None, 120],
    "per_serving": [None, {"kcal": 300, "protein_g": 20, "carbs_g": 40, "fat_g": 5, "fiber_g": 8.25}],
}
"""Few values, so that events meet: the same day, the same recipe again."""
HOUSEHOLDS = ["home", "next-door"]
COMMANDS_AT_ONCE = 6


class History:
    """Makes one event after the other and appends it; the same seed makes the same events. One of them fills a log."""

    def __init__(self, store: EventStore, seed: int) -> None:
        self.store = store
        self.random = Random(seed)
        self.diaries: defaultdict[str, list[Event]] = defaultdict(list)
        self.entries = 0
        self.origins = {
            household: [Origin(household, f"person-{n}") for n in range(COMMANDS_AT_ONCE)] for household in HOUSEHOLDS
        }

    def append(self, count: int) -> None:
        """Append one event of each type, and so many others."""
        often = [*EVENTS.values(), *[MealLogged] * 3]
        types = [*EVENTS.values(), *self.random.choices(often, k=count)]
        self.random.shuffle(types)
        self.append_of(*types)

    def append_of(self, *types: type[Event]) -> None:
        """Append a random event of each of these types, and what must come before it."""
        with self.store.database.transaction() as db:
            for kind in types:
                household = self.random.choice(HOUSEHOLDS)
                for event in self._some(kind, household):
                    origin = self._origin(household)
                    self.store.append(event.stream_in(household), [event], origin=origin, within=db)
                    if isinstance(event, PersonForgotten):
                        self.store.personal.forget(db, household, event.person)

    def _origin(self, household: str) -> Origin:
        """Of one of the commands at work, each of which is through some time."""
        n = self.random.randrange(COMMANDS_AT_ONCE)
        if self.random.random() < 0.2:
            self.origins[household][n] = Origin(household, f"person-{n}")
        return self.origins[household][n]

    def _some(self, kind: type[Event], household: str) -> Sequence[Event]:
        event = self._varied(kind)
        if isinstance(event, MealLogged | MealLogCorrected | MealLogRetracted | DiaryDayObserved | DayClosed):
            return self._in_diary(event, self.diaries[event.stream_in(household)])
        if kind is PersonForgotten:
            event = like(PersonForgotten)  # always the same, so that of the others some rows are left
            for stream in [s for s in self.diaries if s.startswith(f"{household}/diary/{event.person}/")]:
                del self.diaries[stream]
        return [self._whole_week(event)] if isinstance(event, PlanGenerated) else [event]

    def _in_diary(self, event: Event, history: list[Event]) -> Sequence[Event]:
        """What the domain makes of it: only what stands is corrected, and nothing is logged twice under one id."""
        so_far = len(history)
        if isinstance(event, MealLogged) or not diary.entries(history):
            self.entries += 1
            meal = self._varied(MealLogged).model_copy(
                update={"person": event.person, "day": event.day, "entry": f"entry-{self.entries}"}
            )
            history += diary.log(history, [meal])
        entry = self.random.choice(sorted(diary.entries(history)))
        match event:
            case MealLogCorrected():
                history += diary.correct(history, entry=entry, nutrition=self._varied(MealLogged).nutrition)
            case MealLogRetracted():
                history += diary.retract(history, entry=entry)
            case DiaryDayObserved():
                history += diary.observe(history, person=event.person, day=event.day, meals=event.meals)
            case DayClosed():
                history += diary.close(history, person=event.person, day=event.day)
        return history[so_far:]

    def _whole_week(self, plan: PlanGenerated) -> PlanGenerated:
        """Several meals; no two at the same time, and a recipe perhaps twice."""
        slots = [(plan.week + timedelta(days=n), meal) for n in range(7) for meal in MEALS]
        meals = [
            plan.meals[0].model_copy(
                update={
                    "day": day,
                    "meal": meal,
                    "recipe": self.random.choice(POOLS["recipe"]),
                    "portions": {"ada": self.random.randint(2, 8) / 4, "ben": self.random.randint(2, 8) / 4},
                }
            )
            for day, meal in self.random.sample(slots, self.random.randint(0, 5))
        ]
        return plan.model_copy(update={"meals": tuple(meals)})

    def _varied(self, kind: type[Event]) -> Any:
        """An example with some values exchanged; the example itself where that breaks a rule of the event."""
        example = self.random.choice(kind.examples)
        try:
            return kind.model_validate(self._exchanged(example))
        except ValidationError:
            return kind.model_validate(example)

    def _exchanged(self, value: Any) -> Any:
        match value:
            case dict():
                new = {k: self.random.choice(POOLS[k]) if k in POOLS else self._exchanged(v) for k, v in value.items()}
                if "kcal" in new and set(new) <= set(Nutrients.model_fields):
                    new |= {k: self.random.choice(POOLS[k]) for k in ("fiber_g", "sodium_mg") if k in POOLS}
                return {k: v for k, v in new.items() if v is not None}
            case list():
                return [self._exchanged(v) for v in value]
            case bool():
                return value
            case int() | float():
                return round(value * self.random.choice([0.5, 0.9, 1, 1.1, 1.37]), 3)
        return value
