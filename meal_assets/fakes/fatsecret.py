"""A FatSecret as its users know it: errors in answers that say 200, texts for numbers, one thing or a list."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from meal_assets.foods.starter import starter_foods

from .server import Asked, FakeServer, Faulty, Reply

Json = dict[str, Any]
MEALS = {"breakfast", "lunch", "dinner", "other"}
NUTRIENTS = ("calories", "carbohydrate", "protein", "fat", "fiber", "sodium")
SHIPPED_AS = dict(zip(NUTRIENTS, ("kcal", "carbs_g", "protein_g", "fat_g", "fiber_g", "sodium_mg"), strict=True))
SNACKS = (("banana", 118.0), ("almond", 30.0), ("apple", 182.0), ("yogurt", 170.0), ("dark chocolate", 20.0),
          ("pear", 178.0), ("walnut", 25.0))  # fmt: skip
"""Of the made-up account, and how many grams."""
EPOCH = date(1970, 1, 1)
CONSENT = """<!doctype html>
<html lang="en"><head><title>A made-up FatSecret</title></head><body>
<p>You allow meal_assets to read and write the diary of a made-up account. Type this code where you came from:</p>
<h1>{code}</h1>
</body></html>
"""
OK = Reply(body={"success": {"value": "1"}})


@dataclass
class Account:
    """One person's: entries by number, weights by day."""

    secret: str
    entries: dict[int, Json] = field(default_factory=dict)
    weights: dict[int, float] = field(default_factory=dict)


@dataclass
class Service:
    """What the server holds. `errors`: codes that the next calls are answered with; `limit`: calls of a day.

    `revoked_by_status`: an unknown token is told by the status alone.
    """

    key: str = "demo-key"
    secret: str = "demo-secret"  # noqa: S105  # of a server that only this machine reaches
    foods: dict[str, Json] = field(default_factory=dict)
    barcodes: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    pending: dict[str, Account] = field(default_factory=dict)
    bearers: set[str] = field(default_factory=set)
    errors: list[int] = field(default_factory=list)
    limit: int = 5_000
    revoked_by_status: bool = False
    calls: int = 0
    last_id: int = 1_000
    eaten: Sequence[tuple[int, str, float, str]] = ()
    """What is in every account from the beginning: day, food, units, meal."""

    def connect(self) -> tuple[str, str]:
        """An account whose owner has agreed: its token and secret."""
        account = Account(secrets.token_hex(8))
        return self.open(account), account.secret

    def open(self, account: Account) -> str:
        """Let a program into the account; the token to it."""
        token = secrets.token_hex(8)
        self.accounts[token] = account
        for day, food, units, meal in self.eaten:
            self.eat(token, day, food, units, meal)
        return token

    def eat(self, token: str, day: int, food: str, units: float, meal: str = "Breakfast") -> int:
        """An entry made at FatSecret itself, with the food's first serving."""
        self.last_id += 1
        serving = self.foods[food]["servings"]["serving"][0]
        self.accounts[token].entries[self.last_id] = _entry(self.last_id, day, self.foods[food], serving, units, meal)
        return self.last_id


