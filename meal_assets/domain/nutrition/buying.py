"""What of which food a recipe's lines need to be bought: as written, and in grams where the food itself tells."""

import re
from collections.abc import Iterator, Mapping, Sequence

from meal_assets.contracts.kitchen import KnownFood, Wanted
from meal_assets.domain.units import AS_WRITTEN, PIECE

from .amounts import Amount, amount_of, size_of
from .foods import Food, Portion
from .matching import FoodIndex
from .portions import weigh_count, weigh_volume
from .reading import Reading, is_heading
from .recipe import food_key
from .rules import NOT_FOOD
from .words import food_words

SURE = 0.8
"""A worse match may do for nutrition, but nobody should buy it instead."""
CUP_ML = 236.5882365
LEAST_PACK_G = 5.0
"""Less is a tea bag, or a portion for one cup."""
ABOUT = 0.25
"""A pack whose ounces and grams are further apart is a slip of its source."""
MAX_GRAMS = 1_000_000.0

SOLD_BY_WEIGHT = frozenset(("Beef Products", "Poultry Products"))
"""Groups of which a package is as heavy as what lies in it."""

_PACK = re.compile(
    r"(?:can|jar|bottle|package|bag|box|carton|container|block|tub|loaf)\b(?!.*\b(?:individual|yields|or)\b)"
)
_OUNCES = re.compile(r"(\d*\.?\d+) oz")
OUNCE_G = 28.349523125


def wanted_of(
    readings: Sequence[Reading], index: FoodIndex, corrections: Mapping[str, Food | None]
) -> tuple[tuple[Wanted, ...], tuple[KnownFood, ...]]:
    """What each line needs, and the foods among it by id. Headings and what nobody eats need nothing."""
    foods: dict[str, Food] = {}
    wanted = tuple(w for n, reading in enumerate(readings) for w in _of_line(n, reading, index, corrections, foods))
    return wanted, tuple(known_food(foods[food]) for food in sorted(foods))


def food_of(
    name: str, index: FoodIndex, corrections: Mapping[str, Food | None], hints: Sequence[str] = ()
) -> Food | None:
    """The food that is surely meant by a name; None where that is not sure."""
    key = food_key(name)
    if key in corrections:
        return corrections[key]
    match = index.find(name, hints)
    return match.food if match is not None and match.score >= SURE and match.by not in match.food.like else None


def grams_of(
    food: Food, quantity: float, kind: str, size: str = "", words: frozenset[str] = frozenset()
) -> float | None:
    """What so much weighs (kind g, ml, piece or another word); None where the food itself does not tell."""
    if kind == "g":
        return quantity
    weight = weigh_volume(food, quantity, words) if kind == "ml" else weigh_count(food, quantity, kind, size, words)
    return round(weight.grams, 3) if weight is not None and weight.known and weight.grams <= MAX_GRAMS else None


def known_food(food: Food) -> KnownFood:
    """What the kitchen needs to know of a food."""
    cup, piece = grams_of(food, CUP_ML, "ml"), grams_of(food, 1, PIECE)
    return KnownFood(
        food=food.food,
        description=food.description[:255],
        group=food.group[:255],
        grams_per_ml=round(cup / CUP_ML, 4) if cup else None,
        grams_per_piece=piece or None,
        packs_g=() if food.group in SOLD_BY_WEIGHT else _packs(food),
    )


def _packs(food: Food) -> tuple[float, ...]:
    return tuple(sorted({round(p.grams, 1) for p in food.portions if _is_pack(p)}))


def _is_pack(portion: Portion) -> bool:
    unit = portion.unit.casefold()
    if not _PACK.match(unit) or portion.grams < LEAST_PACK_G:
        return False
    told = _OUNCES.search(unit)
    return told is None or abs(float(told[1]) * OUNCE_G - portion.grams) <= ABOUT * portion.grams


def _of_line(
    n: int, reading: Reading, index: FoodIndex, corrections: Mapping[str, Food | None], foods: dict[str, Food]
) -> Iterator[Wanted]:
    if is_heading(reading.line) or NOT_FOOD.search(reading.line):
        return
    names = [name for name in (reading.names if reading.all_names else reading.names[:1]) if food_words(name)]
    if not names:
        yield Wanted(line=n, item=reading.line, quantity=1, unit=AS_WRITTEN)
        return
    amount = amount_of(reading)
    share = 1.0 if any(m.each for m in reading.measures) else 1 / len(names)
    hints = [h for h in ((amount.kind, amount.container) if amount else ()) if h in ("can", "tin")]
    for name in names:
        food = food_of(name, index, corrections, hints)
        if food is not None:
            foods[food.food] = food
        yield _wanted(n, reading, name, food, amount, share)


def _wanted(n: int, reading: Reading, name: str, food: Food | None, amount: Amount | None, share: float) -> Wanted:
    known = food.food if food else None
    if amount is None or not 0 <= amount.quantity <= MAX_GRAMS:
        return Wanted(line=n, item=name, food=known)
    quantity = amount.quantity * share
    unit = amount.kind[:64]
    grams: float | None = quantity if unit == "g" else None
    if food is not None:
        words = frozenset(food_words(f"{name} {reading.preparation} {reading.comment}"))
        grams = grams_of(food, quantity, unit, size_of(reading), words)
    return Wanted(line=n, item=name, food=known, quantity=quantity, unit=unit, grams=grams)
