"""What is at home: lots of items with what they weigh and until when they are good, used in the order they expire."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.pantry import PantryItemStocked, PantryItemUsed
from meal_assets.errors import Invalid

from .nutrition import food_key
from .shopping import shown

NOTHING = 1e-6
"""Less than this is none."""


@dataclass(frozen=True, slots=True)
class Lot:
    """So much of an item that came in at once; `grams` of all of it, None where the food does not tell."""

    key: str
    item: str
    quantity: float
    unit: str
    food: str | None = None
    grams: float | None = None
    expires: date | None = None
    frozen: bool = False

    def less(self, quantity: float) -> "Lot":
        """What is left when so much of its unit is taken."""
        left = max(self.quantity - quantity, 0.0)
        share = left / self.quantity if self.quantity else 0.0
        return replace(self, quantity=left, grams=None if self.grams is None else self.grams * share)


def pantry_key(item: str) -> str:
    """What an item is known by, however it is spelled. Raises `Invalid` when it has no word."""
    key = "".join(c if c.isascii() and c.isalnum() else "-" for c in food_key(item))[:128].strip("-")
    if not key:
        raise Invalid("item", f"{item!r} has no word in it: write what it is, as `red lentils`")
    return key


def first_to_expire(lots: Iterable[Lot]) -> list[Lot]:
    """In the order in which they should be used; of two the one that came first."""
    return sorted(lots, key=lambda lot: lot.expires or date.max)


def lots_of(history: Iterable[Event]) -> list[Lot]:
    """What is left of an item by its stream."""
    lots: list[Lot] = []
    for event in history:
        match event:
            case PantryItemStocked():
                lots.append(stocked(event))
            case PantryItemUsed():
                lots = used(lots, event.unit, event.quantity)
    return lots


def stocked(event: PantryItemStocked) -> Lot:
    """The lot that came in."""
    return Lot(event.key, event.item, event.quantity, event.unit, event.food, event.grams, event.expires, event.frozen)


def used(lots: Sequence[Lot], unit: str, quantity: float) -> list[Lot]:
    """The lots when so much of a unit is taken from those that expire first; at most what there is."""
    left = dict(enumerate(lots))
    for n in sorted(left, key=lambda n: (lots[n].expires or date.max, n)):
        if lots[n].unit == unit:
            taken = min(quantity, lots[n].quantity)
            quantity -= taken
            left[n] = lots[n].less(taken)
    return [lot for lot in left.values() if lot.quantity > NOTHING]


def use(history: Iterable[Event], key: str, item: str, amount: tuple[float, str] | None) -> list[Event]:
    """Take so much of a unit, or all there is of the item. Raises `Invalid` when less is there."""
    lots = lots_of(history)
    if not lots:
        raise Invalid("item", f"no {item} is in the pantry: `meals pantry list` shows what is")
    there = {unit: sum(lot.quantity for lot in lots if lot.unit == unit) for unit in sorted({lot.unit for lot in lots})}
    if amount is None:
        return [PantryItemUsed(key=key, item=item, quantity=quantity, unit=unit) for unit, quantity in there.items()]
    quantity, unit = amount
    if quantity > there.get(unit, 0.0) + NOTHING:
        told = ", ".join(shown(q, u) for u, q in there.items())
        raise Invalid("amount", f"{shown(quantity, unit)} of {item} is more than is there: {told}")
    return [PantryItemUsed(key=key, item=item, quantity=quantity, unit=unit)]
