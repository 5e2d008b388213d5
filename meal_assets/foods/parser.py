"""Reads ingredient lines with ingredient-parser-nlp, offline: what it would download lies beside this module.

Importing the parser takes seconds and 200 MB, a line milliseconds: nothing here is imported before a line is read.
"""

import re
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meal_assets.domain.nutrition.reading import Join, Measure, Reading

if TYPE_CHECKING:
    from ingredient_parser.dataclasses import IngredientAmount, ParsedIngredient

READING = 1
"""Raise it when the same line is read otherwise: what was read before is then read anew."""
MAX_LINE = 500
"""Characters of a line that are read; what stands after them is no ingredient but a story."""
TAGGER = Path(__file__).parent / "tagger"
BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_BULLET = re.compile(r"^[\s•▢☐□*·–—-]+(?=\S)")
_LOOSE_HYPHEN = re.compile(r"(?<=\d)\s*[-‑]\s+(?=(?:ounces?|oz|lbs?|pounds?|g|grams?|ml|inch|cm)\b)", re.IGNORECASE)
_SPELLED = (
    (re.compile(r"^(?:a |one )?half (?:an?|of an?|a)\b", re.IGNORECASE), "1/2"),
    (re.compile(r"\b(?:a )?half[- ]dozen\b", re.IGNORECASE), "6"),
    (re.compile(r"\ba dozen\b", re.IGNORECASE), "12"),
    (re.compile(r"^(?:a|one) (?:couple|pair)(?: of)?\b", re.IGNORECASE), "2"),
    (re.compile(r"\s*\+\s*(?=[\d¼½¾⅓⅔⅛])"), " plus "),
    (re.compile(r"^(scant|heaping|heaped|generous|about|approximately|approx\.?|around)\s+(?=[\d¼½¾⅓⅔⅛])", re.I), ""),
)
_WORDS = {"a": 1.0, "an": 1.0, "half": 0.5, "quarter": 0.25, "few": 3.0, "several": 3.0, "couple": 2.0, "dozen": 12.0}
_AND = re.compile(r"\b(?:and|&|plus)\b|&", re.IGNORECASE)


def parser_version() -> str:
    """What a reading depends on beside its line."""
    return f"ingredient-parser-nlp {version('ingredient-parser-nlp')}, {READING}"


def read_lines(lines: Iterable[str]) -> Iterator[Reading]:
    """Each line as read, in order; a line that cannot be read has neither measures nor names."""
    parse = _parser()
    for line in lines:
        try:
            yield _reading(line, parse(tidy(line)))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, ZeroDivisionError):
            yield Reading(line=line)  # the parser stumbles over some lines, and none may stop the others


def tidy(line: str) -> str:
    """The line without bullets, with amounts written as the parser knows them."""
    line = _LOOSE_HYPHEN.sub("-", _BULLET.sub("", " ".join(line[:MAX_LINE].split())))
    for written, meant in _SPELLED:
        line = written.sub(meant, line)
    return line


@cache
def _parser() -> "Callable[[str], ParsedIngredient]":
    with warnings.catch_warnings():  # the parser turns on all deprecation warnings of the whole program
        import nltk

        _take_from_others(TAGGER)
        nltk.data.path.insert(0, str(TAGGER))
        from ingredient_parser import parse_ingredient

    return lambda line: parse_ingredient(line, string_units=True)


def _take_from_others(folder: Path) -> None:
    """NLTK reads nothing that another account may write, and where people share a group, all they install is such."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        if mode & BY_OTHERS:
            with suppress(PermissionError):  # another's file: NLTK says which, and why it does not read it
                path.chmod(mode & ~BY_OTHERS)


def _reading(line: str, parsed: "ParsedIngredient") -> Reading:
    names = tuple(name.text for name in parsed.name)
    return Reading(
        line=line,
        measures=tuple(_measures(parsed)),
        names=names,
        all_names=len(names) > 1 and _between(line, names),
        size=_text(parsed.size),
        preparation=_text(parsed.preparation),
        comment=_text(parsed.comment),
        purpose=_text(parsed.purpose),
    )


def _measures(parsed: "ParsedIngredient") -> Iterator[Measure]:
    for amount in parsed.amount:
        parts: list[IngredientAmount] = getattr(amount, "amounts", [amount])
        join: Join = "-" if getattr(amount, "subtractive", False) else "+"
        for n, part in enumerate(parts):
            low, high = _number(part.quantity), _number(part.quantity_max)
            if low is not None and high is not None:
                yield Measure(
                    low=low,
                    high=high,
                    unit=str(part.unit),
                    join=join if n else "",
                    each=part.SINGULAR,
                    prepared=part.PREPARED_INGREDIENT,
                )


def _number(quantity: Fraction | str) -> float | None:
    if not isinstance(quantity, str):
        return float(quantity)
    number, *words = quantity.casefold().split() or [""]
    count = float(number) if number.isdecimal() else _WORDS.get(number)
    return count * 12 if count and words == ["dozen"] else count


def _between(line: str, names: tuple[str, ...]) -> bool:
    """Whether the names are joined by `and`, so that the line means all of them: `salt and pepper`."""
    start, end = line.find(names[0]), line.rfind(names[-1])
    between = line[start + len(names[0]) : end] if 0 <= start < end else line
    return _AND.search(between) is not None and " or " not in between


def _text(part: Any) -> str:
    return part.text if part else ""
