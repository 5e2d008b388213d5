"""Writing into a diary."""

from collections.abc import Sequence
from datetime import date, timedelta

from meal_assets.contracts import Event
from meal_assets.contracts.diary import DayClosed, MealLogged, ObservedMeal
from meal_assets.contracts.nutrition import RecipeNutritionComputed
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import Nutrients
from meal_assets.domain import diary
from meal_assets.domain.nutrition import believed
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def log_meals(
    store: EventStore, person: str, day: date, meals: Sequence[MealLogged], origin: Origin, *, close: bool = False
) -> Accepted:
    """Log meals of one day, and close it if that is all; entries that are there already say nothing new."""

    def decide(history: list[Event]) -> list[Event]:
        new = diary.log(history, meals)
        return [*new, *(diary.close([*history, *new], person=person, day=day) if close else [])]

    return command(store, _stream(origin, person, day), decide, origin, person=person)


def observe_day(store: EventStore, person: str, day: date, meals: Sequence[ObservedMeal], origin: Origin) -> Accepted:
    """Say what the person's diary at FatSecret holds now; the same as before says nothing new."""
    return command(
        store,
        _stream(origin, person, day),
        lambda history: diary.observe(history, person=person, day=day, meals=meals),
        origin,
        person=person,
    )


def close_day(store: EventStore, person: str, day: date, origin: Origin) -> Accepted:
    """Say that the day's diary is complete."""
    stream = _stream(origin, person, day)
    return command(store, stream, lambda history: diary.close(history, person=person, day=day), origin, person=person)


def correct_meal(
    store: EventStore, person: str, day: date, entry: str, nutrition: Nutrients, origin: Origin
) -> Accepted:
    """Replace what an entry holds."""
    stream = _stream(origin, person, day)
    return command(
        store,
        stream,
        lambda history: diary.correct(history, entry=entry, nutrition=nutrition),
        origin,
        person=person,
    )


def retract_meal(store: EventStore, person: str, day: date, entry: str, origin: Origin) -> Accepted:
    """Take an entry back."""
    return command(
        store,
        _stream(origin, person, day),
        lambda history: diary.retract(history, entry=entry),
        origin,
        person=person,
    )


def _stream(origin: Origin, person: str, day: date) -> str:
    return DayClosed(person=person, day=day).stream_in(origin.household)


def planned_meal(
    store: EventStore, household: str, person: str, day: date, meal: str, servings: float | None = None
) -> MealLogged:
    """The entry for eating what the standing plan has for this person and meal; `servings` if it was not as planned.

    Raises `Invalid` when nothing is planned there, or the dish's nutrition is not known.
    """
    week = day - timedelta(days=day.weekday())
    plans = [r.event for r in store.read_stream(f"{household}/plan/{week}") if isinstance(r.event, PlanGenerated)]
    dish = next((m for m in plans[-1].meals if (m.day, m.meal) == (day, meal)), None) if plans else None
    if dish is None or person not in dish.portions:
        raise Invalid("meal", f"no {meal} is planned for {person} on {day}: tell it with --food")
    fetched = [r.event for r in store.read_stream(f"{household}/recipe/{dish.recipe}")]
    recipe = next((e for e in reversed(fetched) if isinstance(e, RecipeFetched)), None)
    said = [r.event for r in store.read_stream(f"{household}/nutrition/{dish.recipe}")]
    computed = next((e for e in reversed(said) if isinstance(e, RecipeNutritionComputed)), None)
    holds = None if recipe is None else believed(recipe, computed)
    if holds is None:
        raise Invalid("meal", f"what {dish.title} holds is not known: tell it with --food")
    eaten = servings or dish.portions[person]
    return MealLogged(
        entry=f"plan-{meal}-{dish.recipe}"[:64],
        person=person,
        day=day,
        meal=dish.meal,
        food=dish.title,
        recipe=dish.recipe,
        servings=eaten,
        nutrition=holds * eaten,
        source="plan",
    )
