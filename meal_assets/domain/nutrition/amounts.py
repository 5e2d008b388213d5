"""What the measures of a line come to: grams where a mass is told, else millilitres, else so many of a unit."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from meal_assets.domain.units import PIECE, in_base, plain_unit

from .reading import Measure, Reading
from .words import singular

SIZES = ("extra large", "jumbo", "large", "medium", "small")
CONTAINERS = frozenset(
    ("can", "tin", "jar", "package", "packet", "bag", "box", "container", "carton", "bottle", "block", "pouch", "tub")
)
_ABOUT = re.compile(
    r"\b(?:scant|heap(?:ing|ed)|rounded|level|generous|good|big|thick|thin|fat|packed|whole|full|small|medium|large|jumbo)\b"
)
_SIZED = re.compile(r"(\d+(?:\.\d+)?)[\s-]*([a-z]+)")


class Amount(NamedTuple):
    """So much in all: `kind` g, ml, or a unit that is neither (`piece`, `clove`, `can`); `told` as it was written.

    `container`: the unit whose weight a mass tells, so that a can's liquid is known to be in it.
    """

    quantity: float
    kind: str
    told: str
    container: str = ""


def amount_of(reading: Reading) -> Amount | None:
    """The most telling amount of a line: a mass before a volume before a count; None where there is none."""
    sums = [_summed(group) for group in _groups(reading.measures)]
    each = [s for s, m in sums if m.each]
    count = next((s for s, _ in sums if s.kind not in ("g", "ml")), None)
    whole = [s for s, m in sums if not m.each]
    for kind in ("g", "ml"):
        for one in each:
            if one.kind == kind:
                return _times(count, one)
        for one in whole:
            if one.kind == kind:
                return _of_container(count, one)
    return count or next(iter(each), None)


def size_of(reading: Reading) -> str:
    """`small`, `medium`, `large` … where the line says so; else "" ."""
    told = " ".join((reading.size, *(m.unit for m in reading.measures), *reading.names)).casefold()
    return next((size for size in SIZES if re.search(rf"\b{size}\b", told)), "")


def _times(count: Amount | None, each: Amount) -> Amount:
    if count is None:
        return each
    container = count.kind if count.kind in CONTAINERS else ""
    return Amount(count.quantity * each.quantity, each.kind, f"{count.told} × {each.told}", container)


def _of_container(count: Amount | None, told: Amount) -> Amount:
    """A mass beside several cans is that of one: `2 cans (400 g)`."""
    if count is None or count.kind not in CONTAINERS:
        return told
    return _times(count, told) if count.quantity > 1 else told._replace(container=count.kind)


def _groups(measures: Sequence[Measure]) -> Iterator[list[Measure]]:
    group: list[Measure] = []
    for measure in measures:
        if measure.join == "" and group:
            yield group
            group = []
        group.append(measure)
    if group:
        yield group


def _summed(group: Sequence[Measure]) -> tuple[Amount, Measure]:
    """The sum of measures that are added; what cannot be added to the first is left out."""
    first, *others = (_single(m) for m in group)
    quantity, told = first.quantity, first.told
    for other, measure in zip(others, group[1:], strict=True):
        if other.kind == first.kind:
            quantity += -other.quantity if measure.join == "-" else other.quantity
            told += f" {measure.join} {other.told}"
    return first._replace(quantity=max(quantity, 0.0), told=told), group[0]


def _single(measure: Measure) -> Amount:
    unit = plain_unit(measure.unit)
    told = f"{measure.middle:.4g} {unit}".strip()
    if sized := _SIZED.match(unit):  # `14-ounce can`
        factor, kind = in_base(sized[2])
        if kind in ("g", "ml"):
            rest = unit[sized.end() :].split()
            container = singular(rest[0]) if rest and singular(rest[0]) in CONTAINERS else ""
            return Amount(measure.middle * float(sized[1]) * factor, kind, told, container)
    words = _ABOUT.sub(" ", unit).split()
    for candidate in (unit, " ".join(words), " ".join(words[:2]), *words):
        factor, kind = in_base(candidate)
        if kind in ("g", "ml"):
            return Amount(measure.middle * factor, kind, told)
    word = singular(words[-1]) if words else PIECE
    return Amount(measure.middle, PIECE if word in ("whole", "pc") else word, told)
