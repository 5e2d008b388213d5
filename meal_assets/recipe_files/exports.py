"""What Tandoor, Mealie and Paprika write into their export files, as the rows that `read_recipe` knows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from meal_assets.domain.recipes import Read, read_recipe
from meal_assets.domain.recipes.published import finite
from meal_assets.domain.recipes.tandoor import read_tandoor
from meal_assets.errors import Invalid

Row = dict[str, Any]

_MEALIE_TIMES = {"prep_time": "prep_time", "cook_time": "perform_time", "total_time": "total_time"}


def read_row(row: object) -> Read:
    """A recipe in whichever of these shapes, in schema.org's or our own. Raises `Invalid`."""
    if isinstance(row, dict):
        if "steps" in row and "working_time" in row:
            return _read_tandoor(row)
        if isinstance(row.get("directions"), str) and "uid" in row:
            return _read_paprika(row)
        known = {_snake(str(k)): v for k, v in row.items()}
        if "recipe_ingredient" in known and "slug" in known:
            return read_recipe(_mealie(known))
        if "recipes_ingredients" in known:
            raise Invalid("recipe", "is a backup of all of Mealie: export recipes in its Data Management instead")
    return read_recipe(row)


def _read_tandoor(row: Row) -> Read:
    """An export has no number of the recipe; one in a file would not be that of the household's own Tandoor."""
    try:
        return read_tandoor({k: v for k, v in row.items() if k != "id"}, {})
    except (AttributeError, TypeError, ValueError, KeyError, OverflowError) as error:
        raise Invalid("recipe", f"is not as Tandoor writes it: {error}") from None


def _read_paprika(row: Row) -> Read:
    told = {
        "id": f"paprika-{str(row['uid']).lower()}",
        "title": row.get("name"),
        "canonical_url": row.get("source_url") or None,
        "site_name": row.get("source") or None,
        "image": row.get("image_url") or None,
        "yields": row.get("servings") or None,
        "prep_time": row.get("prep_time") or None,
        "cook_time": row.get("cook_time") or None,
        "total_time": row.get("total_time") or None,
        "categories": row.get("categories"),
        "ingredients": row.get("ingredients"),
        "instructions": row["directions"],
    }
    read = read_recipe(told)
    if str(row.get("nutritional_info") or "").strip():
        return Read(read.event, (*read.findings, ("nutritional_info", "is free text, and is not read")))
    return read


def _mealie(row: Row) -> Row:
    servings = finite(row.get("recipe_servings"))
    nutrition = row.get("nutrition")
    return {
        "id": f"mealie-{row['slug']}".lower(),
        "title": row.get("name"),
        "canonical_url": row.get("org_url") or row.get("org_u_r_l") or None,
        "yields": f"{servings:g} servings" if servings else row.get("recipe_yield") or None,
        **{ours: row.get(theirs) or None for ours, theirs in _MEALIE_TIMES.items()},
        "category": _names(row.get("recipe_category")),
        "keywords": _names(row.get("tags")),
        "ingredients": [_line(i) for i in _list(row.get("recipe_ingredient"))],
        "instructions_list": list(_steps(_list(row.get("recipe_instructions")))),
        "nutrition": {_camel(str(k)): v for k, v in nutrition.items() if v} if isinstance(nutrition, dict) else None,
    }


def _line(ingredient: object) -> object:
    if not isinstance(ingredient, dict):
        return ingredient
    one = {_snake(str(k)): v for k, v in ingredient.items()}
    unit, food = (_name(one.get(k)) for k in ("unit", "food"))
    quantity = finite(one.get("quantity")) if food and not one.get("disable_amount") else None
    note = str(one.get("note") or "")
    amount = f"{quantity:g}" if quantity else ""
    written = " ".join(filter(None, (amount, unit, food))) + (f", {note}" if note and food else note)
    line = str(one.get("original_text") or one.get("display") or written).strip()
    return {"line": line, "quantity": quantity or None, "unit": unit or None, "food": food or None}


def _steps(steps: list[Any]) -> Iterator[str]:
    for step in steps:
        text = step.get("text") if isinstance(step, dict) else step
        if isinstance(text, str) and text.strip():
            yield text


def _names(value: object) -> list[str]:
    return [name for part in _list(value) if (name := _name(part))]


def _name(value: object) -> str:
    """Of a unit, a food or a tag, which older versions write as their name alone."""
    name = value.get("name") if isinstance(value, Mapping) else value
    return name if isinstance(name, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
