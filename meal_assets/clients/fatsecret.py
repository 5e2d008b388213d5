"""FatSecret: its food database as the program itself, somebody's diary and weights as that person."""

from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import httpx

from meal_assets.contracts.values import Meal

from .fatsecret_answers import (
    ADVICE,
    MEAL_OF,
    NAME,
    NO_SUCH_ID,
    NOTHING_FOUND,
    WRONG_SIGNATURE,
    DiaryEntry,
    FatSecretRefused,
    Food,
    day_number,
    day_of,
    diary_entry,
    food,
    judge,
    listed,
    number,
)
from .http import cache_key, client
from .remote import Judge, Remote, Shared, judge_by_status
from .signing import ClientCredentials, OAuth1

API = "https://platform.fatsecret.com"
LOGIN = "https://authentication.fatsecret.com"
TOKENS = "https://oauth.fatsecret.com"
FOOD_SECONDS = 24 * 3600.0
"""How long food content may be kept: its identifiers may be stored for good, its nutrition may not."""
MOST_RESULTS = 50
THEIR_MEAL = {ours: theirs for theirs, ours in MEAL_OF.items()}


@dataclass(frozen=True, slots=True)
class Keys:
    """What FatSecret gives to a program."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return "Keys(***)"


@dataclass(frozen=True, slots=True)
class Token:
    """What FatSecret gives to a program for one person. It does not expire, and can be revoked."""

    token: str
    secret: str

    def __repr__(self) -> str:
        return "Token(***)"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much may be asked, and where: of the basic plan, at FatSecret itself."""

    api: str = API
    calls_a_day: int = 5_000
    calls_a_second: float = 8.0

    def remote(self, judge: Judge) -> Remote:
        return Remote(NAME, self.api, judge, self.calls_a_day, self.calls_a_second)


BASIC = Plan()


@dataclass(frozen=True, slots=True)
class Weight:
    day: date
    kg: float


class _Calls:
    """Method-style calls: one address, the method as a parameter."""

    def __init__(self, http: httpx.Client, whose: str) -> None:
        self._http, self._whose = http, whose

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, method: str, **more: Any) -> dict[str, Any]:
        """A question; FatSecret ignores a parameter whose name it does not know."""
        query = _given(method, more)
        kept = {"key": cache_key(self._whose, *map(str, (part for item in sorted(query.items()) for part in item)))}
        answer = self._http.get("/rest/server.api", params=query, extensions={"caching": kept})
        told: dict[str, Any] = answer.json()
        return told

    def _say(self, method: str, *, repeatable: bool, **more: Any) -> dict[str, Any]:
        answer = self._http.post("/rest/server.api", data=_given(method, more), extensions={"repeatable": repeatable})
        told: dict[str, Any] = answer.json()
        return told


def _given(method: str, more: dict[str, Any]) -> dict[str, str]:
    named = {k: str(v) for k, v in more.items() if v is not None}
    return {"method": method, "format": "json", **named}  # without a format it answers in XML


class FoodDatabase(_Calls):
    """Foods, kept for a day at most. Raises `RemoteFailed`, `Waiting`, `RemoteRefused`."""

    def __init__(
        self,
        keys: Keys,
        shared: Shared,
        *,
        plan: Plan = BASIC,
        tokens: str = TOKENS,
        scope: str = "basic",
        two_legged: bool = False,
    ) -> None:
        """With `two_legged`, calls are signed as those of a person are (OAuth 1.0a); else by a token (OAuth 2), which
        has a secret of its own and is given to listed addresses only."""
        self._tokens = client(Remote(f"{NAME}-tokens", tokens, judge_by_status), shared)
        bearer = ClientCredentials(self._tokens, "/connect/token", keys.key, keys.secret, scope)

        def judged(response: httpx.Response) -> Any:
            trouble = judge(response)
            if trouble is not None and trouble.reason == "code 13":
                bearer.forget()
            return trouble

        remote = plan.remote(judge if two_legged else judged)
        sign = OAuth1(keys.key, keys.secret) if two_legged else bearer
        super().__init__(client(remote, shared, sign=sign, cache_seconds=FOOD_SECONDS), "foods")

    def close(self) -> None:
        super().close()
        self._tokens.close()

    def search(self, words: str, page: int = 0) -> list[dict[str, str]]:
        """Foods by words, best first: food_id, food_name, food_type, food_description; pages count from 0."""
        told = self._ask("foods.search", search_expression=words, page_number=page, max_results=MOST_RESULTS)
        return [dict(one) for one in listed(told, "foods", "food") or listed(told, "foods_search", "results", "food")]

    def food(self, number_: str) -> Food | None:
        """A food with its servings; None when there is none of that number."""
        try:
            told = self._ask("food.get.v4", food_id=number_)
        except FatSecretRefused as error:
            if error.code in (NO_SUCH_ID, *NOTHING_FOUND):
                return None
            raise
        return food(told["food"])

    def food_of_barcode(self, barcode: str) -> Food | None:
        """The food with that barcode (EAN-13; shorter ones are filled up with zeros)."""
        try:
            told = self._ask("food.find_id_for_barcode", barcode=barcode.zfill(13))
        except FatSecretRefused as error:
            if error.code in NOTHING_FOUND:
                return None
            raise
        (found,) = listed(told, "food_id") or [{"value": "0"}]
        return None if str(found["value"]) == "0" else self.food(str(found["value"]))


