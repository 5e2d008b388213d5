"""How often quantity and unit of labelled ingredient sentences are read right.

A label joins all amounts of its sentence: "1/2 2 1/4 65", "cup ounce gram". So numbers are compared as the set of
their whole parts and fractions, and units as the set of their words, both without order. Right is a sentence in which
both agree. Equal count: "few" and 3; an amount of 1 that only the unit implies ("pinch of salt") and none; sizes
("small", "scant") and dimensions ("1-inch piece") wherever they stand, since labels put them into the unit or the size.
"""

import csv
import gzip
import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from meal_assets.domain.nutrition.reading import Reading

ONE_TO_TWELVE = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
WORDS = {word: Fraction(n) for n, word in enumerate(ONE_TO_TWELVE, start=1)} | {
    "a": Fraction(1),
    "an": Fraction(1),
    "half": Fraction(1, 2),
    "dozen": Fraction(12),
    "few": Fraction(3),
    "several": Fraction(3),
}
SIZES = {
    "small",
    "medium",
    "large",
    "big",
    "little",
    "thin",
    "thick",
    "good",
    "generous",
    "scant",
    "level",
    "rounded",
} | {
    "heaped",
    "heaping",
    "about",
}
PLURALS = {"leaves": "leaf", "loaves": "loaf", "halves": "half"} | {
    f"{w}es": w for w in ("pinch", "bunch", "inch", "dash", "box", "splash", "batch")
}
NUMBER = re.compile(r"(\d+/\d+)|(\d*\.\d+|\d+)|([A-Za-z]+)")


class Labelled(NamedTuple):
    """A sentence with its label."""

    line: str
    quantity: str
    unit: str


def labelled(file: Path) -> list[Labelled]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as rows:
        return [Labelled(r["input"], r["quantity"], r["unit"]) for r in csv.DictReader(rows)]


def is_right(label: Labelled, reading: Reading) -> bool:
    wanted, units = _numbers(label.quantity), _units(label.unit)
    found: Counter[Fraction] = Counter()
    words: Counter[str] = Counter()
    for measure in reading.measures:
        for number in {measure.low, measure.high}:
            found += _parts(Fraction(number))
        words += _units(measure.unit)
    with_size = found + _numbers(reading.size), words + _units(reading.size)
    quantity = wanted in (found, with_size[0]) or (not wanted and found == Counter([Fraction(1)]))
    return quantity and units in (words, with_size[1])


def accuracy(labels: Iterable[Labelled], readings: Iterable[Reading]) -> float:
    """Share of sentences whose quantity and unit are both right."""
    rights = [is_right(label, reading) for label, reading in zip(labels, readings, strict=True)]
    return sum(rights) / len(rights)


def _numbers(text: str) -> Counter[Fraction]:
    found: Counter[Fraction] = Counter()
    for fraction, decimal, word in NUMBER.findall(text):
        if fraction or decimal:
            found += _parts(Fraction(fraction or decimal))
        elif word.casefold() in WORDS:
            found += _parts(WORDS[word.casefold()])
    return found


def _parts(number: Fraction) -> Counter[Fraction]:
    number = number.limit_denominator(64)
    return Counter(part for part in (Fraction(int(number)), number - int(number)) if part)


def _units(text: str) -> Counter[str]:
    words = (word.casefold().strip(".") for word in re.findall(r"[^\s,;/()\d½¼¾⅓⅔⅛]+", text))
    return Counter(singular for word in words if (singular := _singular(word)) not in SIZES)


def _singular(word: str) -> str:
    if word in PLURALS:
        return PLURALS[word]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word
