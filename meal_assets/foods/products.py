"""Packaged products out of Open Food Facts' JSON, taken only where its own checks and ours find nothing wrong."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

from meal_assets.domain.nutrition import Food, FoodSet, Portion
from meal_assets.domain.recipes.label import read_label
from meal_assets.domain.recipes.published import KJ_PER_KCAL
from meal_assets.errors import Invalid
from meal_assets.event_store.files import text_of

from .usda import MAX_DESCRIPTION, MAX_FINDINGS, MAX_GROUP, ReadFoods

MAX_PRODUCTS = 100_000
MAX_G_IN_100_G = 105.0
SODIUM_IN_SALT = 0.393

_CODE = re.compile(r"\d{4,14}")
_ABOUT_NUTRITION = re.compile(r"nutri|energy|kcal|\bkj\b|fat|sugar|protein|carbohydrate|salt|sodium|fib(er|re)|serving")
_FIELDS = {
    "protein_g": "proteins_100g",
    "carbs_g": "carbohydrates_100g",
    "fat_g": "fat_100g",
    "fiber_g": "fiber_100g",
    "sugar_g": "sugars_100g",
    "saturated_fat_g": "saturated-fat_100g",
}


def read_products(content: bytes) -> ReadFoods:
    """Products, one a line of JSON, packed or not. Raises `Invalid` or `Permanent` when none can be used."""
    foods: dict[str, Food] = {}
    findings = []
    for number, line in enumerate(io.StringIO(text_of(content)), start=1):
        if not line.strip():
            continue
        try:
            food = _product(json.loads(line))
            foods[food.food] = food
        except Invalid as error:
            findings.append((f"line {number}", str(error)))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            findings.append((f"line {number}", f"is no product: {error}"))
        if len(foods) > MAX_PRODUCTS:
            raise Invalid("file", f"holds more than {MAX_PRODUCTS:,} products: split it")
    if not foods:
        why = f" (first {findings[0][0]}: {findings[0][1]})" if findings else ""
        raise Invalid("file", f"holds no product with believable nutrition{why}")
    return ReadFoods(FoodSet.of(foods.values()).foods, tuple(findings[:MAX_FINDINGS]), len(findings))


def food_of_barcode(code: str) -> str:
    """The id of a product's food: `00 1234-5` and `12345` are one barcode. Raises `Invalid` when it is none."""
    digits = re.sub(r"[\s-]", "", code)
    if not _CODE.fullmatch(digits):
        raise Invalid("barcode", f"{code!r} is not 4 to 14 digits")
    return f"off:{digits.lstrip('0').zfill(13 if len(digits.lstrip('0')) > 8 else 8)}"


def _product(row: Mapping[str, Any]) -> Food:
    name = " ".join(str(row.get("product_name") or row.get("generic_name") or "").split())
    if not name:
        raise Invalid("product_name", "is missing")
    if wrong := [t for t in _tags(row.get("data_quality_errors_tags")) if _ABOUT_NUTRITION.search(t)]:
        raise Invalid("data_quality_errors_tags", f"says {wrong[0]}")
    amounts = _amounts(row.get("nutriments") or {})
    label = read_label(None, amounts, field="nutriments", servings=None)
    if label.per_serving is None:
        raise Invalid("nutriments", label.findings[-1][1] if label.findings else "are missing")
    if (mass := sum(amounts.get(n, 0.0) for n in ("protein_g", "carbs_g", "fat_g"))) > MAX_G_IN_100_G:
        raise Invalid("nutriments", f"come to {mass:g} g of protein, carbohydrate and fat in 100 g")
    sizes = (("serving", row.get("serving_quantity")), ("package", row.get("product_quantity")))
    brands = str(row.get("brands") or "")
    return Food(
        food=food_of_barcode(str(row.get("code") or "")),
        description=(f"{name}, {brands}" if brands else name)[:MAX_DESCRIPTION],
        group=next(iter(_tags(row.get("categories_tags"))), "")[:MAX_GROUP],
        per_100g=label.per_serving,
        portions=tuple(Portion(unit, g) for unit, told in sizes if (g := _number(told)) and 0 < g <= 100_000),
        brand=True,
    )


def _amounts(nutriments: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, float | None] = {ours: _number(nutriments.get(theirs)) for ours, theirs in _FIELDS.items()}
    joules = _number(nutriments.get("energy-kj_100g")) or _number(nutriments.get("energy_100g"))
    kcal = _number(nutriments.get("energy-kcal_100g"))
    told["kcal"] = kcal if kcal is not None or joules is None else joules / KJ_PER_KCAL
    sodium, salt = _number(nutriments.get("sodium_100g")), _number(nutriments.get("salt_100g"))
    sodium = sodium if sodium is not None or salt is None else salt * SODIUM_IN_SALT
    amounts: dict[str, Any] = {n: round(v, 4) for n, v in told.items() if v is not None}
    if sodium is not None:
        amounts["sodium_mg"] = f"{sodium * 1000:.6g} mg"  # with its unit: a bare small number could be in grams
    return amounts


def _number(value: object) -> float | None:
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return number if number == number and abs(number) < 1e9 else None


def _tags(value: object) -> list[str]:
    tags = value if isinstance(value, list) else str(value or "").split(",")
    return [t for tag in tags if (t := str(tag).strip())]
