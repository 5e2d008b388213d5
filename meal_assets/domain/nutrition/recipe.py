"""From a recipe's ingredient lines to what a serving holds, with every step kept so that it can be explained."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from meal_assets.contracts.values import MACROS, Nutrients
from meal_assets.domain.recipes.label import MAX_KCAL

from .amounts import amount_of, size_of
from .foods import NUTRIENTS, Food
from .matching import FoodIndex, Match
from .portions import Weight, weigh_count, weigh_volume
from .reading import Reading, is_heading
from .rules import NOT_FOOD, eaten, unsaid
from .vocabulary import STATE_WORDS
from .words import food_words

UNKNOWN_LINE_G = 50.0
"""What a line is taken to weigh, for the coverage, when nothing tells."""
MENTIONED_G = 10.0
"""The same for a serving, of a food that is only named, which is a topping; at most an unknown line."""
KNOWN_SHARE = 0.95
"""A nutrient is known of a dish when it is known of so much of its mass."""
NOTHING = "nothing"
"""A correction to this: the line is no food."""

_CITRUS = re.compile(r"\b(lemon|lime|orange|grapefruit)s?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """A food of a line: what it was called, grams and by which rule, the match; or why it counts for nothing.

    `grams` without a food is the mass that was not understood. `aside`: it is left out on purpose.
    """

    line: int
    text: str
    name: str
    grams: float
    rule: str
    match: Match | None = None
    corrected: bool = False
    aside: bool = False

    @property
    def understood(self) -> bool:
        return self.aside or self.match is not None


@dataclass(frozen=True, slots=True)
class Computed:
    """A recipe computed: `total` and `grams` of the whole of it; `servings` is None where the recipe does not say.

    `coverage` is the share of the mass that was understood, 0 where nothing was.
    """

    parts: tuple[Part, ...]
    total: Mapping[str, float | None]
    servings: float | None
    grams: float
    coverage: float

    @property
    def per_serving(self) -> Nutrients | None:
        """What a serving holds; None where that is not known, or nobody can eat it."""
        if self.servings is None or self.coverage == 0 or (self.total["kcal"] or 0) > MAX_KCAL * self.servings:
            return None
        return Nutrients(**{n: None if v is None else round(v / self.servings, 3) for n, v in self.total.items()})


def compute(
    readings: Sequence[Reading],
    servings: float | None,
    index: FoodIndex,
    corrections: Mapping[str, Food | None] | None = None,
) -> Computed:
    """What the lines come to. `corrections`: a food's words, as `food_key` makes them -> the food, None for no food."""
    known = corrections or {}
    parts = [part for n, r in enumerate(readings) for part in _parts(n, r, servings or 1.0, index, known)]
    counted = [p for p in parts if not p.aside]
    grams = sum(p.grams for p in counted)
    understood = sum(p.grams for p in counted if p.match is not None)
    return Computed(tuple(parts), _total(counted), servings, grams, understood / grams if grams else 0.0)


def food_key(name: str) -> str:
    """What a correction is remembered under: the words of the name, however they are spelled."""
    return " ".join(food_words(name))


def nutrients_of(food: Food, grams: float) -> dict[str, float | None]:
    """What so many grams of a food hold."""
    return {n: None if (v := getattr(food.per_100g, n)) is None else v * grams / 100 for n in NUTRIENTS}


def _total(parts: Iterable[Part]) -> dict[str, float | None]:
    held = [(p.grams, nutrients_of(p.match.food, p.grams)) for p in parts if p.match is not None]
    mass = sum(grams for grams, _ in held)
    sums: dict[str, float | None] = {}
    for nutrient in NUTRIENTS:
        known = sum(grams for grams, values in held if values[nutrient] is not None)
        told = nutrient in MACROS or (mass > 0 and known >= KNOWN_SHARE * mass)
        sums[nutrient] = sum(values[nutrient] or 0.0 for _, values in held) if told else None
    return sums


def _parts(
    n: int, reading: Reading, servings: float, index: FoodIndex, corrections: Mapping[str, Food | None]
) -> Iterable[Part]:
    if is_heading(reading.line):
        yield Part(n, reading.line, "", 0.0, "a heading", aside=True)
        return
    if NOT_FOOD.search(reading.line):
        yield Part(n, reading.line, "", 0.0, "no food", aside=True)
        return
    if not reading.names:
        yield Part(n, reading.line, "", UNKNOWN_LINE_G, "names no food that could be read")
        return
    names = reading.names if reading.all_names else reading.names[:1]
    for name in names:
        yield _part(n, reading, name, servings, 1 / len(names), index, corrections)


def _part(
    n: int,
    reading: Reading,
    name: str,
    servings: float,
    share: float,
    index: FoodIndex,
    corrections: Mapping[str, Food | None],
) -> Part:
    called = _called(reading, name)
    key = food_key(called)
    amount = amount_of(reading)
    if key in corrections:
        chosen = corrections[key]
        if chosen is None:
            return Part(n, reading.line, called, 0.0, "no food, as somebody said", corrected=True, aside=True)
        match: Match | None = Match(chosen, 1.0, "a person's correction")
    else:
        match = index.find(called, _hints(amount.kind if amount else "", amount.container if amount else ""))
    corrected = key in corrections
    if match is None:
        grams = amount.quantity if amount is not None and amount.kind in ("g", "ml") else UNKNOWN_LINE_G
        return Part(n, reading.line, called, grams * share, "no food is near enough")
    if amount is None:
        told = unsaid(reading, called, match.food)
        if told is None:
            return Part(n, reading.line, called, min(MENTIONED_G * servings, UNKNOWN_LINE_G), "says no amount")
        grams = told.grams * servings
        return Part(n, reading.line, called, grams, told.rule, match, corrected, aside=told.grams == 0)
    words = frozenset(food_words(f"{called} {reading.preparation} {reading.comment}"))
    weight: Weight | None
    if amount.kind == "g":
        weight = Weight(amount.quantity, amount.told)
    elif amount.kind == "ml":
        weight = weigh_volume(match.food, amount.quantity, words)
    else:
        weight = weigh_count(match.food, amount.quantity, amount.kind, size_of(reading), words)
    if weight is None:
        return Part(n, reading.line, called, UNKNOWN_LINE_G, f"nobody knows what {amount.told} of it weighs")
    weight = eaten(weight, amount, reading, match.food)
    shared = share if not any(m.each for m in reading.measures) else 1.0
    return Part(n, reading.line, called, weight.grams * shared, weight.rule, match, corrected)


def _called(reading: Reading, name: str) -> str:
    """The name with what the line does to it before it is measured: the juice of a lemon is no lemon."""
    if any(m.prepared for m in reading.measures):
        done_before = [w for w in food_words(reading.preparation) if w in STATE_WORDS]
        name = " ".join((*done_before, name))
    done = f"{reading.preparation} {reading.comment}".casefold()
    if (fruit := _CITRUS.search(name)) and "juice" not in name.casefold() and "zest" not in name.casefold():
        if "juice" in done:
            return f"{fruit[1]} juice"
        if "zest" in done or "peel of" in done:
            return f"{fruit[1]} zest"
    return name


def _hints(unit: str, container: str) -> list[str]:
    """In which state the food is measured, beside its name."""
    return [u for u in (unit, container) if u in ("can", "tin")]
