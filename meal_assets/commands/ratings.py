"""Saying how a dish was."""

from difflib import get_close_matches

from meal_assets.contracts import Event
from meal_assets.contracts.rating import RecipeRated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.recipes.words import fold
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command
from .profile import persons_of


def rate(store: EventStore, recipe: str, stars: int, origin: Origin, person: str | None = None) -> Accepted:
    """One to five stars of a person for a recipe, by its id or title; nothing new where they are the same as before.

    Nobody needs to be named in a household of one. Raises `Invalid` for a recipe or person nobody knows.
    """
    known = persons_of(store, origin.household)
    if person is None and len(known) != 1:
        raise Invalid("person", f"say whose stars these are: --for {' or --for '.join(known) or 'NAME'}")
    person = person or known[0]
    if person not in known:
        raise Invalid("person", f"{person} has neither a profile nor a goal: `meals profile {person}` first")
    event = RecipeRated(person=person, recipe=recipe_known(store, recipe, origin.household), stars=stars)

    def decide(history: list[Event]) -> list[Event]:
        return [] if history and history[-1] == event else [event]

    return command(store, event.stream_in(origin.household), decide, origin, person=person)


def recipe_known(store: EventStore, recipe: str, household: str) -> str:
    """The id of a recipe that was ever in the library."""
    if any(isinstance(r.event, RecipeFetched) for r in store.read_stream(f"{household}/recipe/{recipe}")):
        return recipe
    latest = store.latest((RecipeFetched,), household=household, until=store.head())
    titles = {fold(r.event.title): r.event.recipe for r in latest if isinstance(r.event, RecipeFetched)}
    if (found := titles.get(fold(recipe))) is not None:
        return found
    near = get_close_matches(fold(recipe), titles, n=3)
    hint = f"; near it are {', '.join(titles[title] for title in near)}" if near else ""
    raise Invalid("recipe", f"{recipe!r} is neither id nor title of a recipe{hint}")
