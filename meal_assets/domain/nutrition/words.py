"""Food words in one form: singular, in the English of USDA, without what says nothing about which food it is."""

import re
from functools import cache, lru_cache

from meal_assets.domain.recipes.words import fold, words

from .vocabulary import SAME, SYNONYMS

_VES = {"leaves": "leaf", "loaves": "loaf", "halves": "half", "calves": "calf", "knives": "knife", "hooves": "hoof"}


@lru_cache(maxsize=16_384)
def singular(word: str) -> str:
    """The folded word as USDA and cooks would both write it in singular: `tomatoes` -> tomato, `leaves` -> leaf."""
    if word in _VES:
        return _VES[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or word in SAME:
        return word
    if word.endswith("ies") and len(word) > 4 and word not in {"cookies", "brownies", "smoothies", "pies", "veggies"}:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "oes")):
        return word[:-2]
    return word[:-1]


@cache
def _synonyms() -> dict[tuple[str, ...], tuple[str, ...]]:
    pairs = (pair.split(" = ") for pair in re.split(r"[;\n]", SYNONYMS) if pair.strip())
    return {tuple(map(singular, words(said))): tuple(map(singular, words(meant))) for said, meant in pairs}


@cache
def _longest() -> int:
    return max(map(len, _synonyms()))


def food_words(text: str) -> list[str]:
    """The words of a text in singular, with what is meant for what is said; of two phrases that overlap the longer."""
    found = [singular(word) for word in words(fold(text))]
    told: list[str] = []
    start = 0
    while start < len(found):
        for length in range(min(_longest(), len(found) - start), 0, -1):
            if (meant := _synonyms().get(tuple(found[start : start + length]))) is not None:
                told += meant
                break
        else:
            length = 1
            told.append(found[start])
        start += length
    return told
