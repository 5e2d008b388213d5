"""How much of a dish is at home, and how soon that goes off."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from meal_assets.contracts.kitchen import IngredientsWeighed
from meal_assets.contracts.recipe import RecipeFetched

from .pantry import Lot
from .recipes.words import contains, singulars, words

SOON_DAYS: Final = 14
"""What is good for longer, after Monday of the week, does not press."""
PRESSING_SHARE: Final = 0.5
"""Half counts what of the dish is there, half how soon it goes off."""


def at_hand(recipe: RecipeFetched, weighed: IngredientsWeighed | None, lots: Sequence[Lot], week: date) -> float:
    """From 0, nothing of the dish is at home, to 1, all of it is and goes off on Monday.

    Where its ingredients were weighed, by their grams; else, and where foods are not known, by its lines. What goes off
    before the week is none.
    """
    good = [lot for lot in lots if lot.expires is None or lot.frozen or lot.expires >= week]
    if not good:
        return 0.0
    lines = [f"{i.line} {i.food or ''}" for i in recipe.ingredients]
    forms = {form for word in words(" ".join(lines)) for form in singulars(word)}
    used = [lot for lot in good if _may_be_named(lot, forms) and any(contains(line, lot.item) for line in lines)]
    share = sum(any(contains(line, lot.item) for lot in used) for line in lines) / len(lines)
    if weighed is not None and weighed.content_hash == recipe.content_hash:
        wanted = {w.food for w in weighed.wanted if w.food is not None}
        used += [lot for lot in good if lot.food in wanted]
        share = max(share, _share_of_grams(weighed, good))
    if not used:
        return 0.0
    return (1 - PRESSING_SHARE) * share + PRESSING_SHARE * max(_pressing(lot, week) for lot in used)


def _share_of_grams(weighed: IngredientsWeighed, lots: Sequence[Lot]) -> float:
    left: dict[str, float] = {}
    for lot in lots:
        if lot.food is not None and lot.grams is not None:
            left[lot.food] = left.get(lot.food, 0.0) + lot.grams
    total = covered = 0.0
    for wanted in weighed.wanted:
        if wanted.grams:
            total += wanted.grams
            if wanted.food is not None:
                taken = min(wanted.grams, left.get(wanted.food, 0.0))
                left[wanted.food] = left.get(wanted.food, 0.0) - taken
                covered += taken
    return covered / total if total else 0.0


def _pressing(lot: Lot, week: date) -> float:
    if lot.expires is None or lot.frozen:
        return 0.0
    return max(0.0, 1 - max(lot.expires - week, timedelta(0)).days / SOON_DAYS)


def _may_be_named(lot: Lot, forms: set[str]) -> bool:
    """Whether the first word of the item stands anywhere; cheaper than looking at each line."""
    first = next(iter(words(lot.item)), None)
    return first is None or not forms.isdisjoint(singulars(first))
