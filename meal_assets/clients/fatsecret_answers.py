"""FatSecret's answers as they come: errors in answers that say 200, numbers as texts, one thing instead of a list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from meal_assets.contracts.values import Meal, Nutrients
from meal_assets.errors import RemoteFailed, RemoteRefused

from .remote import Trouble, judge_by_status

if TYPE_CHECKING:  # it is slow to import, and whoever has an answer has it
    import httpx

NAME = "fatsecret"
BUSY = frozenset({1, 6, 7, 12, 13, 20, 24})
"""Codes that another attempt, signed anew, may not meet."""
DAY_IS_OVER = 11
REVOKED = 9
"""Sometimes told by the status 401 alone."""
WRONG_SIGNATURE = 8
NO_SUCH_ID = 106
NOTHING_FOUND = frozenset({207, 211})
KEY = "the key is not accepted: are MEALS_FATSECRET_KEY and MEALS_FATSECRET_SECRET as FatSecret shows them?"

ADVICE = {
    REVOKED: "the connection was revoked: `meals connect fatsecret` makes a new one",
    5: KEY,
    WRONG_SIGNATURE: KEY,
    14: "the key lacks a scope that this needs: see your plan at FatSecret",
    21: "this machine's address is not on the list of allowed ones: add it at FatSecret (it takes up to 24 h)",
    205: "a weight can be written for at most two days before or after today",
    206: "there is a later weight already",
}
EPOCH = date(1970, 1, 1)
MEAL_OF: Mapping[str, Meal] = {"breakfast": "breakfast", "lunch": "lunch", "dinner": "dinner", "other": "snack"}
NUTRIENT_OF = {
    "calories": "kcal",
    "protein": "protein_g",
    "carbohydrate": "carbs_g",
    "fat": "fat_g",
    "fiber": "fiber_g",
    "sugar": "sugar_g",
    "saturated_fat": "saturated_fat_g",
    "sodium": "sodium_mg",
}
"""Vitamins and minerals are left out: they are shares of a daily value in old answers and masses in new ones."""

Json = Mapping[str, Any]


class FatSecretRefused(RemoteRefused):
    """FatSecret said no; `code` is its own number for why."""

    def __init__(self, message: str, code: int, status: int = 200) -> None:
        super().__init__(message, status)
        self.code = code


def judge(response: "httpx.Response") -> Trouble | None:
    """Trouble by FatSecret's own codes, whatever the status; raises `FatSecretRefused` for a no."""
    try:
        told = response.json()
    except ValueError:
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return _judge_without_code(response, is_object=isinstance(told, dict))
    code = int(number(error.get("code")) or 0)
    if code in BUSY:
        return Trouble(f"code {code}")
    if code == DAY_IS_OVER:
        now = datetime.now(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return Trouble(f"code {code}, the calls of the day are used up", midnight - now)
    raise _refused(response, code, str(error.get("message", "")))


def _judge_without_code(response: "httpx.Response", *, is_object: bool) -> Trouble | None:
    if trouble := judge_by_status(response):
        return trouble
    if response.status_code == 401:
        raise _refused(response, REVOKED)
    if response.status_code >= 400:
        raise FatSecretRefused(
            f"{NAME} {response.request.url.path}: HTTP {response.status_code}", 0, response.status_code
        )
    return None if is_object else Trouble("an answer that is no JSON object")


def _refused(response: "httpx.Response", code: int, message: str = "") -> FatSecretRefused:
    said = ADVICE.get(code) or " ".join(message.split())[:200]
    path, status = response.request.url.path, response.status_code
    return FatSecretRefused(f"{NAME} {path}: code {code}: {said}", code, status)


def number(value: object) -> float | None:
    """A number, or a text of one; None where there is none."""
    try:
        return float(str(value).strip()) if value is not None else None
    except ValueError:
        return None


def listed(value: object, *path: str) -> list[Json]:
    """The objects at the end of `path`: none, one without a list around it, or a list."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if not value:
        return []
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]


def day_number(day: date) -> int:
    """FatSecret's `date`: days since 1970-01-01."""
    return (day - EPOCH).days


def day_of(value: object) -> date:
    days = number(value)
    if days is None:
        raise RemoteFailed(f"{NAME}: {value!r} is no day")
    return EPOCH + timedelta(days=int(days))


def nutrients(told: Json) -> Nutrients | None:
    """What the answer knows; None where one of the four that count is missing or no number."""
    amounts = {ours: number(told.get(theirs)) for theirs, ours in NUTRIENT_OF.items()}
    try:
        return Nutrients.model_validate({k: v for k, v in amounts.items() if v is not None})
    except ValidationError:
        return None


DESCRIBED = re.compile(r"Calories: *([\d.]+) *kcal.*Fat: *([\d.]+) *g.*Carbs: *([\d.]+) *g.*Protein: *([\d.]+) *g")


def described(text: str) -> Nutrients | None:
    """What a search says of a food in a line: "Per 100g - Calories: 52kcal | Fat: 0.17g | Carbs: 14g | Protein: 0.3g".

    Of whatever amount that is; None for another line.
    """
    if (found := DESCRIBED.search(text)) is None:
        return None
    kcal, fat, carbs, protein = map(float, found.groups())
    return Nutrients(kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat)


@dataclass(frozen=True, slots=True)
class DiaryEntry:
    """A line of somebody's diary there; `eaten` is of the whole line, None where FatSecret does not know it."""

    id: str
    food_id: str
    serving_id: str
    day: date
    meal: Meal
    name: str
    units: float
    eaten: Nutrients | None


def diary_entry(told: Json) -> DiaryEntry:
    """A `food_entry`; meals come capitalised, and their "Other" is our snack."""
    return DiaryEntry(
        str(told["food_entry_id"]),
        str(told.get("food_id") or ""),
        str(told.get("serving_id") or ""),
        day_of(told["date_int"]),
        MEAL_OF.get(str(told.get("meal", "")).casefold(), "snack"),
        str(told.get("food_entry_name", "")),
        number(told.get("number_of_units")) or 0.0,
        nutrients(told),
    )


@dataclass(frozen=True, slots=True)
class Serving:
    """A way to measure a food; `holds` is what `units` of it hold, `grams` what they weigh where that is known."""

    id: str
    description: str
    units: float
    grams: float | None
    holds: Nutrients | None


@dataclass(frozen=True, slots=True)
class Food:
    """A food with its servings."""

    id: str
    name: str
    brand: str | None
    servings: tuple[Serving, ...]

    def amount(self, serving_id: str, units: float) -> Nutrients | None:
        """What so many units of a serving hold: a serving of 100 g counts its units in grams."""
        found = next((s for s in self.servings if s.id == serving_id), None)
        if found is None or found.holds is None:
            return None
        return found.holds * (units / (found.units or 1.0))


def food(told: Json) -> Food:
    """A `food` with `servings`, of any version of the call."""
    servings = (
        Serving(
            str(s["serving_id"]),
            str(s.get("serving_description", "")),
            number(s.get("number_of_units")) or 1.0,
            number(s.get("metric_serving_amount")) if s.get("metric_serving_unit") == "g" else None,
            nutrients(s),
        )
        for s in listed(told, "servings", "serving")
    )
    brand = told.get("brand_name")
    return Food(str(told["food_id"]), str(told["food_name"]), str(brand) if brand else None, tuple(servings))
