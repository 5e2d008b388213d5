"""Asking for recipes."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from pydantic import ValidationError

from meal_assets.clients.outside import Outside
from meal_assets.clients.tandoor_marks import Marks, There
from meal_assets.contracts.recipe_request import RecipePageRequested, RecipesRequested, RecipeSyncRequested
from meal_assets.domain.recipes.addresses import without_secrets
from meal_assets.errors import Invalid, Transient, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.event_store.files import keep_file

from .base import Accepted

FULL_EACH = timedelta(days=1)
"""Some edits leave no trace in what a service lists: everything is read and compared this often."""


def request_recipes(store: EventStore, name: str, content: bytes, origin: Origin) -> Accepted:
    """Ask for the recipes of a file. The same bytes again say nothing new, and answer with the first receipt."""
    sha256 = keep_file(store.database, content)
    event = RecipesRequested(source="file", name=name, sha256=sha256, size=len(content))
    stream = event.stream_in(origin.household)
    if known := store.read_stream(stream):
        return Accepted(known[0].correlation_id, known[0].position, 0)
    appended = store.append(stream, [event], origin=origin, once=f"{stream}:requested")
    return Accepted(origin.correlation_id, appended.last, 1)


def request_page(store: EventStore, address: str, origin: Origin) -> tuple[Accepted, tuple[str, ...]]:
    """Ask for the recipe on a web page, as it is now; and what of the address was left out since it may be secret.

    A request that is still at work is answered with its receipt. Raises `Invalid` for what is no address of a page.
    """
    from meal_assets.clients.pages import checked_address

    url, secret = without_secrets(str(checked_address(address)))
    try:
        event = RecipePageRequested(page=sha256(url.encode()).hexdigest()[:32], url=url)
    except ValidationError:
        raise Invalid("url", f"has {len(url):,} characters: give a shorter one") from None
    stream = event.stream_in(origin.household)
    with store.database.transaction() as db:
        at = checkpoints(db).get("fetch_page")
    for asked in reversed(store.read_stream(stream)):
        if isinstance(asked.event, RecipePageRequested) and asked.position > (at.position if at else 0):
            return Accepted(asked.correlation_id, asked.position, 0), secret
    appended = store.append(stream, [event], origin=origin)
    return Accepted(origin.correlation_id, appended.last, 1), secret


def request_sync(store: EventStore, outside: Outside, origin: Origin, *, full: bool = False) -> Accepted | None:
    """Ask for the recipes of the household's Tandoor; None where it lists nothing that is new, which says nothing.

    `full`, and once a day anyway, everything is read. A request that is still at work is answered with its receipt.
    Raises `Unavailable` where no Tandoor is set, `RemoteRefused` where it says no. One that is down is asked later.
    """
    if not outside.knows_tandoor:
        raise Unavailable("no Tandoor is known here: set MEALS_TANDOOR_URL and MEALS_TANDOOR_TOKEN")
    stream = RecipeSyncRequested(source="tandoor").stream_in(origin.household)
    with store.database.transaction() as db:
        at = checkpoints(db).get("sync_tandoor")
    for asked in reversed(store.read_stream(stream)):
        if asked.position <= (at.position if at else 0):
            break
        if isinstance(asked.event, RecipeSyncRequested) and (asked.event.full or not full):
            return Accepted(asked.correlation_id, asked.position, 0)
    full = full or _is_due(store, origin.household)
    if not full and not _lists_something_new(store, outside, origin.household):
        return None
    appended = store.append(stream, [RecipeSyncRequested(source="tandoor", full=full)], origin=origin)
    return Accepted(origin.correlation_id, appended.last, 1)


def _is_due(store: EventStore, household: str) -> bool:
    progress = Marks(store.database, household).progress()
    return progress is None or progress.full_at is None or progress.full_at < datetime.now(UTC) - FULL_EACH


def _lists_something_new(store: EventStore, outside: Outside, household: str) -> bool:
    known = Marks(store.database, household).all()
    try:
        with outside.tandoor(store.database) as tandoor:
            there = There.ask(tandoor)
    except Transient:  # who handles the request has more patience
        return True
    return bool(there.changed(known) or there.missing(known))
