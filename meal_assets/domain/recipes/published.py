"""Numbers out of what recipes publish as free text: amounts, energy, servings and durations."""

import math
import re
import unicodedata
from datetime import timedelta
from functools import cache
from typing import Literal

from pydantic import TypeAdapter, ValidationError

KJ_PER_KCAL = 4.184
MAX_SERVINGS = 10_000
MAX_MINUTES = 100_000

_VULGAR = re.compile("[\u00bc-\u00be\u2150-\u215e]")
_FRACTION = r"(?:\d{1,6}[ -]+)?\d{1,6} ?/ ?\d{1,6}"
_DECIMAL = r"\d{1,3}(?: \d{3})+(?!\d)|\d{1,15}(?:[.,]\d{1,15})*|[.,]\d{1,15}"
_AMOUNT = re.compile(rf"({_FRACTION}|{_DECIMAL})\s*([^\W\d_]+|%)?")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KCAL = _words(
    "kcal kcals cal cals calorie calories kcalories kilocalorie kilocalories kalorie kalorien kilokalorien calorías "
    "calorias caloría caloria calorieën kalorier kalorii kalória ккал 卡路里 大卡 千卡 キロカロリー"
)
_KJ = _words("kj kjoule kilojoule kilojoules kilojoulů кдж 千焦")
_GRAM = _words("g gr grs gm gms gram grams gramm gramme grammes gramo gramos grama gramas grammi grammo г гр 克 グラム")
_MILLIGRAM = _words("mg mgs milligram milligrams milligramm milligramme milligrammes miligramos miligramas мг 毫克")
_MICROGRAM = _words("μg ug mcg microgram micrograms mikrogramm")


def plain(text: str) -> str:
    """The same with ordinary digits and fractions: `4½ g` is `4 1/2 g`."""
    # NFKC alone turns 4½ into 41/2: a space comes first.
    spaced = _VULGAR.sub(lambda m: " " + m[0], text)
    return unicodedata.normalize("NFKC", spaced).replace("\u2044", "/").replace("\u2212", "-").strip()


