"""Saying how a dish was."""

from meal_assets.contracts import Event
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command
from .profile import persons_of


def rate(store: EventStore, recipe: str, stars: int, origin: Origin, person: str | None = None) -> Accepted:
    """One to five stars of a person for a recipe; nothing new where they are the same as before.

    Nobody needs to be named in a household of one. Raises `Invalid` for a recipe or person nobody knows.
    """
    known = persons_of(store, origin.household)
    if person is None and len(known) != 1:
        raise Invalid("person", f"say whose stars these are: --for {' or --for '.join(known) or 'NAME'}")
    person = person or known[0]
    if person not in known:
        raise Invalid("person", f"{person} has neither a profile nor a goal: `meals profile {person}` first")
    fetched = store.read_stream(f"{origin.household}/recipe/{recipe}")
    if not any(isinstance(r.event, RecipeFetched) for r in fetched):
        raise Invalid("recipe", f"{recipe!r} is none of the library: its id stands in the plan")
    event = RecipeRated(person=person, recipe=recipe, stars=stars)

    def decide(history: list[Event]) -> list[Event]:
        return [] if history and history[-1] == event else [event]

    return command(store, event.stream_in(origin.household), decide, origin, person=person)
