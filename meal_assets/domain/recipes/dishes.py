"""What a planner asks of a recipe: when it is eaten, what is in it, how long it takes."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.values import Meal

from .occasions import CONDIMENTS, MAIN, OCCASIONS
from .words import contains, singulars, words

MEAL_KCAL = 250
"""A dish of unknown kind with less is a snack."""

_HEAD_ENDS = re.compile(
    r"[(\[{|:,\u2013\u2014]| - |\s&\s"
    r"|\s(?:with|for|in|on|and|mit|für|und|met|voor|en|med|och|og|avec|et|com|para|con|per)\s",
    re.IGNORECASE,
)
_RECIPE = frozenset(("recipe", "rezept", "recept", "recette", "receita", "receta", "ricetta", "opskrift"))


def meals_for(recipe: RecipeFetched) -> frozenset[Meal]:
    """The meals a dish suits, by its categories, else its keywords, else its title, else its energy.

    Empty for what is never a meal of its own: sauces, spice mixes, jams.
    """
    head = _head(recipe.title)
    forms = [singulars(word) for word in head]
    if any(_ends_in(forms, condiment) for condiment in _condiments()):
        return frozenset()
    if found := list(_occasions(recipe.categories)):
        return frozenset().union(*found)
    for texts in (recipe.keywords, (" ".join(head),)):
        if meals := frozenset[Meal]().union(*_occasions(texts)):
            return meals
    if recipe.per_serving is None or recipe.per_serving.kcal >= MEAL_KCAL:
        return MAIN
    return frozenset({"snack"})


def carries_word(recipe: RecipeFetched, word: str) -> bool:
    """Whether the title or an ingredient has this word or phrase, in singular or plural; `egg` is not in `eggplant`."""
    lines = (text for i in recipe.ingredients for text in (i.line, i.food) if text)
    return contains(recipe.title, word) or any(contains(line, word) for line in lines)


def minutes(recipe: RecipeFetched) -> int | None:
    """Minutes from start to table; where only preparation or cooking is known, that."""
    if recipe.total_minutes is not None:
        return recipe.total_minutes
    known = [m for m in (recipe.prep_minutes, recipe.cook_minutes) if m is not None]
    return sum(known) if known else None


def _head(title: str) -> list[str]:
    """The words that name the dish: `Grilled salmon with blackberry sauce` -> grilled salmon."""
    head = [w for w in words(_HEAD_ENDS.split(title, maxsplit=1)[0]) if w not in _RECIPE]
    return head or words(title)


def _phrases(listed: str) -> Iterator[list[str]]:
    return (words(phrase) for phrase in listed.split(", "))


def _ends_in(forms: list[frozenset[str]], phrase: tuple[frozenset[str], ...]) -> bool:
    """Whether the last words are those of a phrase, each in any of its forms."""
    last = forms[-len(phrase) :]
    return len(last) == len(phrase) and not any(map(frozenset.isdisjoint, last, phrase))


@cache
def _condiments() -> tuple[tuple[frozenset[str], ...], ...]:
    return tuple(tuple(map(singulars, phrase)) for phrase in _phrases(CONDIMENTS))


@cache
def _index() -> dict[tuple[str, ...], frozenset[Meal]]:
    return {tuple(phrase): meals for meals, listed in OCCASIONS for phrase in _phrases(listed)}


@cache
def _longest() -> int:
    return max(map(len, _index()))


def _occasions(texts: Iterable[str]) -> Iterator[frozenset[Meal]]:
    """What the phrases of these texts stand for; of two that overlap, the longer."""
    for text in texts:
        found, start = words(text), 0
        while start < len(found):
            length, meals = _at(found[start : start + _longest()])
            if meals is not None:
                yield meals
            start += length


def _at(found: list[str]) -> tuple[int, frozenset[Meal] | None]:
    for length in range(len(found), 0, -1):
        for phrase in product(*(sorted(singulars(word)) for word in found[:length])):
            if (meals := _index().get(phrase)) is not None:
                return length, meals
    return 1, None
