"""The fake Tandoor's meal plan and shopping list, with what the real ones do that their documentation does not tell."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .server import HTML_500, Asked, Reply

Json = dict[str, Any]
MEAL_TYPES = {"Breakfast": "08:00:00", "Lunch": "12:30:00", "Dinner": "18:30:00", "Snack": None}
LONGEST_TITLE = 64
MOST_SERVINGS = 9_999
MOST_ENTRIES = 1_000
"""The shopping list is cut there without saying so."""
RECENT = timedelta(days=14)
COOK = {"id": 1, "username": "cook", "display_name": "cook"}
FAILED = Reply(500, HTML_500)


class Plans:
    """Meal types and plan entries of a space, in the server's time zone."""

    def __init__(self, zone: ZoneInfo, overview: Callable[[int], Json | None]) -> None:
        self.zone, self._overview = zone, overview
        self.types: dict[int, Json] = {}
        self.rows: dict[int, Json] = {}
        self._last = 0
        for name, at in MEAL_TYPES.items():
            self.type_of({"name": name, "time": at})

    def type_of(self, given: Any) -> Json | None:
        """An id, an object with one, or a name, which is made where it is new; None for an id that is not there."""
        wanted = given if isinstance(given, dict) else {"id": given}
        if wanted.get("id") is not None:
            return self.types.get(int(wanted["id"]))
        for there in self.types.values():
            if there["name"] == wanted["name"]:
                return there
        return self.new_type(wanted)

    def new_type(self, given: Json) -> Json:
        """Names may repeat."""
        number = max(self.types, default=0) + 1
        made = {"id": number, "name": given["name"], "order": 0, "time": given.get("time"), "color": None}
        self.types[number] = made | {"created_by": COOK["id"]}
        return self.types[number]

    def listed(self, asked: Asked) -> list[Json] | Reply:
        """Both bounds are compared with the day on which an entry ends, here."""
        today = datetime.now(self.zone).date()
        try:
            first = date.fromisoformat(asked.query.get("from_date", str(today - timedelta(days=90))))
            last = date.fromisoformat(asked.query.get("to_date", str(today + timedelta(days=360))))
        except ValueError:
            return FAILED
        rows = [r for r in self.rows.values() if first <= datetime.fromisoformat(r["to_date"]).date() <= last]
        kind = asked.query.get("meal_type")
        return rows if kind is None else [r for r in rows if str(r["meal_type"]["id"]) == kind]

    def new(self, given: Json) -> Reply:
        if missing := [f for f in ("from_date", "meal_type", "servings") if f not in given]:
            return Reply(400, {f: ["This field is required."] for f in missing})
        row = {
            "id": self._last + 1,
            "title": "",
            "recipe": None,
            "note": "",
            "created_by": COOK["id"],
            "shopping": False,
        }
        refused = self._set(row, {"to_date": given["from_date"], **given}, new=True)
        if refused is not None:
            return refused
        self._last += 1
        self.rows[self._last] = row
        return Reply(201, _shown(row))

    def one(self, number: int) -> Reply:
        row = self.rows.get(number)
        return Reply(body=_shown(row)) if row else Reply(404, {"detail": "No MealPlan matches the given query."})

    def change(self, number: int, given: Json) -> Reply:
        """A from_date alone leaves to_date behind."""
        if number not in self.rows:
            return self.one(number)
        row = dict(self.rows[number])
        refused = self._set(row, given, new=False)
        if refused is None:
            self.rows[number] = row
        return refused or Reply(body=_shown(row))

    def forget_recipe(self, recipe: int) -> None:
        """The entries of a deleted recipe go with it."""
        for number in [n for n, r in self.rows.items() if r["recipe"] and r["recipe"]["id"] == recipe]:
            del self.rows[number]

    def _set(self, row: Json, given: Json, *, new: bool) -> Reply | None:
        if isinstance(given.get("recipe"), dict) and "name" not in given["recipe"]:
            return Reply(400, {"recipe": {"name": ["This field is required."]}})
        if len(given.get("title", "")) > LONGEST_TITLE:
            return Reply(400, {"title": [f"Ensure this field has no more than {LONGEST_TITLE} characters."]})
        if given.get("recipe") is not None:
            recipe = given["recipe"]["id"] if isinstance(given["recipe"], dict) else given["recipe"]
            row["recipe"] = self._overview(int(recipe))
            if row["recipe"] is None:
                return FAILED
        elif "recipe" in given:
            row["recipe"] = None
        if "meal_type" in given:
            row["meal_type"] = self.type_of(given["meal_type"])
            if row["meal_type"] is None:
                return Reply(400, {"meal_type": ["This field may not be null."]})
        if "servings" in given:
            row["servings"] = round(float(str(given["servings"]).replace(",", ".")), 4)
            if row["servings"] > MOST_SERVINGS:
                return FAILED
        row |= {field: given[field] for field in ("title", "note") if field in given}
        for field in ("from_date", "to_date"):
            if field in given:
                row[field] = self._moment(given[field], row["meal_type"]["time"] if new else "00:00:00").isoformat()
        return None

    def _moment(self, text: str, at: str | None) -> datetime:
        """In the server's zone; midnight there is no time of day, and becomes the meal's."""
        moment = datetime.fromisoformat(text)
        local = moment.replace(tzinfo=self.zone) if moment.tzinfo is None else moment.astimezone(self.zone)
        if local.time() != time():
            return local
        return datetime.combine(local.date(), time.fromisoformat(at or "12:00:00"), self.zone)