class FakeFatSecret(FakeServer):
    """All three hosts on one address."""

    def __init__(self, service: Service | None = None, faults: Faulty | None = None, port: int = 0) -> None:
        super().__init__(faults, port)
        self.service = service or Service()
        self._nonces: set[tuple[str, str]] = set()
        self._methods: Mapping[str, Callable[[Mapping[str, str], Account], Reply]] = {
            "food_entries.get.v2": self._day,
            "food_entries.get_month.v2": self._month,
            "food_entry.create": self._create,
            "food_entry.edit": self._edit,
            "food_entry.delete": self._delete,
            "weights.get_month.v2": self._weights,
            "weight.update": self._weigh,
            "profile.get": lambda _g, _a: Reply(body={"profile": {"height_cm": "168.00", "goal_weight_kg": "60.0000"}}),
        }

    def answer(self, asked: Asked) -> Reply:
        match asked.path:
            case "/connect/token":
                bearer = secrets.token_hex(8)
                self.service.bearers.add(bearer)
                return Reply(body={"access_token": bearer, "expires_in": 86400, "token_type": "Bearer"})
            case "/oauth/request_token" | "/oauth/access_token":
                return self._handshake(asked)
            case "/oauth/authorize":
                return self._consent(asked.query.get("oauth_token", ""))
            case "/rest/server.api":
                return self._call(asked, {**asked.query, **asked.form})
        return Reply(404, "<html>Not Found</html>")

    def _call(self, asked: Asked, given: Mapping[str, str]) -> Reply:
        if given.get("format") != "json":
            return Reply(body="<?xml version='1.0'?><error/>")
        if {"region", "language"} & given.keys():
            return _error(14, "Missing scope: localization")
        if self.service.errors:
            return _error(self.service.errors.pop(0))
        self.service.calls += 1
        if self.service.calls > self.service.limit:
            return _error(11, "Application request limit reached")
        if given["method"].startswith("food") and not given["method"].startswith("food_entr"):
            return self._wrong_caller(asked, given) or self._foods(given)
        account = self.service.accounts.get(given.get("oauth_token", ""))
        if account is None:
            return Reply(401, "Unauthorized") if self.service.revoked_by_status else _error(9, "Invalid access token")
        if wrong := self._wrong_signature(asked, given, account.secret):
            return wrong
        method = self._methods.get(given["method"])
        return method(given, account) if method else _error(10, "Unknown method")

    def _wrong_caller(self, asked: Asked, given: Mapping[str, str]) -> Reply | None:
        """Foods are for programs: with a token of OAuth 2, or signed with nobody's secret."""
        if "oauth_signature" in given:
            return self._wrong_signature(asked, given, "")
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return None if bearer in self.service.bearers else _error(13, "Invalid token")

    def _wrong_signature(self, asked: Asked, given: Mapping[str, str], token_secret: str) -> Reply | None:
        if given.get("oauth_consumer_key") != self.service.key:
            return _error(5, "Invalid consumer key")
        once = (given.get("oauth_timestamp", ""), given.get("oauth_nonce", ""))
        if once in self._nonces:
            return _error(7, "Invalid/used nonce")
        self._nonces.add(once)
        expected = _signature(asked.method, f"{self.url}{asked.path}", given, self.service.secret, token_secret)
        return None if expected == given.get("oauth_signature") else _error(8, "Invalid signature")

    def _handshake(self, asked: Asked) -> Reply:
        given = {**asked.query, **asked.form}
        token = given.get("oauth_token", "")
        account = self.service.pending.get(token)
        if self._wrong_signature(asked, given, account.secret if account else "") is not None:
            return Reply(401, "Invalid signature")
        if asked.path == "/oauth/request_token":
            token, account = secrets.token_hex(8), Account(secrets.token_hex(8))
            self.service.pending[token] = account
        elif account is None or given.get("oauth_verifier") != verifier_of(token):
            return Reply(401, "Invalid verifier")
        else:
            del self.service.pending[token]
            token = self.service.open(account)
        told = {"oauth_token": token, "oauth_token_secret": account.secret, "oauth_callback_confirmed": "true"}
        return Reply(body=urlencode(told))

    def _consent(self, token: str) -> Reply:
        """The page where a person agrees. Nobody has a password here, so it shows the code at once."""
        if token not in self.service.pending:
            return Reply(400, "<html>This link is not valid any more.</html>")
        return Reply(body=CONSENT.format(code=verifier_of(token)))

    def _foods(self, given: Mapping[str, str]) -> Reply:
        match given["method"]:
            case "food.get.v4":
                food = self.service.foods.get(given.get("food_id", ""))
                return Reply(body={"food": food}) if food else _error(106, "Invalid ID")
            case "food.find_id_for_barcode":
                return Reply(body={"food_id": {"value": self.service.barcodes.get(given.get("barcode", ""), "0")}})
            case "foods.search":
                words = given.get("search_expression", "").casefold()
                found = [f for f in self.service.foods.values() if words in f["food_name"].casefold()]
                short = [{k: v for k, v in f.items() if k != "servings"} for f in found]
                said = {"max_results": "50", "page_number": "0", "total_results": str(len(found))}
                return Reply(body={"foods": said | ({"food": _one_or_list(short)} if short else {})})
        return _error(10, "Unknown method")

    def _day(self, given: Mapping[str, str], account: Account) -> Reply:
        """An unknown parameter is ignored: without `date` it is today, here day 0."""
        day = int(given.get("date", "0"))
        found = [e for e in account.entries.values() if e["date_int"] == str(day)]
        return Reply(body={"food_entries": {"food_entry": found} if found else None})

    def _month(self, given: Mapping[str, str], account: Account) -> Reply:
        first, last = _bounds(int(given["date"]))
        days = sorted({e["date_int"] for e in account.entries.values() if first <= int(e["date_int"]) <= last})
        said = [
            {"date_int": day}
            | {
                name: f"{sum(float(e.get(name) or 0) for e in account.entries.values() if e['date_int'] == day):.2f}"
                for name in NUTRIENTS[:4]
            }
            for day in days
        ]
        month = {"from_date_int": str(first), "to_date_int": str(last)}
        return Reply(body={"month": month | ({"day": said} if said else {})})

    def _create(self, given: Mapping[str, str], account: Account) -> Reply:
        food = self.service.foods.get(given.get("food_id", ""))
        if food is None:
            return _error(106, "Invalid ID")
        if given.get("meal") not in MEALS:
            return _error(107, "Invalid meal")
        serving = next((s for s in food["servings"]["serving"] if s["serving_id"] == given.get("serving_id")), None)
        if serving is None:
            return _error(106, "Invalid ID")
        self.service.last_id += 1
        number, units = self.service.last_id, float(given["number_of_units"])
        entry = _entry(number, int(given["date"]), food, serving, units, given["meal"].capitalize())
        account.entries[number] = entry | {"food_entry_name": given["food_entry_name"]}
        return Reply(body={"food_entry_id": {"value": str(number)}})

    def _edit(self, given: Mapping[str, str], account: Account) -> Reply:
        entry = account.entries.get(int(given.get("food_entry_id", 0)))
        if entry is None:
            return _error(106, "Invalid ID")
        if "number_of_units" in given:
            factor = float(given["number_of_units"]) / float(entry["number_of_units"])
            entry["number_of_units"] = given["number_of_units"]
            entry |= {n: f"{float(entry[n]) * factor:.2f}" for n in NUTRIENTS if n in entry}
        if "meal" in given:
            entry["meal"] = given["meal"].capitalize()
        return OK

    def _delete(self, given: Mapping[str, str], account: Account) -> Reply:
        gone = account.entries.pop(int(given.get("food_entry_id", 0)), None)
        return OK if gone else _error(106, "Invalid ID")

    def _weights(self, given: Mapping[str, str], account: Account) -> Reply:
        first, last = _bounds(int(given["date"]))
        inside = [(d, kg) for d, kg in sorted(account.weights.items()) if first <= d <= last]
        said = [{"date_int": str(d), "weight_kg": f"{kg:.4f}"} for d, kg in inside]
        month = {"from_date_int": str(first), "to_date_int": str(last)}
        return Reply(body={"month": month | ({"day": _one_or_list(said)} if said else {})})

    def _weigh(self, given: Mapping[str, str], account: Account) -> Reply:
        if not account.weights and not {"goal_weight_kg", "current_height_cm"} <= set(given):
            return _error(101, "Missing required parameter: goal_weight_kg")
        if any(day > int(given["date"]) for day in account.weights):
            return _error(206, "A later weight exists")
        account.weights[int(given["date"])] = float(given["current_weight_kg"])
        return OK


