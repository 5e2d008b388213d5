"""What comes into the pantry, and what goes out of it."""

from collections.abc import Sequence
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.pantry import PantryItemStocked
from meal_assets.domain import pantry
from meal_assets.domain.nutrition import food_of, grams_of
from meal_assets.domain.units import in_base
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.foods.known import foods_known

from .base import Accepted, command


def stock(
    store: EventStore,
    item: str,
    quantity: float,
    unit: str,
    origin: Origin,
    *,
    expires: date | None = None,
    frozen: bool = False,
) -> Accepted:
    """Put so much of an item into the pantry. Raises `Invalid` when it has no word, or the amount is none."""
    if not quantity > 0:
        raise Invalid("amount", f"{quantity:g} is nothing to put away")
    size, base = in_base(unit)
    known = foods_known(store, origin.household, store.head())
    food = food_of(item, known.index, known.corrections)
    amount = quantity * size
    event = PantryItemStocked(
        key=pantry.pantry_key(item),
        item=item,
        quantity=amount,
        unit=base,
        food=food.food if food else None,
        grams=grams_of(food, amount, base) if food else amount if base == "g" else None,
        expires=expires,
        frozen=frozen,
    )
    return command(store, event.stream_in(origin.household), lambda _: [event], origin)


def use(store: EventStore, item: str, amount: tuple[float, str] | None, origin: Origin) -> Accepted:
    """Take so much of an item out of the pantry, all of it without an amount. Raises `Invalid` when less is there."""
    key = pantry.pantry_key(item)
    taken: tuple[float, str] | None = None
    if amount is not None:
        if not amount[0] > 0:
            raise Invalid("amount", f"{amount[0]:g} is nothing to take")
        size, base = in_base(amount[1])
        taken = amount[0] * size, base

    def decide(history: list[Event]) -> Sequence[Event]:
        return pantry.use(history, key, item, taken)

    return command(store, f"{origin.household}/pantry/{key}", decide, origin)