def finite(value: object) -> float | None:
    """A JSON number as a float; None for anything else, for truth values, infinities and what no float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def number(text: str, *, grouped: bool) -> float | None:
    """`4 1/2`, `12,5`, `1.234,5`; with `grouped`, `1,234` is a thousand and more, else one and a bit."""
    text = text.strip()
    if "/" in text:
        *whole, numerator, denominator = (int(n) for n in re.findall(r"\d+", text))
        return sum(whole) + numerator / denominator if denominator else None
    text = text.replace(" ", "")
    if grouped and _GROUPED.fullmatch(text):
        return float(text.replace(",", ""))
    mark = max(text.rfind("."), text.rfind(","))
    if mark >= 0 and text.count(text[mark]) == 1:
        whole_part = re.sub(r"\D", "", text[:mark])
        return float(f"{whole_part or '0'}.{text[mark + 1 :]}")
    return float(re.sub(r"\D", "", text))


def amounts(text: str) -> list[tuple[str, str]]:
    """Every number of a text with the word after it: `599 kJ (143 kcal)` -> [("599", "kj"), ("143", "kcal")]."""
    text = plain(text)
    return [] if text.startswith("-") else [(n, u.casefold()) for n, u in _AMOUNT.findall(text)]


def _one(value: object) -> object:
    return next((v for v in value if v not in (None, "")), None) if isinstance(value, list) else value


def energy_kcal(value: object) -> float | None:
    """Energy in kcal; kilojoules only where no kilocalories stand beside them; None when not understood.

    A unit of mass is overlooked: one site prints "586 g" for calories. What is read must agree with the macros anyway.
    """
    value = _one(value)
    if not isinstance(value, str):
        return finite(value)
    found = amounts(value)
    for units, divisor in ((_KCAL, 1.0), (_KJ, KJ_PER_KCAL), (frozenset({""}), 1.0), (_GRAM, 1.0)):
        for digits, unit in found:
            if unit in units and (amount := number(digits, grouped=True)) is not None:
                return round(amount / divisor, 3)
    return None


def mass(value: object, unit: Literal["g", "mg"]) -> float | None:
    """The first amount in grams or milligrams, whatever unit it is written in; `<1 g` is 1; None when not understood.

    Without a unit a number is in `unit`, but milligrams below 20 could as well be grams and are not taken.
    """
    value = _one(value)
    if isinstance(value, str):
        found = amounts(value)
        if not found:
            return None
        digits, written = found[0]
        # No serving has a thousand grams of anything: a comma in grams is a decimal comma.
        amount = number(digits, grouped=written in _MILLIGRAM or (unit == "mg" and not written))
    else:
        amount, written = finite(value), ""
    if amount is None or (unit == "mg" and not written and 0 < amount < 20):
        return None
    grams = {"": 1.0 if unit == "g" else 1e-3}
    for words, factor in ((_GRAM, 1.0), (_MILLIGRAM, 1e-3), (_MICROGRAM, 1e-6)):
        grams |= dict.fromkeys(words, factor)
    if written not in grams:
        return None
    return round(amount * grams[written] * (1 if unit == "g" else 1000), 6)


_SERVING = (
    r"servings?|portion(?:s|en|er|i)?|porções|porção|porciones|ración|raciones|porties?|personen|personer|personnes?"
    r"|personas|pessoas|persons?|people|pers|parts|porzioni|persone|adag|人分|人前|人份|порци[ия]|порций|slices?|pieces?"
    r"|squares?|wedges?|stücke?|scheiben?|bitar|stuks?"
)
_COUNT = rf"({_FRACTION}|\d{{1,6}}(?:[.,]\d{{1,3}})?)"
_RANGE = rf"{_COUNT}(?:\s*(?:[-\u2013\u2014]|to|bis|till|à|a|tot)\s*{_COUNT})?"
_SERVED = re.compile(rf"{_RANGE}\s*(?:\w+\s+)?(?:{_SERVING})(?!\w)", re.IGNORECASE)
_SERVES = re.compile(
    rf"\b(?:serves|servings|serve|makes enough for|für|pour|voor|for|para)\b[:\s]*{_RANGE}", re.IGNORECASE
)
_MADE = re.compile(rf"{_RANGE}\s*(dozen)?", re.IGNORECASE)
_UNCOUNTED = re.compile(
    r"\b(?:cakes?|loaf|loaves|pies?|tarts?|batch(?:es)?|recipes?|cups?|pints?|quarts?|gallons?|lit(?:er|re)s?|[kmcd]?[lg]"
    r"|oz|ounces?|lbs?|pounds?|grams?|jars?|pans?|trays?|bottles?|inch(?:es)?|cm|tbsps?|tablespoons?|tsps?|teaspoons?"
    r"|pitchers?|sheets?|kuchen|blech|springform|gl[aä]s(?:er)?|taart|kaka|kage)\b|\d\s*(?:\"|x\s*\d)",
    re.IGNORECASE,
)


def _count(low: str, high: str) -> float | None:
    bounds = [number(n, grouped=False) for n in (low, high) if n]
    known = [b for b in bounds if b is not None]
    middle = sum(known) / len(known) if known else 0
    return round(middle, 3) if 0 < middle <= MAX_SERVINGS else None


def servings(yields: str, serving_size: str = "") -> float | None:
    """How many servings: `4-6 servings` -> 5, `39 cookies` -> 39, `2 dozen` -> 24; None when it does not say.

    A cake, a loaf or two cups are no number of servings, unless the serving size is in the same unit: `4 cups` at
    `1/4 cup` is 16.
    """
    text = plain(yields)
    if told := _SERVED.search(text) or _SERVES.search(text):
        return _count(told[1], told[2])
    if not (made := _MADE.search(text)):
        return None
    if _UNCOUNTED.search(text):
        return _shares(text, plain(serving_size))
    count = _count(made[1], made[2])
    return count * 12 if count and made[3] and count * 12 <= MAX_SERVINGS else count


def _shares(whole: str, share: str) -> float | None:
    made, size = (amounts(t)[:1] for t in (whole, share))
    if not made or not size or made[0][1].rstrip("s") != size[0][1].rstrip("s"):
        return None
    parts = [number(n, grouped=False) for ((n, _),) in (made, size)]
    if parts[0] is None or not parts[1]:
        return None
    count = round(parts[0] / parts[1], 3)
    return count if 0 < count <= MAX_SERVINGS else None


_HOURS, _MINUTES, _DAYS = (
    r"h|hr|hrs|hours?|std|stunden?|uur|uren|heures?|horas?|ore|ora|timm(?:e|ar)|timer?|óra|時間|час\w*",
    r"m|min|mins|minutes?|minuten|minuter|minutter|minutos?|minuti|minuut|perc|分|分钟|мин\w*",
    r"d|days?|tage?|dagen|jours?|d[ií]as?",
)
_SPELLED = re.compile(rf"{_COUNT}\s*(?:({_DAYS})|({_HOURS})|({_MINUTES}))(?![^\W\d_])\.?", re.IGNORECASE)


_HOURS_THEN_MINUTES = re.compile(r"(?<=\d)\s*H\s*([0-5]?\d)$")
"""`1H30`: minutes that do not say so."""


def minutes(value: object) -> int | None:
    """Whole minutes of a number of them, an ISO 8601 duration or words (`1 hour 20 min`); None when not understood."""
    value = _one(value)
    if not isinstance(value, str):
        amount = finite(value)
    elif (text := plain(value).upper()).isdecimal():
        amount = float(text)
    elif text.startswith(("P", "-P")):
        amount = _iso_minutes(text)
    else:
        amount = _spelled_minutes(text)
    return round(amount) if amount is not None and 0 <= amount <= MAX_MINUTES else None


@cache
def _durations() -> TypeAdapter[timedelta]:
    return TypeAdapter(timedelta)


def _iso_minutes(text: str) -> float | None:
    try:
        return _durations().validate_python(text) / timedelta(minutes=1)
    except ValidationError:
        return None


def _spelled_minutes(text: str) -> float | None:
    found = _SPELLED.findall(_HOURS_THEN_MINUTES.sub(r"H \1MIN", text))
    if not found:
        return None
    return sum((number(n, grouped=False) or 0) * (1440 if days else 60 if hours else 1) for n, days, hours, _ in found)
