"""Tandoor's API as it behaves, which is not always as it is documented."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import sha256
from typing import Any

import httpx

from meal_assets.errors import RemoteFailed, RemoteRefused

from .http import client
from .remote import Remote, Shared, Trouble, judge_by_status

NAME = "tandoor"
PAGE = 100
"""The largest page of recipes; Tandoor cuts larger ones without saying so."""
MAX_PAGES = 1_000
SECONDS = 40.0
"""Saving or computing a long recipe takes Tandoor ten seconds and more."""
PROPERTY_BY_FDC = {
    1008: "kcal",
    1003: "protein_g",
    1004: "fat_g",
    1005: "carbs_g",
    1079: "fiber_g",
    2000: "sugar_g",
    1258: "saturated_fat_g",
    1093: "sodium_mg",
}
"""Property types are known by their fdc_id: their names are in the language of whoever made them."""
PROPERTY_BY_SLUG = {
    "property-calories": "kcal",
    "property-proteins": "protein_g",
    "property-fats": "fat_g",
    "property-carbohydrates": "carbs_g",
    "property-dietary-fiber": "fiber_g",
    "property-sodium": "sodium_mg",
}
IN_LISTS = ("updated_at", "name", "description", "image", "servings", "working_time", "waiting_time", "private")
"""What lists tell of a recipe itself, beside its keywords: some edits change one of these, and no time."""
WRITES = 4
"""How often something is said to be made, at most."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MealType:
    """What the space calls a meal; `time` where it has one."""

    id: int
    name: str
    time: time | None


@dataclass(frozen=True, slots=True)
class Overview:
    """A recipe in the list. Another `mark` tells that it changed; the same one never that it did not.

    Steps, amounts and foods are edited without a trace in the list.
    """

    id: int
    mark: str


def judge(response: httpx.Response) -> Trouble | None:
    """What is no whole JSON is trouble as well: a proxy's page, or an answer that was cut off."""
    trouble = judge_by_status(response)
    if trouble is not None or response.status_code in (204, 302) or response.status_code >= 400:
        return trouble
    if "application/json" not in response.headers.get("content-type", ""):
        return Trouble("an answer that is not JSON")
    try:
        json.loads(response.content)
    except ValueError:
        return Trouble("an answer that is not whole JSON")
    return None


