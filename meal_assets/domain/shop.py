"""From what a week needs to what to put into the basket: less what is at home, in the packs it is sold in, by aisle."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meal_assets.contracts.kitchen import KnownFood

from .nutrition import food_key
from .pantry import NOTHING, Lot, first_to_expire
from .shopping import DIGITS, Item, Use
from .units import PIECE

OTHER = "other"
WHOLE = frozenset(
    (PIECE, "bunch", "head", "bulb", "can", "tin", "jar", "bottle", "package", "packet", "bag", "box", "carton")
) | {"container", "tub", "loaf", "stick", "block", "ear"}
"""Units of which nobody sells a half."""
MAX_SIZES = 5
"""Of one food that are tried."""
EXCHANGED = 3
"""Packs of a size, at most, that smaller ones take the place of."""


@dataclass(frozen=True, slots=True)
class Shop:
    """How a shop is laid out. `words` of a name -> aisle, `groups` of USDA -> aisle, `pieces`: food -> its cartons."""

    aisles: tuple[str, ...]
    words: Mapping[str, str]
    groups: Mapping[str, str]
    pieces: Mapping[str, tuple[float, ...]]

    def aisle_of(self, name: str, food: KnownFood | None) -> str:
        """By the known words that stand last in its name, since they say what it is; else by its food's group."""
        said = f" {food_key(name)} "
        known = [(said.rfind(f" {words} ") + len(words), len(words), words) for words in self.words]
        if last := max((k for k in known if f" {k[2]} " in said), default=None):
            return self.words[last[2]]
        return self.groups.get(food.group, OTHER) if food else OTHER

    def packs_of(self, food: KnownFood | None, unit: str) -> tuple[float, ...]:
        """The sizes in which so a food is sold, in this unit; none where they are not known."""
        if unit == PIECE and food is not None and food.food in self.pieces:
            return self.pieces[food.food]
        if unit in WHOLE and (food is not None or unit != PIECE):
            return (1.0,)
        if food is not None and unit == "g":
            return food.packs_g
        if food is not None and unit == "ml" and food.grams_per_ml:
            return tuple(round(grams / food.grams_per_ml, DIGITS) for grams in food.packs_g)
        return ()


@dataclass(frozen=True, slots=True)
class Taken:
    """So much of a lot for a dish; `quantity` in the unit of the list, `lot_quantity` in that of the lot."""

    lot: Lot
    use: Use
    quantity: float
    lot_quantity: float


@dataclass(frozen=True, slots=True)
class ToBuy:
    """A line of the list: `quantity` of it is to be bought, in `packs` (size, how many) where they are known.

    Quantity and missing are None where no amount was ever given.
    """

    item: Item
    aisle: str
    taken: tuple[Taken, ...]
    missing: float | None
    packs: tuple[tuple[float, int], ...]

    @property
    def quantity(self) -> float | None:
        return round(sum(size * count for size, count in self.packs), DIGITS) if self.packs else self.missing

    @property
    def at_home(self) -> float:
        return round(sum(t.quantity for t in self.taken), DIGITS)


def to_buy(items: Iterable[Item], pantry: Iterable[Lot], shop: Shop) -> list[ToBuy]:
    """The list by aisle. A lot is taken for a dish that is cooked while it is good, the first to expire first."""
    shelf = dict(enumerate(first_to_expire(pantry)))
    found = []
    for item in sorted(items, key=lambda i: (i.item, i.unit)):
        taken = tuple(_take(item, shelf))
        missing = item.quantity
        if missing is not None and taken:
            missing = round(missing - sum(t.quantity for t in taken), DIGITS)
            missing = missing if missing > len(item.uses) * 10**-DIGITS else 0.0  # each use is rounded
        packs = packed(missing, shop.packs_of(item.food, item.unit)) if missing else ()
        found.append(ToBuy(item, shop.aisle_of(item.item, item.food), taken, missing, packs))
    order = {aisle: n for n, aisle in enumerate((*shop.aisles, OTHER))}
    return sorted(found, key=lambda b: (order[b.aisle], b.item.item.casefold(), b.item.item, b.item.unit))


def packed(need: float, sizes: Sequence[float]) -> tuple[tuple[float, int], ...]:
    """(size, how many), the largest first: enough with little left over, less than the smallest, then in few packs."""
    largest_first = sorted(sizes, reverse=True)
    if len(largest_first) > MAX_SIZES:
        largest_first = [*largest_first[: MAX_SIZES - 1], largest_first[-1]]
    if not largest_first:
        return ()
    counts = min(
        _ways(need, largest_first),
        key=lambda c: (round(sum(s * n for s, n in zip(largest_first, c, strict=True)), DIGITS), sum(c)),
    )
    return tuple((size, count) for size, count in zip(largest_first, counts, strict=True) if count)


def _ways(need: float, sizes: Sequence[float]) -> Iterable[tuple[int, ...]]:
    """Ways to have enough: of each size one more than fit, as many as fit, or a few less for smaller ones."""
    first, *others = sizes
    enough = math.ceil(round(max(need, 0.0) / first, 9))
    if not others:
        yield (enough,)
        return
    for count in range(enough, max(enough - EXCHANGED, 0) - 1, -1):
        for more in _ways(need - count * first, others):
            yield (count, *more)


def _take(item: Item, shelf: dict[int, Lot]) -> Iterable[Taken]:
    if item.quantity is None:
        return
    keys = {food_key(name) for name in (item.item, *item.names)}
    for use in item.uses:
        left = use.quantity or 0.0
        for n, lot in shelf.items():
            if left <= NOTHING:
                break
            worth = _worth(lot, item) if _is(lot, item, keys) else None
            late = lot.expires is not None and use.day is not None and lot.expires < use.day
            if worth is None or late or lot.quantity <= NOTHING:
                continue
            quantity = min(left, lot.quantity * worth)
            shelf[n] = lot.less(quantity / worth)
            left -= quantity
            yield Taken(lot, use, quantity, quantity / worth)


def _is(lot: Lot, item: Item, keys: set[str]) -> bool:
    if lot.food is not None and item.food is not None:
        return lot.food == item.food.food
    return food_key(lot.item) in keys


def _worth(lot: Lot, item: Item) -> float | None:
    """How much of the item's unit one of the lot's unit is; None where nobody can tell."""
    if lot.unit == item.unit:
        return 1.0
    if not lot.grams or not item.grams or not item.quantity or not lot.quantity:
        return None
    return (lot.grams / lot.quantity) / (item.grams / item.quantity)
