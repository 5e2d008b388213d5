"""The nutrition a recipe publishes for a serving, taken only where it can be believed."""

import re
from collections.abc import Mapping
from reprlib import repr as shown
from typing import Any, Literal, NamedTuple

from meal_assets.contracts.values import MACROS, Nutrients

from .published import energy_kcal, mass, plain

MAX_KCAL = 5_000
"""More than this in one serving is a whole cake, a typing error or small calories."""
ENERGY_TOLERANCE = 0.25
ENERGY_TOLERANCE_KCAL = 40.0
"""How far published energy may be from 4/4/9: the larger of the two."""
PART_TOLERANCE = 0.1
PART_TOLERANCE_G = 1.0

_NAMES: dict[str, tuple[str, ...]] = {
    "kcal": ("calories", "kcal"),
    "protein_g": ("proteinContent", "protein_g"),
    "carbs_g": ("carbohydrateContent", "carbs_g"),
    "fat_g": ("fatContent", "fat_g"),
    "fiber_g": ("fiberContent", "fiber_g"),
    "sugar_g": ("sugarContent", "sugar_g"),
    "saturated_fat_g": ("saturatedFatContent", "saturated_fat_g"),
    "sodium_mg": ("sodiumContent", "sodium_mg"),
}
"""What schema.org/NutritionInformation and our own numbers call each nutrient."""

_BOUNDS = {"kcal": (1000 * MAX_KCAL, "calories"), "sodium_mg": (20_000, "milligrams")}
_GRAMS = (2_000, "grams")
_PARTS = (("sugar_g", "carbs_g"), ("saturated_fat_g", "fat_g"))
_HUNDRED_GRAMS = re.compile(r"(?:per|pro|je|pr\.?|por|pour|par|/)?\s*100\s*(?:g|gr|grams?|gramm|ml)\.?", re.IGNORECASE)

Amounts = dict[str, float]
Note = tuple[str, str]
"""A field as the source calls it, and what is wrong with it."""


class Label(NamedTuple):
    """What a label says, or None when it cannot be believed, and what was noticed."""

    per_serving: Nutrients | None
    findings: tuple[Note, ...] = ()


def read_label(published: object, numbers: object, *, field: str, servings: float | None) -> Label:
    """Nutrients per serving out of a schema.org/NutritionInformation, or out of `numbers` where its texts fail.

    `published` holds free text, `numbers` plain kcal and grams by our own names; `servings` is how many the recipe
    makes, None when that is unknown. Findings name `field`.
    """
    if isinstance(published, list):
        published = next((p for p in published if isinstance(p, dict)), published)
    text: Mapping[str, Any] = published if isinstance(published, dict) else {}
    amounts, findings = _amounts(text, field)
    if published and not text:
        findings.append((field, f"{shown(published)} is not an object of nutrients"))
    size = text.get("servingSize")
    if isinstance(size, str) and _HUNDRED_GRAMS.fullmatch(plain(size)):
        findings.append((f"{field}.servingSize", f"{shown(size)} shows values per 100 g, not per serving"))
        if servings is not None:
            return Label(None, tuple(findings))
    return _believed(amounts, numbers, field, findings)


def _believed(amounts: Amounts, numbers: object, field: str, findings: list[Note]) -> Label:
    plain_numbers = _amounts(numbers, field)[0] if isinstance(numbers, dict) else {}
    doubts = []
    for candidate in (amounts, {**amounts, **plain_numbers}):
        kept = _in_kcal(candidate)
        if (doubt := _doubt(kept)) is None:
            break
        doubts.append(doubt)
    else:
        said = [(field, doubts[-1])] if amounts or plain_numbers else []
        return Label(None, (*findings, *said))
    if doubts and amounts:
        findings.append((field, f"{doubts[0]}; the plain numbers beside it were taken"))
    if kept != candidate:
        findings.append((field, f"{candidate['kcal']:g} calories are small calories: {kept['kcal']:g} kcal"))
    return _checked(kept, field, findings)


def _amounts(values: Mapping[str, Any], field: str) -> tuple[Amounts, list[Note]]:
    amounts: Amounts = {}
    findings: list[Note] = []
    for nutrient, names in _NAMES.items():
        name = next((n for n in names if values.get(n) not in (None, "", [])), None)
        if name is None:
            continue
        amount = _amount(nutrient, values[name])
        most, unit = _BOUNDS.get(nutrient, _GRAMS)
        if amount is None or not 0 <= amount <= most:
            findings.append((f"{field}.{name}", f"{shown(values[name])} cannot be read as 0 to {most} {unit}"))
        else:
            amounts[nutrient] = amount
    return amounts, findings


def _amount(nutrient: str, value: object) -> float | None:
    if nutrient == "kcal":
        return energy_kcal(value)
    unit: Literal["g", "mg"] = "mg" if nutrient == "sodium_mg" else "g"
    return mass(value, unit)


def atwater(amounts: Mapping[str, float]) -> tuple[float, float, float]:
    """Energy in kcal by 4 kcal/g protein and carbohydrate and 9 kcal/g fat, and the least and most it may be.

    Fibre yields 2 kcal/g: less where carbohydrate counts it (US labels), more where it does not (EU labels).
    """
    general = 4 * amounts["protein_g"] + 4 * amounts["carbs_g"] + 9 * amounts["fat_g"]
    fiber = min(amounts.get("fiber_g", 0.0), amounts["carbs_g"])
    return general, general - 2 * fiber, general + 2 * fiber


def _disagrees(kcal: float, amounts: Amounts, allowance: float) -> bool:
    general, least, most = atwater(amounts)
    return max(least - kcal, kcal - most) > max(ENERGY_TOLERANCE * general, allowance)


def _in_kcal(amounts: Amounts) -> Amounts:
    """The same, with energy that only makes sense in small calories divided by 1000."""
    if any(m not in amounts for m in MACROS) or not _disagrees(amounts["kcal"], amounts, ENERGY_TOLERANCE_KCAL):
        return amounts
    kcal = round(amounts["kcal"] / 1000, 3)
    return amounts if _disagrees(kcal, amounts, allowance=0) else {**amounts, "kcal": kcal}


def _doubt(amounts: Amounts) -> str | None:
    """Why these amounts cannot be what one serving holds; None when they can."""
    if missing := [m for m in MACROS if m not in amounts]:
        return f"has no {', '.join(missing)}"
    if not any(amounts[m] for m in MACROS):
        return "says 0 for energy and all macros"
    if _disagrees(amounts["kcal"], amounts, ENERGY_TOLERANCE_KCAL):
        protein, carbs, fat = (f"{amounts[m]:g} g" for m in MACROS[1:])
        return (
            f"says {amounts['kcal']:g} kcal, but {protein} protein, {carbs} carbohydrate and {fat} fat "
            f"give {atwater(amounts)[0]:.0f} kcal"
        )
    return f"says {amounts['kcal']:g} kcal a serving, above {MAX_KCAL}" if amounts["kcal"] > MAX_KCAL else None


def _checked(kept: Amounts, field: str, findings: list[Note]) -> Label:
    """Nutrients of amounts beyond doubt; a part larger than its whole is left out."""
    for part, whole in _PARTS:
        if kept.get(part, 0) > kept[whole] * (1 + PART_TOLERANCE) + PART_TOLERANCE_G:
            findings.append((f"{field}.{part}", f"{kept.pop(part):g} g is more than {kept[whole]:g} g of {whole}"))
    return Label(Nutrients(**kept), tuple(findings))
