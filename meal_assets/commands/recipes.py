"""Asking for recipes."""

from meal_assets.contracts.recipe_request import RecipesRequested
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.files import keep_file

from .base import Accepted


def request_recipes(store: EventStore, name: str, content: bytes, origin: Origin) -> Accepted:
    """Ask for the recipes of a file. The same bytes again say nothing new, and answer with the first receipt."""
    sha256 = keep_file(store.database, content)
    event = RecipesRequested(source="file", name=name, sha256=sha256, size=len(content))
    stream = event.stream_in(origin.household)
    if known := store.read_stream(stream):
        return Accepted(known[0].correlation_id, known[0].position, 0)
    appended = store.append(stream, [event], origin=origin, once=f"{stream}:requested")
    return Accepted(origin.correlation_id, appended.last, 1)
