"""The client against a FatSecret with its quirks, each of which is a test, and OAuth against the RFC's own examples."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from meal_assets.clients.breaker import FAILURES, Breaker, states
from meal_assets.clients.fatsecret import Diary, FoodDatabase, Handshake, Keys, Plan, Token
from meal_assets.clients.fatsecret_answers import (
    NAME,
    FatSecretRefused,
    day_number,
    day_of,
    described,
    judge,
    listed,
    number,
    nutrients,
)
from meal_assets.clients.signing import OAuth1
from meal_assets.contracts.values import Nutrients
from meal_assets.errors import RemoteFailed, Waiting
from meal_assets.event_store import Database
from meal_assets.fakes.fatsecret import FakeFatSecret, a_food, demo_service, verifier_of
from meal_assets.fakes.server import Faulty

DAY = date(2026, 11, 23)
OATS = {"calories": 379.0, "carbohydrate": 67.7, "protein": 13.2, "fat": 6.5, "fiber": 10.1, "sodium": 6.0}


@pytest.fixture
def fake() -> Iterator[FakeFatSecret]:
    with FakeFatSecret() as fake:
        fake.service.foods = {
            "33691": a_food("33691", "Rolled oats", OATS, cup=81.0),
            "35755": a_food("35755", "Banana & honey (half/half)", OATS, small=101.0),
        }
        fake.service.barcodes = {"0012345678905": "33691"}
        yield fake


@pytest.fixture
def keys(fake: FakeFatSecret) -> Keys:
    return Keys(fake.service.key, fake.service.secret)


@pytest.fixture
def token(fake: FakeFatSecret) -> Token:
    return Token(*fake.service.connect())


@pytest.fixture
def diary(fake: FakeFatSecret, keys: Keys, token: Token, database: Database) -> Iterator[Diary]:
    with Diary(keys, token, database, plan=Plan(fake.url)) as diary:
        yield diary


@pytest.fixture
def foods(fake: FakeFatSecret, keys: Keys, database: Database) -> Iterator[FoodDatabase]:
    with FoodDatabase(keys, database, plan=Plan(fake.url), tokens=fake.url) as foods:
        yield foods


def signed(url: str, method: str = "GET", form: dict[str, str] | None = None, **given: str) -> dict[str, str]:
    """The parameters that a signed request carries."""
    sign = OAuth1(
        given.pop("key"), given.pop("secret"), given.pop("token", None), given.pop("token_secret", None), **given
    )
    request = sign(httpx.Request(method, url, data=form))
    carried = dict(request.url.params)
    return carried | dict(httpx.QueryParams(request.content.decode()))


def test_the_signature_is_the_one_of_rfc_5849_section_1_2() -> None:
    carried = signed(
        "http://photos.example.net/photos?file=vacation.jpg&size=original",
        key="dpf43f3p2l4k3l03", secret="kd94hf93k423kf44", token="nnch734d00sl2jdk", token_secret="pfkkdhi9sl3r4s00",
        nonce="chapoH", timestamp="137131202",
    )  # fmt: skip
    # the RFC's base string, with the oauth_version that FatSecret wants and the RFC's example leaves out
    assert carried["oauth_signature"] == expected_signature(
        "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacation.jpg%26oauth_consumer_key%3Ddpf43f3p2l4k3l03"
        "%26oauth_nonce%3DchapoH%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131202%26oauth_token"
        "%3Dnnch734d00sl2jdk%26oauth_version%3D1.0%26size%3Doriginal",
        b"kd94hf93k423kf44&pfkkdhi9sl3r4s00",
    )


def test_the_base_string_is_the_one_of_rfc_5849_section_3_4_1() -> None:
    carried = signed(
        "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b", "POST", {"c2": "", "a3": "2 q"},
        key="9djdj82h48djs9d2", secret="j49sk3j29djd", token="kkk9d7dh3k39sjv7", token_secret="dh893hdasih9",
        nonce="7d8f3e4a", timestamp="137131201",
    )  # fmt: skip
    assert carried["oauth_signature"] == expected_signature(
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2"
        "%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7%26oauth_version%3D1.0",
        b"j49sk3j29djd&dh893hdasih9",
    )


def expected_signature(base: str, key: bytes) -> str:
    return base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest()).decode()


def test_two_legged_requests_keep_the_ampersand_of_the_missing_secret() -> None:
    carried = signed("http://example.com/request", "POST", {"a": "b c&d", "method": "x"}, key="k", secret="s",
                     nonce="n", timestamp="1")  # fmt: skip
    assert carried["a"] == "b c&d"
    assert carried["oauth_signature"] == expected_signature(
        "POST&http%3A%2F%2Fexample.com%2Frequest&a%3Db%2520c%2526d%26method%3Dx%26oauth_consumer_key%3Dk%26oauth_nonce%3Dn"
        "%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1%26oauth_version%3D1.0",
        b"s&",
    )


def test_every_attempt_is_signed_anew(fake: FakeFatSecret, diary: Diary) -> None:
    fake.service.errors = [20, 24, 12]
    assert diary.day(DAY) == []


def test_days_are_numbers_since_1970() -> None:
    assert (day_number(date(2009, 2, 14)), day_number(date(2025, 12, 27))) == (14289, 20449)
    assert day_of("14289") == date(2009, 2, 14)
    with pytest.raises(RemoteFailed):
        day_of("today")


def test_a_day_is_read_with_texts_for_numbers_and_capitalised_meals(
    fake: FakeFatSecret, diary: Diary, token: Token
) -> None:
    fake.service.eat(token.token, day_number(DAY), "33691", 50)
    fake.service.eat(token.token, day_number(DAY), "35755", 100, meal="Other")
    first, second = diary.day(DAY)
    assert (first.day, first.meal, first.name, first.units) == (DAY, "breakfast", "Rolled oats", 50)
    assert first.eaten == Nutrients(kcal=189.5, protein_g=6.6, carbs_g=33.85, fat_g=3.25, fiber_g=5.05, sodium_mg=3)
    assert second.meal == "snack"


def test_an_empty_day_is_no_error_however_it_is_told(fake: FakeFatSecret, diary: Diary) -> None:
    assert diary.day(DAY) == []
    fake.service.errors = [207]
    assert diary.day(DAY) == []


@pytest.mark.parametrize("told", [None, "", {}, {"a": None}, {"a": {"b": ""}}])
def test_nothing_is_told_in_many_ways(told: object) -> None:
    assert listed(told, "a", "b") == []


def test_one_thing_may_come_without_its_list() -> None:
    assert listed({"a": {"b": {"x": "1"}}}, "a", "b") == [{"x": "1"}]
    assert listed({"a": {"b": [{"x": "1"}, {"x": "2"}]}}, "a", "b") == [{"x": "1"}, {"x": "2"}]
    assert [number(v) for v in ("0.39", 105, " 7 ", None, "n/a")] == [0.39, 105.0, 7.0, None, None]


def test_entries_are_made_changed_and_removed(fake: FakeFatSecret, diary: Diary) -> None:
    made = diary.add("35755", "357551", "Banana & co, 100 % ripe / ä", 2, "snack", DAY)
    (entry,) = diary.day(DAY)
    assert (entry.id, entry.meal, entry.name, entry.units) == (made, "snack", "Banana & co, 100 % ripe / ä", 2)
    diary.change(made, units=1, meal="lunch")
    (entry,) = diary.day(DAY)
    assert (entry.units, entry.meal) == (1, "lunch")
    diary.remove(made)
    assert diary.day(DAY) == []


def test_an_entry_whose_answer_was_lost_is_not_said_again(fake: FakeFatSecret, diary: Diary, token: Token) -> None:
    class Lost(Faulty):
        def next(self) -> str | None:
            return "hang up"

    fake.faults = Lost()
    with pytest.raises(RemoteFailed):
        diary.add("33691", "336910", "Oats", 50, "breakfast", DAY)
    assert len(fake.service.accounts[token.token].entries) == 1


def test_a_month_names_its_days(fake: FakeFatSecret, diary: Diary, token: Token) -> None:
    assert diary.days_with_entries(DAY) == []
    fake.service.eat(token.token, day_number(DAY), "33691", 50)
    assert diary.days_with_entries(DAY) == [DAY]


def test_weights_are_written_and_read_one_or_many(diary: Diary) -> None:
    with pytest.raises(FatSecretRefused, match="goal_weight_kg"):
        diary.weigh(DAY, 62.5)
    diary.weigh(DAY, 62.5, goal_kg=60, height_cm=168)
    assert [(w.day, w.kg) for w in diary.weights(DAY)] == [(DAY, 62.5)]
    diary.weigh(DAY + timedelta(days=1), 62.25)
    assert [w.kg for w in diary.weights(DAY)] == [62.5, 62.25]
    with pytest.raises(FatSecretRefused, match="there is a later weight already"):
        diary.weigh(DAY, 63)


def test_a_revoked_token_says_what_to_do(fake: FakeFatSecret, diary: Diary) -> None:
    fake.service.accounts.clear()
    with pytest.raises(FatSecretRefused, match="`meals connect fatsecret` makes a new one") as refused:
        diary.day(DAY)
    assert refused.value.code == 9


def test_a_revoked_token_leaves_the_breaker_alone_also_where_only_the_status_tells(
    fake: FakeFatSecret, diary: Diary, token: Token, database: Database
) -> None:
    account = fake.service.accounts.pop(token.token)
    for by_status in [False, True] * FAILURES:
        fake.service.revoked_by_status = by_status
        with pytest.raises(FatSecretRefused, match="`meals connect fatsecret` makes a new one"):
            diary.day(DAY)
    assert len([1 for _, path in fake.asked if path == "/rest/server.api"]) == 2 * FAILURES
    assert [(s.state, s.failures) for s in states(database)] == [("closed", 0)]
    fake.service.accounts[token.token] = account
    assert diary.day(DAY) == []


def test_a_no_at_the_probe_closes_the_breaker(fake: FakeFatSecret, diary: Diary, database: Database) -> None:
    Breaker(database, NAME).trip(timedelta(), "tried by hand")
    fake.service.errors = [9]
    with pytest.raises(FatSecretRefused):
        diary.day(DAY)
    assert [s.state for s in states(database)] == ["closed"]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_no_without_a_code_is_no_empty_day(status: int) -> None:
    response = httpx.Response(status, json={}, request=httpx.Request("GET", "https://platform.fatsecret.com/rest"))
    with pytest.raises(FatSecretRefused, match=f"HTTP {status}"):
        judge(response)


@pytest.mark.parametrize("body", ["[]", '"x"', "<error/>", ""])
def test_what_is_no_object_is_no_empty_day(body: str) -> None:
    assert judge(httpx.Response(200, text=body)) is not None


@pytest.mark.parametrize("code", [1, 12, 20, 24, "12"])
def test_busy_codes_are_trouble_though_the_status_is_200(code: object) -> None:
    response = httpx.Response(200, json={"error": {"code": code, "message": "x"}})
    assert judge(response) is not None


def test_the_limit_of_the_day_opens_the_breaker_until_it_is_over(fake: FakeFatSecret, diary: Diary) -> None:
    fake.service.limit = 0
    with pytest.raises(Waiting, match="calls of the day are used up"):
        diary.day(DAY)
    asked = len(fake.asked)
    with pytest.raises(Waiting) as waiting:
        diary.day(DAY)
    assert len(fake.asked) == asked
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert abs(waiting.value.until - midnight) < timedelta(seconds=5)


def test_foods_are_found_and_kept_for_a_day(fake: FakeFatSecret, foods: FoodDatabase) -> None:
    assert [f["food_id"] for f in foods.search("oats")] == ["33691"]
    assert foods.search("unicorn") == []
    asked = len(fake.asked)
    assert [f["food_id"] for f in foods.search("oats")] == ["33691"]
    assert len(fake.asked) == asked


def test_a_serving_of_100_g_counts_its_units_in_grams(foods: FoodDatabase) -> None:
    oats = foods.food("33691")
    assert oats is not None
    grams, cups = oats.amount("336910", 40), oats.amount("336911", 1)
    assert grams is not None
    assert cups is not None
    assert (round(grams.kcal, 1), round(cups.kcal, 1)) == (151.6, 307.0)
    assert oats.amount("nothing", 1) is None


def test_barcodes_are_filled_up_and_an_unknown_one_is_zero(foods: FoodDatabase) -> None:
    found = foods.food_of_barcode("12345678905")
    assert found is not None
    assert found.name == "Rolled oats"
    assert foods.food_of_barcode("4006381333931") is None
    assert foods.food("1") is None


def test_a_no_is_not_kept(fake: FakeFatSecret, foods: FoodDatabase) -> None:
    assert foods.food("777") is None
    fake.service.foods["777"] = a_food("777", "New", OATS)
    assert foods.food("777") is not None


def test_foods_may_be_asked_for_with_a_signature_of_nobody(fake: FakeFatSecret, keys: Keys, database: Database) -> None:
    with FoodDatabase(keys, database, plan=Plan(fake.url), two_legged=True) as foods:
        assert [f["food_id"] for f in foods.search("oats")] == ["33691"]
    assert all(path != "/connect/token" for _, path in fake.asked)


def test_a_key_that_is_wrong_says_so(fake: FakeFatSecret, keys: Keys, database: Database) -> None:
    with pytest.raises(FatSecretRefused, match="MEALS_FATSECRET_SECRET"):
        Handshake(Keys(keys.key, "wrong"), database, login=fake.url).begin()
    with (
        FoodDatabase(Keys(keys.key, "wrong"), database, plan=Plan(fake.url), two_legged=True) as foods,
        pytest.raises(FatSecretRefused, match="MEALS_FATSECRET_SECRET"),
    ):
        foods.search("oats")
    assert "wrong" not in repr(Keys(keys.key, "wrong"))


def test_a_bearer_that_ran_out_is_replaced_once(fake: FakeFatSecret, foods: FoodDatabase) -> None:
    foods.search("oats")
    fake.service.bearers.clear()
    assert foods.food("33691") is not None
    assert sum(path == "/connect/token" for _, path in fake.asked) == 2


def test_a_person_is_connected_in_three_legs(fake: FakeFatSecret, keys: Keys, database: Database) -> None:
    handshake = Handshake(keys, database, login=fake.url)
    page = handshake.begin()
    request_token = page.partition("oauth_token=")[2]
    with pytest.raises(FatSecretRefused, match="HTTP 401"):
        handshake.finish("wrong")
    token = handshake.finish(verifier_of(request_token))
    assert token.secret not in repr(token)
    with Diary(keys, token, database, plan=Plan(fake.url)) as diary:
        assert diary.profile()["height_cm"] == "168.00"


def test_faults_on_a_third_of_the_calls_are_not_seen(fake: FakeFatSecret, diary: Diary) -> None:
    fake.faults = Faulty(0.3, seed=1)
    assert [diary.day(DAY + timedelta(days=n)) for n in range(20)] == [[]] * 20


def test_what_is_not_told_is_unknown_and_never_nothing_and_vitamins_are_left_out() -> None:
    told = {"calories": "52", "protein": "0.26", "carbohydrate": 14, "fat": "0.17", "fiber": "", "vitamin_c": "8"}
    known = nutrients(told | {"iron": "1", "calcium": "6", "sugar": "0"})
    assert known == Nutrients(kcal=52, protein_g=0.26, carbs_g=14, fat_g=0.17, sugar_g=0)
    assert nutrients({k: v for k, v in told.items() if k != "fat"}) is None


def test_a_day_is_asked_for_by_the_name_that_is_not_ignored(fake: FakeFatSecret, diary: Diary, token: Token) -> None:
    fake.service.eat(token.token, 0, "35755", 1)  # what a call without a day it knows would get
    fake.service.eat(token.token, day_number(DAY), "33691", 50)
    assert [entry.food_id for entry in diary.day(DAY)] == ["33691"]


def test_a_right_that_is_missing_is_named_and_region_and_language_are_never_asked_for(
    fake: FakeFatSecret, foods: FoodDatabase
) -> None:
    assert foods.search("oats")  # the fake refuses both, as FatSecret does without the right to them
    fake.service.errors = [14]
    with pytest.raises(FatSecretRefused, match="lacks a scope"):
        foods.search("banana")


def test_the_line_that_describes_a_food_is_read(foods: FoodDatabase) -> None:
    line = "Per 100g - Calories: 52kcal | Fat: 0.17g | Carbs: 13.81g | Protein: 0.26g"
    assert described(line) == Nutrients(kcal=52, fat_g=0.17, carbs_g=13.81, protein_g=0.26)
    assert described("Per 1 cup - a lot") is None
    (found,) = foods.search("oats")
    assert described(found["food_description"]) == Nutrients(kcal=379, fat_g=6.5, carbs_g=67.7, protein_g=13.2)


def test_foods_are_kept_for_a_day_at_most_and_diaries_not_at_all(
    foods: FoodDatabase, diary: Diary, database: Database
) -> None:
    diary.day(DAY)
    foods.food("33691")
    with database.transaction() as db:
        kept = db.execute("SELECT count(*), max(expires_at - now()) FROM log.http_cache").fetchone()
    assert kept is not None
    assert kept[0] == 1
    assert kept[1] <= timedelta(days=1)


def test_a_month_names_its_own_days_only(fake: FakeFatSecret, diary: Diary, token: Token) -> None:
    last = date(2026, 2, 28)
    for day in (last, last + timedelta(days=1)):
        fake.service.eat(token.token, day_number(day), "33691", 50)
    assert diary.days_with_entries(date(2026, 2, 1)) == [last]


def test_the_account_of_a_demo_holds_a_week(database: Database) -> None:
    last = date(2026, 11, 28)
    with FakeFatSecret(demo_service(last)) as demo:
        keys = Keys(demo.service.key, demo.service.secret)
        token = Token(*demo.service.connect())
        with Diary(keys, token, database, plan=Plan(demo.url, calls_a_second=1_000)) as diary:
            days = [diary.day(last - timedelta(days=back)) for back in range(8)]
    assert [len(entries) for entries in days] == [2] * 7 + [0]
    today = [(e.name.partition(",")[0], e.meal, e.units) for e in days[0]]
    assert today == [("Bananas", "breakfast", 118.0), ("Yogurt", "snack", 170.0)]
    eaten = days[0][0].eaten
    assert eaten is not None
    assert eaten.kcal == pytest.approx(1.18 * 89)
