"""A recipe as Tandoor tells it, with the nutrition it knows per serving, where that is whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from .label import Note
from .reading import Read, read_recipe

PREFIX = "tandoor-"
REQUIRED = ("kcal", "protein_g", "carbs_g", "fat_g")
LEGACY = {"kcal": "calories", "protein_g": "proteins", "carbs_g": "carbohydrates", "fat_g": "fats"}
"""What the nutrition object of older Tandoors calls them: numbers per serving."""

Json = Mapping[str, Any]
Amounts = dict[str, float]


def read_tandoor(detail: Json, nutrient_of: Mapping[int, str]) -> Read:
    """The answer to GET /api/recipe/{id}/, or what an export has of it without an id, as a recipe.

    `nutrient_of`: id of a property type -> our name of it.

    Raises Invalid when it is no recipe at all. Nutrition is, first of all that is whole: what somebody typed in per
    serving, the same in the older form, what Tandoor computes from foods, unless that counts less than there is.
    """
    findings: list[Note] = []
    servings = detail.get("servings") or None
    row = {
        "id": recipe_key(detail["id"]) if "id" in detail else None,
        "title": detail.get("name"),
        "canonical_url": detail.get("source_url") or None,
        "site_name": "Tandoor",
        "image": detail.get("image"),
        "yields": f"{servings} servings" if servings else None,
        "prep_time": detail.get("working_time") or None,
        "cook_time": detail.get("waiting_time") or None,
        "total_time": ((detail.get("working_time") or 0) + (detail.get("waiting_time") or 0)) or None,
        "keywords": [k.get("label") or k.get("name") for k in detail.get("keywords") or ()],
        "ingredients": [_line(i) for step in _steps(detail) for i in step.get("ingredients") or () if _is_food(i)],
        "instructions_list": [text for step in _steps(detail) if (text := (step.get("instruction") or "").strip())],
        "macros": _per_serving(detail, nutrient_of, servings, findings),
    }
    read = read_recipe(row)
    return Read(read.event, (*read.findings, *findings))


def recipe_key(number: int) -> str:
    """What a recipe of Tandoor is called here."""
    return f"{PREFIX}{number}"


def recipe_number(key: str) -> int | None:
    """What Tandoor calls it; None for a recipe from elsewhere."""
    number = key.removeprefix(PREFIX)
    return int(number) if number != key and number.isdecimal() else None


def _steps(detail: Json) -> Iterator[Json]:
    """The steps in order, those of a sub-recipe in the place of the step that names it."""
    for step in detail.get("steps") or ():
        yield step
        yield from (step.get("step_recipe_data") or {}).get("steps") or ()


def _is_food(ingredient: Json) -> bool:
    return not ingredient.get("is_header") and bool(ingredient.get("food") or ingredient.get("original_text"))


def _line(ingredient: Json) -> dict[str, Any]:
    food = (ingredient.get("food") or {}).get("name") or ""
    unit = (ingredient.get("unit") or {}).get("name") or ""
    amount = None if ingredient.get("no_amount") else ingredient.get("amount") or None
    note = ingredient.get("note") or ""
    parts = (f"{amount:.10g}" if amount else "", unit, food)
    written = " ".join(filter(None, parts)) + (f", {note}" if note else "")
    return {
        "line": (ingredient.get("original_text") or "").strip() or written,
        "quantity": amount,
        "unit": unit or None,
        "food": food or None,
    }


def _per_serving(
    detail: Json, nutrient_of: Mapping[int, str], servings: float | None, findings: list[Note]
) -> Amounts | None:
    typed = {
        name: float(p["property_amount"])
        for p in detail.get("properties") or ()
        if p.get("property_amount") is not None
        and (name := nutrient_of.get((p.get("property_type") or {}).get("id") or 0)) is not None
    }
    if _whole(typed):
        return typed
    older = detail.get("nutrition") or {}
    legacy = {ours: float(older[theirs]) for ours, theirs in LEGACY.items() if older.get(theirs) is not None}
    if _whole(legacy) and any(legacy.values()):
        return legacy
    computed = _computed(detail, nutrient_of)
    if not any(computed.values()) or not servings:
        return None
    if why := next(_undercounts(detail, nutrient_of), None):
        findings.append(("food_properties", f"{why}: what Tandoor computes is less than there is"))
        return None
    return {name: total / servings for name, total in computed.items()} if _whole(computed) else None


def _whole(amounts: Amounts) -> bool:
    return all(name in amounts for name in REQUIRED)


def _computed(detail: Json, nutrient_of: Mapping[int, str]) -> Amounts:
    """Totals of the whole recipe."""
    properties = detail.get("food_properties") or {}
    return {
        name: float(p["total_value"])
        for p in properties.values()
        if p.get("total_value") is not None and (name := nutrient_of.get(p.get("id") or 0)) is not None
    }


def _undercounts(detail: Json, nutrient_of: Mapping[int, str]) -> Iterator[str]:
    """Why the totals cannot be believed. The first three of these Tandoor does not tell by itself."""
    for step in detail.get("steps") or ():
        if step.get("step_recipe"):
            yield "a sub-recipe counts nothing"
        for ingredient in filter(_is_food, step.get("ingredients") or ()):
            name = (ingredient.get("food") or {}).get("name") or ingredient.get("original_text")
            if ingredient.get("no_amount") or not ingredient.get("amount"):
                yield f"{name} has no amount"
            elif not ingredient.get("unit"):
                yield f"{name} has no unit"
    for one in (detail.get("food_properties") or {}).values():
        if nutrient_of.get(one.get("id") or 0) in REQUIRED and one.get("missing_value"):
            missing = [v["food"]["name"] for v in (one.get("food_values") or {}).values() if v.get("value") is None]
            yield f"{', '.join(missing[:3]) or 'something'} has no value for {one.get('name')}"
