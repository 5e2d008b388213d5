"""Saying who eats, what for, and what never."""

from collections.abc import Sequence

from meal_assets.contracts import Event
from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.contracts.values import DIETS
from meal_assets.domain.energy_goal import accept
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command


def set_profile(store: EventStore, event: ProfileSet | GoalSet | PreferencesSet, origin: Origin) -> Accepted:
    """Record a profile, goal or preferences, unless the same is what was said last of its kind."""

    def decide(history: list[Event]) -> Sequence[Event]:
        last = next((e for e in reversed(history) if type(e) is type(event)), None)
        return [] if last == event else [event]

    return command(store, event.stream_in(origin.household), decide, origin, person=event.person)


def set_preferences(
    store: EventStore,
    person: str,
    origin: Origin,
    *,
    exclude: Sequence[str] | None = None,
    diets: Sequence[str] | None = None,
) -> Accepted:
    """What a person never eats and the diets they keep; None leaves what was said before.

    Raises `Invalid` for a diet that nobody knows.
    """
    if unknown := next((diet for diet in diets or () if diet not in DIETS), None):
        raise Invalid("diet", f"{unknown!r} is none of {', '.join(DIETS)}")
    stream = PreferencesSet(person=person).stream_in(origin.household)
    told = store.read_person(stream, origin.household, person)
    last = next((r.event for r in reversed(told) if isinstance(r.event, PreferencesSet)), PreferencesSet(person=person))
    new = PreferencesSet(
        person=person,
        exclude=last.exclude if exclude is None else tuple(exclude),
        diets=last.diets if diets is None else tuple(diets),
    )
    return set_profile(store, new, origin)


def accept_goal(store: EventStore, person: str, origin: Origin) -> Accepted:
    """The goal that was suggested last becomes the goal; nothing new where it is already.

    Invalid where none was suggested, or the goal is another one since.
    """
    told = store.read_person(f"{origin.household}/energy_goal/{person}", origin.household, person)
    said = [r.event for r in told if isinstance(r.event, EnergyGoalSuggested)]
    if not said:
        raise Invalid("goal", f"none was suggested to {person}: `meals energy {person}` shows what is known so far")
    stream = f"{origin.household}/profile/{person}"
    return command(store, stream, lambda history: accept(history, said[-1]), origin, person=person)


def persons_of(store: EventStore, household: str) -> list[str]:
    """Everybody of the household who has a profile or a goal, by id."""
    known = store.latest((ProfileSet, GoalSet), household=household, until=store.head())
    last: dict[str, int] = {}
    for r in known:
        if isinstance(r.event, ProfileSet | GoalSet):
            last[r.event.person] = max(r.position, last.get(r.event.person, 0))
    return sorted(person for person, position in last.items() if position > store.forgotten_at(household, person))