class Shopping:
    """The shopping list of a space; foods and units that it does not know are made."""

    def __init__(self) -> None:
        self.rows: dict[int, Json] = {}
        self.foods: dict[str, int] = {}
        self.units: dict[str, int] = {}
        self._last = 0

    def listed(self, asked: Asked) -> list[Json]:
        """What is open, and what was ticked lately; of what was deleted there is no trace."""
        since = datetime.now(UTC) - RECENT
        rows = [r for r in self.rows.values() if not r["checked"] or (_at(r["completed_at"]) or since) > since]
        try:
            after = datetime.fromisoformat(asked.query["updated_after"])
            rows = [r for r in rows if datetime.fromisoformat(r["updated_at"]) >= after]
        except (KeyError, ValueError, TypeError):
            pass  # garbage is silently ignored
        return deepcopy(rows[:MOST_ENTRIES])

    def one(self, number: int) -> Reply:
        row = self.rows.get(number)
        return (
            Reply(body=deepcopy(row))
            if row
            else Reply(404, {"detail": "No ShoppingListEntry matches the given query."})
        )

    def new(self, given: Json) -> Reply:
        if not isinstance(given.get("food"), dict):
            return FAILED
        self._last += 1
        row = {"id": self._last, "list_recipe": None, "food": None, "unit": None, "amount": 0.0, "order": 0,
               "checked": False, "ingredient": None, "created_by": COOK, "created_at": _now(),
               "completed_at": None, "delay_until": None}  # fmt: skip
        self._set(row, given)
        self.rows[self._last] = row
        return Reply(201, deepcopy(row))

    def change(self, number: int, given: Json) -> Reply:
        """Of a checked entry without `checked`: it stays checked, and leaves the list."""
        if number in self.rows:
            self._set(self.rows[number], given)
        return self.one(number)

    def check(self, given: Json) -> Reply:
        for number in given["ids"]:
            if number in self.rows:
                self._set(self.rows[number], {"checked": given["checked"]})
        return Reply(body=given | {"shopping_lists_remove_all": False, "timestamp": _now()})

    def _set(self, row: Json, given: Json) -> None:
        if "food" in given:
            row["food"] = _named(self.foods, given["food"], str.strip)
        if "unit" in given:
            row["unit"] = given["unit"] and _named(self.units, given["unit"], lambda name: name.strip().casefold())
        row |= {field: given[field] for field in ("checked", "order") if field in given}
        if "amount" in given:
            row["amount"] = round(float(str(given["amount"]).replace(",", ".")), 4)
        row |= {"updated_at": _now(), "completed_at": _now() if given.get("checked") else None}


def _named(known: dict[str, int], given: Json, key: Callable[[str], str]) -> Json:
    """The object of that name; `key` is what two names of one object have in common."""
    for name, number in known.items():
        if number == given.get("id") or ("name" in given and key(name) == key(given["name"])):
            return {"id": number, "name": name}
    number = max(known.values(), default=0) + 1
    known[given["name"].strip()] = number
    return {"id": number, "name": given["name"].strip()}


def _shown(row: Json) -> Json:
    names = {"meal_type_name": row["meal_type"]["name"]}
    if row["recipe"]:
        names["recipe_name"] = row["recipe"]["name"]
    return deepcopy(row | names | {"note_markdown": f"<p>{row['note']}</p>" if row["note"] else ""})


def shown(rows: Iterable[Json]) -> list[Json]:
    return [_shown(row) for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
