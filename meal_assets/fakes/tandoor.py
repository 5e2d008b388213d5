"""A Tandoor as 2.6.11 behaves, for one space: recipes, types, meal plans, shopping; 403 for everything unauthorised."""

import json
import math
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.values import Nutrients
from meal_assets.domain.recipes import read_recipe
from meal_assets.starter import library

from .server import HTML_500, Asked, FakeServer, Faulty, Reply
from .tandoor_weeks import Plans, Shopping, shown

Json = dict[str, Any]
PAGES = {"recipe": (25, 100)}
OTHER_PAGES = (50, 200)
"""Default and largest page of a list."""
TYPES = (
    (1, "Kalorien", "kcal", 1008),
    (2, "Eiweiß", "g", 1003),
    (3, "Fett", "g", 1004),
    (4, "Kohlenhydrate", "g", 1005),
    (5, "Ballaststoffe", "g", 1079),
    (6, "Natrium", "mg", 1093),
)
"""Property types by fdc_id: their names are in the language of whoever made them."""
NO_TOKEN = Reply(403, {"detail": "Authentication credentials were not provided."})
NO_RIGHT = Reply(403, {"detail": "You do not have permission to perform this action."})


@dataclass
class Space:
    """What the server holds; tests change it between requests, as people do."""

    token: str = "tda_demo"  # noqa: S105  # of a server that only this machine reaches
    recipes: dict[int, Json] = field(default_factory=dict)
    private: set[int] = field(default_factory=set)
    """Somebody else's: not listed, and 403."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    """The server's, which need not be the household's."""
    last_recipe: int = 0

    def __post_init__(self) -> None:
        self.planned = Plans(self.zone, self._overview)
        self.shopping = Shopping()

    @property
    def plans(self) -> dict[int, Json]:
        return self.planned.rows

    @property
    def entries(self) -> dict[int, Json]:
        return self.shopping.rows

    def add(self, recipe: RecipeFetched) -> int:
        """A new recipe; its id."""
        self.last_recipe += 1
        self.recipes[self.last_recipe] = detail_of(self.last_recipe, recipe)
        return self.last_recipe

    def edit(self, number: int, *, silently: bool = False, **changes: Any) -> None:
        """Change a recipe; `silently` as an edit of a step, a food or a keyword is, which leaves updated_at alone."""
        self.recipes[number].update(changes)
        if not silently:
            self.recipes[number]["updated_at"] = _now()

    def remove(self, number: int) -> None:
        del self.recipes[number]
        self.planned.forget_recipe(number)

    def _overview(self, number: int) -> Json | None:
        recipe = self.recipes.get(number)
        return _overview(recipe) if recipe else None


class FakeTandoor(FakeServer):
    """Serves a space. Every path needs its trailing slash and, but for the settings, a bearer token."""

    def __init__(self, space: Space | None = None, faults: Faulty | None = None, port: int = 0) -> None:
        super().__init__(faults, port)
        self.space = space or Space()
        planned, shopping = self.space.planned, self.space.shopping
        self._routes: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
            ("GET", r"/api/user-preference/", lambda _: Reply(body=[{"user": {"id": 1, "username": "cook"}}])),
            ("GET", r"/api/recipe/", self._recipes),
            ("GET", r"/api/recipe/flat/", self._flat),
            ("GET", r"/api/recipe/(\d+)/", self._recipe),
            ("PUT", r"/api/recipe/(\d+)/shopping/", self._shop_for),
            ("GET", r"/api/property-type/", lambda a: self._page(a, [_type(*t) for t in TYPES])),
            ("GET", r"/api/keyword/", self._keywords),
            ("GET", r"/api/meal-type/", lambda a: self._page(a, [*planned.types.values()])),
            ("POST", r"/api/meal-type/", lambda a: Reply(201, planned.new_type(a.body))),
            ("GET", r"/api/meal-plan/", self._plans),
            ("POST", r"/api/meal-plan/", lambda a: planned.new(a.body or {})),
            ("GET", r"/api/meal-plan/(\d+)/", lambda _, n: planned.one(n)),
            ("PATCH", r"/api/meal-plan/(\d+)/", lambda a, n: planned.change(n, a.body or {})),
            ("DELETE", r"/api/meal-plan/(\d+)/", lambda _, n: self._delete(planned.rows, n, "MealPlan")),
            ("GET", r"/api/shopping-list-entry/", lambda a: self._page(a, shopping.listed(a))),
            ("POST", r"/api/shopping-list-entry/", lambda a: shopping.new(a.body or {})),
            ("POST", r"/api/shopping-list-entry/bulk/", lambda a: shopping.check(a.body)),
            ("GET", r"/api/shopping-list-entry/(\d+)/", lambda _, n: shopping.one(n)),
            ("PATCH", r"/api/shopping-list-entry/(\d+)/", lambda a, n: shopping.change(n, a.body or {})),
            (
                "DELETE",
                r"/api/shopping-list-entry/(\d+)/",
                lambda _, n: self._delete(shopping.rows, n, "ShoppingListEntry"),
            ),
        )

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/server-settings/current/":
            return Reply(body={"version": "2.6.11"})
        found = [
            (act, match.groups())
            for method, path, act in self._routes
            if method == asked.method and (match := re.fullmatch(path, asked.path))
        ]
        if not found:
            there = {"Location": f"/accounts/login/?next={asked.path}"}
            return Reply(302, "", there) if asked.method == "GET" else Reply(403, "<!DOCTYPE html>\n<html>CSRF</html>")
        if asked.headers.get("authorization", "").lower() != f"bearer {self.space.token}".lower():
            return NO_TOKEN
        act, groups = found[0]
        return act(asked, *map(int, groups))

    def _page(self, asked: Asked, rows: Sequence[Json], kind: str = "other") -> Reply:
        """A page of rows; too large a page is silently cut, and what is no number is the default."""
        default, largest = PAGES.get(kind, OTHER_PAGES)
        size = min(_number(asked.query.get("page_size"), default), largest)
        pages = max(math.ceil(len(rows) / size), 1)
        given = asked.query.get("page", "1")
        page = pages if given == "last" else _number(given, 0)
        if not 1 <= page <= pages:
            return Reply(404, {"detail": "Invalid page."})
        following = f"{self.url}{asked.path}?page={page + 1}&page_size={size}" if page < pages else None
        body = {
            "count": len(rows),
            "next": following,
            "previous": None,
            "results": rows[(page - 1) * size : page * size],
        }
        return Reply(body=body if kind == "recipe" else body | {"timestamp": datetime.now(UTC).isoformat()})

    def _listed(self) -> list[Json]:
        return [r for n, r in self.space.recipes.items() if n not in self.space.private]

    def _recipes(self, asked: Asked) -> Reply:
        if asked.query.get("sort_order") in ("-updated_at", "updated_at", "times_cooked"):
            return Reply(500, HTML_500)
        rows = sorted(self._listed(), key=lambda r: r["name"].lower())
        if asked.query.get("sort_order") == "created_at":
            rows.sort(key=lambda r: r["created_at"])
        if since := asked.query.get("updatedon_gte"):
            try:
                rows = [r for r in rows if datetime.fromisoformat(r["updated_at"]).date() >= date.fromisoformat(since)]
            except ValueError:
                return Reply(500, HTML_500)
        return self._page(asked, [_overview(r) for r in rows], "recipe")

    def _flat(self, _: Asked) -> Reply:
        return Reply(body=[{"id": r["id"], "name": r["name"], "image": None} for r in self._listed()])

    def _recipe(self, _: Asked, number: int) -> Reply:
        if number in self.space.private:
            return NO_RIGHT
        recipe = self.space.recipes.get(number)
        return Reply(body=recipe) if recipe else Reply(404, {"detail": "No Recipe matches the given query."})

    def _shop_for(self, asked: Asked, number: int) -> Reply:
        """What so many servings need becomes lines, again each time; the answer does not tell which."""
        found = self._recipe(asked, number)
        if found.status != 200:
            return found
        recipe = self.space.recipes[number]
        factor = asked.body["servings"] / recipe["servings"]
        for line in (i for step in recipe["steps"] for i in step["ingredients"] if i["food"]):
            named = {k: line[k] and {"name": line[k]["name"]} for k in ("food", "unit")}
            made = self.space.shopping.new(named | {"amount": line["amount"] * factor})
            self.space.entries[made.body["id"]]["list_recipe"] = number
        return Reply(body={"msg": f"{recipe['name']} was added to the shopping list."})

    def _keywords(self, asked: Asked) -> Reply:
        every = {k["name"]: k for r in self._listed() for k in r["keywords"]}
        return self._page(asked, [*every.values()])

    def _plans(self, asked: Asked) -> Reply:
        found = self.space.planned.listed(asked)
        return found if isinstance(found, Reply) else self._page(asked, shown(found))

    def _delete(self, rows: dict[int, Json], number: int, kind: str) -> Reply:
        if rows.pop(number, None) is None:
            return Reply(404, {"detail": f"No {kind} matches the given query."})
        return Reply(204)


def starter_space(count: int | None = None) -> Space:
    """With the recipes of the starter library, or so many that are all a little different."""
    space, recipes = Space(), _recipes(library())
    for n in range(len(recipes) if count is None else count):
        recipe = recipes[n % len(recipes)]
        space.add(recipe if count is None else recipe.model_copy(update={"title": f"{recipe.title} {n}"}))
    return space


def demo_space() -> Space:
    """With some dishes that the starter library lacks, of which nobody published what they hold."""
    space = Space()
    for recipe in _recipes(Path(__file__).with_name("recipes.jsonl")):
        space.add(recipe)
    return space


def _recipes(file: Path) -> list[RecipeFetched]:
    return [read_recipe(json.loads(line)).event for line in file.read_text("utf-8").splitlines()]


def detail_of(number: int, recipe: RecipeFetched) -> Json:
    """A recipe as Tandoor tells it: amounts in the first step, nutrition as properties per serving."""
    created = datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(minutes=number)
    computed = {"food_values": {}, "total_value": 0.0, "missing_value": False}
    return {
        "id": number,
        "name": recipe.title,
        "description": "",
        "image": recipe.image_url,
        "keywords": [{"id": _number_of(k), "name": k, "label": k, "full_name": k} for k in recipe.keywords],
        "steps": [
            {
                "id": number * 100 + n,
                "name": "",
                "instruction": step,
                "ingredients": [_ingredient(*line) for line in enumerate(recipe.ingredients)] if n == 0 else [],
                "time": 0,
                "order": n,
                "step_recipe": None,
            }
            for n, step in enumerate(recipe.instructions or ("",))
        ],
        "working_time": recipe.prep_minutes or 0,
        "waiting_time": recipe.cook_minutes or 0,
        "created_at": created.isoformat(),
        "updated_at": created.isoformat(),
        "source_url": recipe.source_url,
        "internal": True,
        "nutrition": None,
        "properties": _properties(number, recipe.per_serving),
        "food_properties": {str(t[0]): _type(*t) | computed for t in TYPES},
        "servings": round(recipe.servings or 1),
        "servings_text": "servings",
        "private": False,
    }


def _ingredient(number: int, line: Ingredient) -> Json:
    return {
        "id": number,
        "food": {"id": _number_of(line.food), "name": line.food} if line.food else None,
        "unit": {"id": _number_of(line.unit), "name": line.unit} if line.unit else None,
        "amount": line.quantity or 0.0,
        "note": "",
        "order": number,
        "is_header": False,
        "no_amount": line.quantity is None,
        "original_text": line.line,
    }


def _properties(number: int, label: Nutrients | None) -> list[Json]:
    keys = ("kcal", "protein_g", "fat_g", "carbs_g", "fiber_g", "sodium_mg")
    return [
        {"id": number * 10 + n, "property_amount": amount, "property_type": _type(*TYPES[n])}
        for n, key in enumerate(keys)
        if (amount := getattr(label, key, None)) is not None
    ]


def _type(number: int, name: str, unit: str, fdc_id: int) -> Json:
    return {"id": number, "name": name, "unit": unit, "description": None, "order": 0, "open_data_slug": None,
            "fdc_id": fdc_id}  # fmt: skip


def _number_of(name: str) -> int:
    """The same for a name wherever it stands."""
    return crc32(name.encode()) >> 1


def _overview(recipe: Json) -> Json:
    """What lists tell: no steps, no nutrition."""
    return deepcopy(
        {k: v for k, v in recipe.items() if k not in ("steps", "nutrition", "properties", "food_properties")}
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default
