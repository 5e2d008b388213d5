"""The words and rules of foods.toml and diets.toml as they are looked up: parts of the program, read once.

A phrase is a tuple of words in the singular. A group is a food or kind of food.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from ..recipes.words import fold, singulars, words

Sign = Literal["is", "only looks so", "is free of it", "is a trace"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """So many words one after the other, and what they say of which groups."""

    forms: tuple[frozenset[str], ...]
    says: tuple[tuple[str, Sign], ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Nutrient -> the least and the most that a serving holds."""

    least: Mapping[str, float]
    most: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """One diet: groups no dish carries, and what a serving of any dish, of a main dish and of others holds."""

    without: tuple[str, ...]
    serving: Bounds
    main: Bounds
    small_protein_pct: float | None
    source: str

    @property
    def asks_for_nutrition(self) -> bool:
        """Whether words alone cannot tell."""
        bounds = (self.serving.least, self.serving.most, self.main.least, self.main.most)
        return any(bounds) or self.small_protein_pct is not None


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


@cache
def _foods() -> Mapping[str, Any]:
    return MappingProxyType(_read("foods.toml"))


@cache
def _told() -> Mapping[str, Any]:
    return MappingProxyType(_read("diets.toml"))


@cache
def allergens() -> Mapping[str, tuple[str, ...]]:
    """A word somebody excludes -> the groups of foods it stands for."""
    return {word: tuple(groups) for word, groups in _foods()["allergens"].items()}


@cache
def rules() -> Mapping[str, Rule]:
    """Each diet by its name."""
    return {
        name: Rule(
            tuple(told.get("without", ())),
            _bounds(told.get("serving", {})),
            _bounds(told.get("main", {})),
            told.get("small"),
            told["source"],
        )
        for name, told in _told()["diets"].items()
    }


def sources() -> dict[str, str]:
    """Diet -> where its rule comes from."""
    return {name: rule.source for name, rule in rules().items()}


@cache
def proteins() -> tuple[str, ...]:
    """Sources of protein, the one that counts first."""
    return tuple(_foods()["proteins"])


@cache
def protein_of_group() -> Mapping[str, str]:
    """Group -> the source of protein it is."""
    return {group: told["protein"] for group, told in _foods()["foods"].items() if "protein" in told}


@cache
def told_by_titles() -> frozenset[str]:
    """The groups whose names are to be taken at their word in a title."""
    return frozenset(group for group, told in _foods()["foods"].items() if told.get("title"))


@cache
def trace_ends() -> frozenset[str]:
    """Words that make the name before them a trace of its protein: chicken broth."""
    return frozenset(form for word in _listed(_foods()["trace_ends"]) for form in singulars(word[0]))


@cache
def phrases() -> Mapping[str, tuple[Phrase, ...]]:
    """First word, in any form it may have in the singular -> the phrases that begin with it."""
    says: dict[tuple[str, ...], list[tuple[str, Sign]]] = defaultdict(list)
    foods = _foods()["foods"]
    for group, told in foods.items():
        others = [foods[of] for of in told.get("but_of", ())]
        kinds: tuple[tuple[Sign, list[str]], ...] = (
            ("is", [told["words"]]),
            ("only looks so", [t.get("but", "") for t in (told, *others)]),
            ("is free of it", [t.get("free", "") for t in (told, *others)]),
            ("is a trace", [told.get("traces", "")]),
        )
        for sign, texts in kinds:
            for phrase in {phrase for text in texts for phrase in _listed(text)}:
                says[phrase].append((group, sign))
    found: dict[str, list[Phrase]] = defaultdict(list)
    for phrase, said in sorted(says.items()):
        entry = Phrase(tuple(singulars(word) for word in phrase), tuple(said))
        for form in entry.forms[0]:
            found[form].append(entry)
    return {form: tuple(entries) for form, entries in found.items()}


@cache
def cuisines() -> Mapping[str, str]:
    """What a cuisine is called, folded -> its name."""
    return {
        " ".join(phrase): name.replace("-", " ")
        for name, listed in _told()["cuisines"].items()
        for phrase in _listed(listed)
    }


@cache
def languages() -> frozenset[str]:
    """Those of the words."""
    return frozenset(_told()["languages"])


@cache
def language_words() -> tuple[frozenset[str], frozenset[str]]:
    """Small words of English, and those of other languages."""
    return frozenset(fold(_told()["english"]).split()), frozenset(fold(_told()["foreign"]).split())


def _listed(text: str) -> Iterator[tuple[str, ...]]:
    return (tuple(found) for part in text.split(",") if (found := words(part)))


def _bounds(told: Mapping[str, Mapping[str, float]]) -> Bounds:
    return Bounds(
        {n: bound["least"] for n, bound in told.items() if "least" in bound},
        {n: bound["most"] for n, bound in told.items() if "most" in bound},
    )