def verifier_of(token: str) -> str:
    """The code that the page of consent shows for a request token."""
    return token[::-1][:6]


def demo_service(last: date) -> Service:
    """With the foods that ship, and accounts of somebody who ate between meals in the week up to a day."""
    service, shipped = Service(), starter_foods().foods
    for number, food in enumerate(shipped, start=1):
        per_100g = {theirs: getattr(food.per_100g, ours) or 0.0 for theirs, ours in SHIPPED_AS.items()}
        portions = {portion.unit: portion.grams for portion in food.portions}
        service.foods[str(number)] = a_food(str(number), food.description, per_100g, **portions)
    number_of = {name: str(n) for n, food in enumerate(shipped, start=1) for name in food.names}
    service.eaten = [
        ((last - EPOCH).days - back, number_of[name], grams, meal)
        for back in reversed(range(len(SNACKS)))
        for meal, ahead in (("Breakfast", 0), ("Other", 3))
        for name, grams in (SNACKS[(back + ahead) % len(SNACKS)],)
    ]
    return service


def a_food(number: str, name: str, per_100g: Mapping[str, float], **portions: float) -> Json:
    """A food in FatSecret's form; `portions`: what a serving is called -> grams."""
    servings = [_serving(number, 0, "g", 100.0, 100.0, per_100g)]
    servings += [_serving(number, n, p, 1.0, grams, per_100g) for n, (p, grams) in enumerate(portions.items(), start=1)]
    return {
        "food_id": number,
        "food_name": name,
        "food_type": "Generic",
        "food_description": (
            f"Per 100g - Calories: {per_100g['calories']:.0f}kcal | Fat: {per_100g['fat']:.2f}g"
            f" | Carbs: {per_100g['carbohydrate']:.2f}g | Protein: {per_100g['protein']:.2f}g"
        ),
        "servings": {"serving": servings},
    }


