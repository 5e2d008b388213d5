"""What cooks leave unsaid, each as a stated figure: amounts to taste, oil left in the pan, bones, a can's liquid."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from .amounts import Amount
from .foods import Food
from .portions import Weight
from .reading import Reading
from .words import food_words

FRYING_ML = 200.0
"""From here on oil is a bath, and only `ABSORBED` of it is eaten."""
ABSORBED = 0.1
BONE_PCT = 20.0
"""Of meat on the bone, where the food does not tell."""
DRAINED = 0.62
"""What stays of a can's weight when its liquid is poured off."""
HERB_G = 1.0
"""Grams a serving of leaves to strew."""
SALT_G = 0.4
"""Grams a serving of salt to taste."""
UNSAID_G = {"Spices and Herbs": 0.1, "Fats and Oils": 3.5}
"""Grams a serving, by group: a pinch of a spice, oil for the pan."""
UNSAID_OTHER_G = 2.0
"""Of a squeeze, a sprinkle, flour for the board: what is named with a purpose but without an amount."""

_FRYING = re.compile(r"\b(?:deep[- ]?)?fry(?:ing)?\b", re.IGNORECASE)
_ASIDE = re.compile(
    r"\b(?:to serve|for serving|serving|garnish|optional|topping|toppings|to decorate|if desired|accompaniment"
    r"|as needed|decoration)\b",
    re.IGNORECASE,
)
_LITTLE = re.compile(
    r"\b(?:to taste|taste|dust(?:ing)?|greas(?:e|ing)|brush(?:ing)?|sprinkl(?:e|ing)|drizzl(?:e|ing)|fry(?:ing)?|pan"
    r"|coat(?:ing)?|roll(?:ing)?|knead(?:ing)?|spray|squeeze)\b",
    re.IGNORECASE,
)
_BONE = re.compile(
    r"\bbone[- ]in\b|\bwhole\b|\bwings?\b|\bdrumsticks?\b|\bribs?\b|\blegs?\b|\bshanks?\b", re.IGNORECASE
)
_READY = re.compile(
    r"\b(?:peeled|seeded|pitted|shelled|hulled|cored|trimmed|flor?ets?|cubed|diced|chopped|sliced|frozen|canned|boneless"
    r"|fillets?|meat|flesh|cooked|shredded|minced|grated|puree|baby)\b",
    re.IGNORECASE,
)
_DRAINED = re.compile(r"\bdrained\b", re.IGNORECASE)
_HERB = re.compile(
    r"\b(?:parsley|cilantro|coriander|basil|mint|dill|chives?|thyme|rosemary|sage|tarragon|scallions?|green onions?"
    r"|spring onions?|microgreens|herbs?|leaves|sprouts)\b"
)
_PRODUCE = frozenset(("Vegetables and Vegetable Products", "Fruits and Fruit Juices"))
_MEAT = frozenset(
    (
        "Poultry Products",
        "Pork Products",
        "Beef Products",
        "Lamb, Veal, and Game Products",
        "Finfish and Shellfish Products",
    )
)


NOT_FOOD = re.compile(
    r"\b(?:skewers?|parchment|foil|tooth ?picks?|paper towels?|twine|popsicle sticks?|(?:cupcake|muffin) liners?"
    r"|muffin cups|thermometer|cheesecloth|plastic wrap|baking (?:sheet|dish|pan)|cookie cutters?|cutter|ramekins?"
    r"|piping bags?)\b",
    re.IGNORECASE,
)
"""What recipes list and nobody eats."""


class Unsaid(NamedTuple):
    """What to make of a line without an amount: grams a serving, or that it is left aside."""

    grams: float
    rule: str


def unsaid(reading: Reading, name: str, food: Food) -> Unsaid | None:
    """Grams a serving of a food that is only named; None where nothing can be said."""
    said = " ".join((reading.comment, reading.purpose, reading.preparation))
    if _ASIDE.search(said) and not _LITTLE.search(said):
        return Unsaid(0.0, "without an amount, to be served with it: not counted")
    if food.per_100g.kcal == 0 and "salt" in food_words(name):
        return Unsaid(SALT_G, f"to taste: {SALT_G:g} g a serving")
    if food.group != "Spices and Herbs" and _HERB.search(name.casefold()):
        return Unsaid(HERB_G, f"leaves without an amount: {HERB_G:g} g a serving")
    if food.group in UNSAID_G:
        return Unsaid(UNSAID_G[food.group], f"without an amount: {UNSAID_G[food.group]:g} g a serving")
    if food.per_100g.kcal == 0:
        return Unsaid(0.0, "without an amount, and without energy: not counted")
    if _LITTLE.search(said):
        return Unsaid(UNSAID_OTHER_G, f"a little: {UNSAID_OTHER_G:g} g a serving")
    return None


def eaten(weight: Weight, amount: Amount, reading: Reading, food: Food) -> Weight:
    """What of the weight is eaten."""
    parts = _parts(weight, amount, reading, food)
    for share, rule in parts:
        weight = Weight(weight.grams * share, f"{weight.rule}; {rule}")
    return weight


def _parts(weight: Weight, amount: Amount, reading: Reading, food: Food) -> Iterable[tuple[float, str]]:
    said = " ".join((reading.purpose, reading.comment, reading.preparation))
    named = " ".join(reading.names)
    if food.group == "Fats and Oils" and _FRYING.search(f"{said} {named}") and weight.grams >= FRYING_ML * 0.9:
        yield ABSORBED, f"a bath to fry in: {ABSORBED:.0%} is eaten"
    canned = amount.container in ("can", "tin", "jar") and amount.kind == "g"
    if canned and "drained" in food.description.casefold():
        yield DRAINED, f"drained: {DRAINED:.0%} of a can"
    if amount.kind != "g" or canned:
        return
    prepared = any(m.prepared for m in reading.measures) or _READY.search(named)
    bone = food.group in _MEAT and _BONE.search(f"{named} {said}")
    refuse = BONE_PCT if bone and not food.refuse_pct else food.refuse_pct
    if refuse and (bone or (food.group in _PRODUCE and not prepared)):
        yield 1 - refuse / 100, f"{refuse:g} % of it is not eaten"
