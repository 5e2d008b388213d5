"""What a week must obey, as it is typed: `fri:dinner=salmon`, `fiber>=28`, `breakfast=15-30`. Raises `Invalid`."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from meal_assets.contracts.plan_request import WEEKDAYS, LimitedNutrient, Lock, Skip
from meal_assets.contracts.values import MEALS, Meal
from meal_assets.errors import Invalid

NUTRIENTS: dict[str, LimitedNutrient] = {
    "fiber": "fiber_g", "fibre": "fiber_g", "sugar": "sugar_g", "saturated": "saturated_fat_g",
    "saturated_fat": "saturated_fat_g", "sodium": "sodium_mg",
}  # fmt: skip
MINUTES = {"easy": 29, "medium": 60, "hard": None}
"""Easy takes less than half an hour, medium at most a whole one."""

_LIMIT = re.compile(
    r"(?:(?P<person>[\w.-]+):)?(?P<what>[a-z_]+)(?P<sign>>=|<=)(?P<amount>[\d.]+)(?:@(?P<weight>[\d.]+))?"
)
_SHARE = re.compile(r"(?P<meal>[a-z]+)=(?P<least>[\d.]+)-(?P<most>[\d.]+)")


def lock(text: str, monday: date) -> Lock:
    """`fri:dinner=RECIPE`"""
    slot, _, recipe = text.partition("=")
    day, meal = meal_slot("--lock", slot, monday)
    return Lock.model_validate({"day": day, "meal": meal, "recipe": recipe})


def skip(text: str, monday: date) -> Skip:
    """`tue:lunch` for nobody, `tue:lunch=ada` without her"""
    slot, _, person = text.partition("=")
    day, meal = meal_slot("--skip", slot, monday)
    return Skip.model_validate({"day": day, "meal": meal, "person": person or None})


def away(text: str, monday: date, meals: Sequence[str] | None) -> Iterator[Skip]:
    """`fri`, nobody is there all day; `fri=ada`, she is not"""
    weekday, _, person = text.partition("=")
    day = _day("--away", weekday, monday, "fri or fri=ada")
    for meal in meals or MEALS:
        yield Skip.model_validate({"day": day, "meal": meal, "person": person or None})


def limits(texts: Iterable[str]) -> list[dict[str, Any]]:
    """`fiber>=28`, `sodium<=2300@0.5` softly, `ada:sugar<=50`; both ends of a nutrient come together."""
    found: dict[tuple[str, str | None, float | None], dict[str, Any]] = {}
    for text in texts:
        read = _LIMIT.fullmatch(text.replace(" ", "").casefold())
        nutrient = read and NUTRIENTS.get(re.sub(r"_m?g$", "", read["what"]))
        if read is None or nutrient is None:
            raise Invalid("--limit", f"{text!r} is not like fiber>=28; of {', '.join(sorted(NUTRIENTS))}")
        weight = float(read["weight"]) if read["weight"] else None
        end = "least" if read["sign"] == ">=" else "most"
        one = found.setdefault((nutrient, read["person"], weight), {"nutrient": nutrient, "person": read["person"]})
        one |= {end: float(read["amount"]), "weight": weight}
    return list(found.values())


def share(text: str) -> dict[str, Any]:
    """`breakfast=15-30`"""
    read = _SHARE.fullmatch(text.replace(" ", "").replace("%", "").casefold())
    if read is None:
        raise Invalid("--share", f"{text!r} is not like breakfast=15-30, in percent of the day's energy")
    return {"meal": read["meal"], "least_pct": float(read["least"]), "most_pct": float(read["most"])}


def minutes(texts: Iterable[str]) -> dict[str, int]:
    """`mon=30`"""
    found = {}
    for text in texts:
        weekday, _, amount = text.partition("=")
        if weekday[:3].casefold() not in WEEKDAYS or not amount.isdigit():
            raise Invalid("--minutes", f"{text!r} is not like mon=30")
        found[weekday[:3].casefold()] = int(amount)
    return found


def most_minutes(given: int | None, difficulty: str | None) -> int | None:
    """The fewer of what was given in minutes and in a word."""
    if difficulty is None:
        return given
    if difficulty not in MINUTES:
        raise Invalid("--difficulty", f"{difficulty!r} is not one of {', '.join(MINUTES)}")
    said = [m for m in (given, MINUTES[difficulty]) if m is not None]
    return min(said, default=None)


def meal_slot(option: str, text: str, monday: date) -> tuple[date, Meal]:
    """`fri:dinner`"""
    weekday, _, name = text.partition(":")
    meal = next((m for m in MEALS if m == name.casefold()), None)
    if meal is None:
        raise Invalid(option, f"{text!r} is not like fri:dinner; meals are {', '.join(MEALS)}")
    return _day(option, weekday, monday, "fri:dinner"), meal


def _day(option: str, weekday: str, monday: date, like: str) -> date:
    if weekday[:3].casefold() not in WEEKDAYS:
        raise Invalid(option, f"{weekday!r} is no weekday, as in {like}")
    return monday + timedelta(days=list[str](WEEKDAYS).index(weekday[:3].casefold()))