def _serving(food: str, number: int, name: str, units: float, grams: float, per_100g: Mapping[str, float]) -> Json:
    return {
        "serving_id": f"{food}{number}",
        "serving_description": f"{units:g} {name}",
        "metric_serving_amount": f"{grams:.3f}",
        "metric_serving_unit": "g",
        "number_of_units": f"{units:.3f}",
        "measurement_description": name,
        **{nutrient: f"{amount * grams / 100:.3f}" for nutrient, amount in per_100g.items()},
    }


def _entry(number: int, day: int, food: Json, serving: Json, units: float, meal: str) -> Json:
    factor = units / float(serving["number_of_units"])
    return {
        "food_entry_id": str(number),
        "food_entry_description": f"{units:g} x {serving['serving_description']} {food['food_name']}",
        "food_entry_name": food["food_name"],
        "food_id": food["food_id"],
        "serving_id": serving["serving_id"],
        "date_int": str(day),
        "meal": meal,
        "number_of_units": f"{units:.3f}",
        **{n: f"{float(serving[n]) * factor:.2f}" for n in NUTRIENTS if n in serving},
    }


def _bounds(day: int) -> tuple[int, int]:
    """First and last day of the calendar month that a day is in, as numbers."""
    first = (EPOCH + timedelta(days=day)).replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return (first - EPOCH).days, (last - EPOCH).days


def _error(code: int, message: str = "an error") -> Reply:
    """In an answer that says 200; the code is a number or a text."""
    return Reply(body={"error": {"code": code if code % 2 else str(code), "message": message}})


def _one_or_list(rows: list[Json]) -> Any:
    return rows[0] if len(rows) == 1 else rows


def _signature(method: str, address: str, given: Mapping[str, str], secret: str, token_secret: str) -> str:
    """RFC 5849 §3.4, written down a second time: the client's comes from a library."""
    escaped = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in given.items() if k != "oauth_signature")
    parameters = "&".join(f"{k}={v}" for k, v in escaped)
    base = "&".join(quote(part, safe="~") for part in (method, address, parameters))
    key = f"{quote(secret, safe='~')}&{quote(token_secret, safe='~')}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()