class Diary(_Calls):
    """One person's diary and weights. Raises `RemoteFailed`, `Waiting`, `RemoteRefused`."""

    def __init__(self, keys: Keys, token: Token, shared: Shared, *, plan: Plan = BASIC) -> None:
        sign = OAuth1(keys.key, keys.secret, token.token, token.secret)
        super().__init__(client(plan.remote(judge), shared, sign=sign), token.token)

    def day(self, day: date) -> list[DiaryEntry]:
        """What was eaten on a day, in the order of their numbers."""
        try:
            told = self._ask("food_entries.get.v2", date=day_number(day))
        except FatSecretRefused as error:
            if error.code in NOTHING_FOUND:
                return []
            raise
        return sorted(map(diary_entry, listed(told, "food_entries", "food_entry")), key=lambda e: int(e.id))

    def days_with_entries(self, month: date) -> list[date]:
        """The days of a calendar month that have entries."""
        told = self._ask("food_entries.get_month.v2", date=day_number(month))
        days = (day_of(one["date_int"]) for one in listed(told, "month", "day"))
        return sorted(day for day in days if (day.year, day.month) == (month.year, month.month))

    def add(self, food_id: str, serving_id: str, name: str, units: float, meal: Meal, day: date) -> str:
        """A new entry; its number. Not repeated: look the day up after a `Transient`, before it is said again."""
        told = self._say(
            "food_entry.create",
            repeatable=False,
            food_id=food_id,
            serving_id=serving_id,
            food_entry_name=name,
            number_of_units=units,
            meal=THEIR_MEAL[meal],
            date=day_number(day),
        )
        return str(told["food_entry_id"]["value"])

    def change(self, entry: str, *, units: float | None = None, meal: Meal | None = None) -> None:
        their_meal = THEIR_MEAL[meal] if meal else None
        self._say("food_entry.edit", repeatable=True, food_entry_id=entry, number_of_units=units, meal=their_meal)

    def remove(self, entry: str) -> None:
        self._say("food_entry.delete", repeatable=True, food_entry_id=entry)

    def weights(self, month: date) -> list[Weight]:
        """The weigh-ins of a month."""
        told = self._ask("weights.get_month.v2", date=day_number(month))
        return [Weight(day_of(w["date_int"]), number(w["weight_kg"]) or 0.0) for w in listed(told, "month", "day")]

    def weigh(self, day: date, kg: float, *, goal_kg: float | None = None, height_cm: float | None = None) -> None:
        """Write a weigh-in; the first one ever needs goal and height as well."""
        self._say(
            "weight.update",
            repeatable=True,
            current_weight_kg=kg,
            date=day_number(day),
            goal_weight_kg=goal_kg,
            current_height_cm=height_cm,
        )

    def profile(self) -> dict[str, str]:
        told: dict[str, str] = self._ask("profile.get")["profile"]
        return told


class Handshake:
    """The three legs of OAuth 1.0a: a request token, the person's consent on a page, an access token."""

    def __init__(self, keys: Keys, shared: Shared, *, login: str = LOGIN) -> None:
        self._keys, self._shared = keys, shared
        self._remote = Remote(f"{NAME}-login", login, judge_by_status)
        self._pending: Token | None = None

    def begin(self) -> str:
        """The address of the page where the person agrees and is shown a code."""
        with client(self._remote, self._shared, sign=self._sign(callback_uri="oob")) as http:
            self._pending = _token(http.post("/oauth/request_token"), ADVICE[WRONG_SIGNATURE])
        return f"{self._remote.base_url}/oauth/authorize?oauth_token={self._pending.token}"

    def finish(self, verifier: str) -> Token:
        """The token for that person, from the code that the page showed."""
        if self._pending is None:
            raise ValueError("begin first")
        sign = self._sign(self._pending, verifier=verifier)
        with client(self._remote, self._shared, sign=sign) as http:
            return _token(http.get("/oauth/access_token"), "the code was not accepted: is it the one on the page?")

    def _sign(self, token: Token | None = None, **more: str) -> OAuth1:
        own = (token.token, token.secret) if token else (None, None)
        return OAuth1(self._keys.key, self._keys.secret, *own, **more)


def _token(response: httpx.Response, else_: str) -> Token:
    """The token in an answer that is a form; a refusal otherwise, whatever its status."""
    told = dict(parse_qsl(response.text)) if response.is_success else {}
    try:
        return Token(told["oauth_token"], told["oauth_token_secret"])
    except KeyError:
        path, status = response.request.url.path, response.status_code
        raise FatSecretRefused(f"{NAME} {path}: HTTP {status}: {else_}", 0, status) from None