class Tandoor:
    """One server, as the owner of a token. Raises `RemoteFailed`, `Waiting` and `RemoteRefused`."""

    def __init__(self, base_url: str, token: str, shared: Shared) -> None:
        remote = Remote(NAME, base_url.rstrip("/"), judge, read_seconds=SECONDS)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Language": "en"}
        self._http = client(remote, shared, headers=headers)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Tandoor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        """Asked without a right; empty where somebody built the server by hand."""
        return str(self._get("/api/server-settings/current/").get("version", ""))

    def overviews(self) -> Iterator[Overview]:
        """Every recipe, in an order that renaming does not change."""
        for row in self._pages("/api/recipe/", {"page_size": PAGE, "sort_order": "created_at"}):
            yield Overview(int(row["id"]), _mark(row))

    def ids(self) -> frozenset[int]:
        """Every recipe in one answer, which no deletion can shift."""
        rows = self._answer(self._http.get("/api/recipe/flat/"))
        return frozenset(int(row["id"]) for row in rows)

    def recipe(self, number: int) -> Json | str:
        """All of a recipe; or why it is gone: "deleted" or "private"."""
        response = self._http.get(f"/api/recipe/{number}/")
        if response.status_code == 404:
            return "deleted"
        if response.status_code == 403 and self._token_is_good():
            return "private"
        answer: Json = self._answer(response)
        return answer

    def keywords(self) -> dict[int, str]:
        """Id of a keyword -> its name, with those that it stands below: "Cuisine > Mexican"."""
        rows = self._pages("/api/keyword/", {})
        return {int(row["id"]): str(row.get("full_name") or row["name"]) for row in rows}

    def property_names(self) -> dict[int, str]:
        """Id of a property type -> the nutrient it is; types that are none of ours are left out."""
        found = {}
        for row in self._pages("/api/property-type/", {}):
            name = PROPERTY_BY_FDC.get(row.get("fdc_id") or 0) or PROPERTY_BY_SLUG.get(row.get("open_data_slug") or "")
            if name is not None:
                found[int(row["id"])] = name
        return found

    def clock(self) -> datetime:
        """What time it is there."""
        return datetime.fromisoformat(str(self._get("/api/meal-type/", {"page_size": 1})["timestamp"]))

    def user(self) -> int:
        """Whose token it is, which is who made what is made by it."""
        return int(self._answer(self._http.get("/api/user-preference/"))[0]["user"]["id"])

    def meal_types(self) -> list[MealType]:
        rows = self._pages("/api/meal-type/", {})
        return [MealType(int(r["id"]), str(r["name"]), _time(r.get("time"))) for r in rows]

    def new_meal_type(self, name: str, at: time) -> int:
        """Its number; one that is there already, by its name in whatever case, is not made again."""

        def there() -> int | None:
            return next((t.id for t in self.meal_types() if t.name.casefold() == name.casefold()), None)

        return there() or self._new("/api/meal-type/", {"name": name, "time": f"{at:%H:%M:%S}"}, there)

    def plans(self, first: str, last: str) -> list[Json]:
        """Entries of the meal plan whose end is on a day from `first` to `last` (YYYY-MM-DD)."""
        return list(self._pages("/api/meal-plan/", {"from_date": first, "to_date": last}))

    def has_plan(self, number: int) -> bool:
        return self._is_there(f"/api/meal-plan/{number}/")

    def new_plan(self, entry: Json, found: Callable[[], int | None]) -> int:
        """Its number. `found` looks for the entry where an answer was lost, before it is said again."""
        return self._new("/api/meal-plan/", entry, found)

    def change_plan(self, number: int, entry: Json) -> None:
        """Send from_date and to_date always together: the one does not move the other."""
        self._change(f"/api/meal-plan/{number}/", entry)

    def delete_plan(self, number: int) -> None:
        self._delete(f"/api/meal-plan/{number}/")

    def entries(self) -> list[Json]:
        """The shopping list: what is open, and what was ticked lately."""
        return list(self._pages("/api/shopping-list-entry/", {}))

    def entry(self, number: int) -> Json | None:
        """One that the list may not show any more; None where it was deleted."""
        response = self._http.get(f"/api/shopping-list-entry/{number}/")
        return None if response.status_code == 404 else dict(self._answer(response))

    def new_entry(self, entry: Json, found: Callable[[], int | None]) -> int:
        """Its number. `found` looks for the entry where an answer was lost, before it is said again."""
        return self._new("/api/shopping-list-entry/", entry, found)

    def shop_for(self, recipe: int, servings: int) -> None:
        """Let Tandoor write what so many servings of a recipe need, as lines of its own.

        It is said once: Tandoor writes the lines again each time, and does not tell which they are.
        """
        path, once = f"/api/recipe/{recipe}/shopping/", {"repeatable": False}
        self._answer(self._http.put(path, json={"servings": servings}, extensions=once))

    def change_entry(self, number: int, entry: Json) -> None:
        """Say `checked` each time: without it, one that is checked vanishes from the list."""
        self._change(f"/api/shopping-list-entry/{number}/", entry)

    def check_entries(self, numbers: list[int], *, checked: bool) -> None:
        """Those that are not there are passed over."""
        body = {"ids": numbers, "checked": checked}
        self._answer(self._http.post("/api/shopping-list-entry/bulk/", json=body, extensions={"repeatable": True}))

    def delete_entry(self, number: int) -> None:
        self._delete(f"/api/shopping-list-entry/{number}/")

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[Json]:
        for page in range(1, MAX_PAGES + 1):
            answer = self._get(path, {**query, "page": page})
            yield from answer["results"]
            if answer["next"] is None:
                return
        raise RemoteRefused(f"{NAME} GET {path}: more than {MAX_PAGES} pages", 200)

    def _get(self, path: str, query: dict[str, Any] | None = None) -> Json:
        answer: Json = self._answer(self._http.get(path, params=query))
        return answer

    def _new(self, path: str, body: Json, found: Callable[[], int | None]) -> int:
        """Make it once: whoever hears no answer to a POST does not know whether it did its work."""
        for attempt in range(1, WRITES + 1):
            try:
                return int(self._answer(self._http.post(path, json=body))["id"])
            except RemoteFailed:
                number = found()
                if number is not None:
                    return number
                if attempt == WRITES:
                    raise
        raise AssertionError("the loop returns or raises")

    def _change(self, path: str, body: Json) -> None:
        self._answer(self._http.patch(path, json=body, extensions={"repeatable": True}))

    def _is_there(self, path: str) -> bool:
        response = self._http.get(path)
        return response.status_code != 404 and self._answer(response) is not None

    def _delete(self, path: str) -> None:
        response = self._http.delete(path)
        if response.status_code != 404:  # it is gone, whoever did it
            self._answer(response)

    def _token_is_good(self) -> bool:
        return self._http.get("/api/user-preference/").status_code == 200

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json() if response.content else None
        request = response.request
        what, status = f"{NAME} {request.method} {request.url.path}", response.status_code
        if response.is_redirect:
            raise RemoteRefused(f"{what}: there is no such address. Is MEALS_TANDOOR_URL that of a Tandoor?", status)
        if status == 403:
            raise RemoteRefused(
                f"{what}: the token is not accepted, or lacks a right. Make one in Tandoor's Settings → API with the"
                " scope `read write mealplan`, and set MEALS_TANDOOR_TOKEN.",
                status,
            )
        if status in (400, 404, 405, 406, 415):
            raise RemoteRefused(f"{what}: HTTP {status}: {_detail(response)}", status)
        raise RemoteFailed(f"{what}: HTTP {status}")


def _mark(row: Json) -> str:
    keywords = [(k.get("id"), k.get("label") or k.get("name")) for k in row.get("keywords") or ()]
    told = json.dumps([*map(row.get, IN_LISTS), keywords], sort_keys=True)
    return sha256(told.encode()).hexdigest()[:32]


def _time(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _detail(response: httpx.Response) -> str:
    """Tandoor's own words, in one bounded line."""
    return " ".join(response.text.split())[:300]
