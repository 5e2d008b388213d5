"""What is logged here is in the FatSecret diary once, follows corrections, and is not taken for theirs."""

from datetime import date

import pytest

from meal_assets.clients.breaker import Breaker
from meal_assets.clients.fatsecret_answers import NAME, day_number
from meal_assets.clients.fatsecret_entries import left_out
from meal_assets.clients.outside import Outside
from meal_assets.commands.diary import correct_meal, log_meals, retract_meal
from meal_assets.commands.fatsecret import sync_diaries
from meal_assets.commands.flags import set_flag
from meal_assets.consumers import consume
from meal_assets.consumers.base import replay, try_at_once
from meal_assets.consumers.push_diary import FLAG, NO_COUNTERPART, PushDiary
from meal_assets.contracts.diary import DiaryDayObserved, MealLogged
from meal_assets.contracts.system import DeadLettered, FlagSet
from meal_assets.contracts.values import Nutrients
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import Account, FakeFatSecret
from meal_assets.fakes.server import Faulty
from meal_assets.read_models import catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from meal_assets.read_models.flags import Flags
from tests.remotes import fatsecret, no_pauses, outside

__all__ = ["fatsecret", "no_pauses", "outside"]

HOME = Origin("home", "test")
DAY = date(2026, 11, 23)
EATEN = Nutrients(kcal=300, protein_g=10.4, carbs_g=53.6, fat_g=5.1)


@pytest.fixture
def account(fatsecret: FakeFatSecret, store: EventStore) -> Account:
    """That of ada, who is connected and wants hers pushed."""
    token, secret = fatsecret.service.connect()
    Connections(store.database, "home", NAME).keep("ada", (token, secret))
    switch(store, "on")
    return fatsecret.service.accounts[token]


def switch(store: EventStore, value: str) -> None:
    set_flag(store, FlagSet(flag=FLAG, value=value, target_household="home", target_person="ada"), HOME)
    catch_up(Flags(), store)


def eat(store: EventStore, entry: str = "a", food: str = "oats", person: str = "ada", **other: object) -> None:
    told = {"entry": entry, "person": person, "day": DAY, "meal": "snack", "food": food, "nutrition": EATEN}
    log_meals(store, person, DAY, [MealLogged.model_validate(told | {"source": "person"} | other)], HOME)


def push(store: EventStore, outside: Outside) -> str | None:
    try_at_once(store)
    return consume(PushDiary(outside), store).failed


def there(account: Account) -> list[tuple[object, ...]]:
    rows = account.entries.values()
    return [(e["food_entry_name"], e["food_id"], e["meal"], float(e["number_of_units"])) for e in rows]


IN_GRAMS = round(300 / 3.79, 2)


def test_a_meal_is_there_once_as_the_food_that_is_most_like_it_with_its_energy(
    store: EventStore, outside: Outside, account: Account
) -> None:
    eat(store)
    assert push(store, outside) is None
    assert there(account) == [("oats", "33691", "Other", IN_GRAMS)]
    ((entry),) = account.entries.values()
    assert float(entry["calories"]) == pytest.approx(300, abs=0.02)
    eat(store, "b")
    assert push(store, outside) is None
    assert there(account) == [("oats", "33691", "Other", IN_GRAMS)] * 2


def test_without_the_flag_nothing_is_pushed_and_what_was_logged_meanwhile_never_is(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    switch(store, "off")
    eat(store)
    push(store, outside)
    switch(store, "on")
    push(store, outside)
    assert (there(account), fatsecret.service.calls) == ([], 0)


def test_nothing_is_pushed_for_who_is_not_connected_or_not_meant_or_was_imported(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    set_flag(store, FlagSet(flag=FLAG, value="on", target_household="home"), HOME)
    catch_up(Flags(), store)
    eat(store, person="ben")
    eat(store, source="import")
    assert push(store, outside) is None
    assert (there(account), fatsecret.service.calls) == ([], 0)


def test_corrections_and_retractions_follow(store: EventStore, outside: Outside, account: Account) -> None:
    eat(store)
    eat(store, "b")
    correct_meal(store, "ada", DAY, "a", EATEN * 0.5, HOME)
    retract_meal(store, "ada", DAY, "b", HOME)
    push(store, outside)
    assert there(account) == [("oats", "33691", "Other", round(IN_GRAMS * 0.5, 2))]
    correct_meal(store, "ada", DAY, "a", EATEN * 2, HOME)
    push(store, outside)
    assert there(account) == [("oats", "33691", "Other", round(IN_GRAMS * 2, 2))]
    retract_meal(store, "ada", DAY, "a", HOME)
    push(store, outside)
    assert there(account) == []


def test_what_was_removed_there_by_hand_stays_so(store: EventStore, outside: Outside, account: Account) -> None:
    eat(store)
    push(store, outside)
    account.entries.clear()
    correct_meal(store, "ada", DAY, "a", EATEN * 0.5, HOME)
    retract_meal(store, "ada", DAY, "a", HOME)
    assert push(store, outside) is None
    assert there(account) == []
    assert store.read(types=[DeadLettered]) == []


def test_an_entry_whose_answer_was_lost_is_looked_up_before_it_is_made_again(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    eat(store)
    eat(store, "b")
    fatsecret.faults.lost_writes = 1
    assert push(store, outside) is not None
    assert len(account.entries) == 1
    list(sync_diaries(store, outside, HOME, DAY, DAY))
    assert store.read(types=[DiaryDayObserved]) == []
    assert push(store, outside) is None
    assert len(account.entries) == 2
    correct_meal(store, "ada", DAY, "a", EATEN * 0.5, HOME)
    push(store, outside)
    assert sorted(units for *_, units in there(account)) == [round(IN_GRAMS * 0.5, 2), IN_GRAMS]


def test_an_entry_that_never_arrived_is_made(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    eat(store)
    fatsecret.faults.down = True
    assert push(store, outside) is not None
    fatsecret.faults.down = False
    Breaker(store.database, NAME).reset()
    assert push(store, outside) is None
    assert there(account) == [("oats", "33691", "Other", IN_GRAMS)]


def test_whatever_the_network_does_each_meal_is_there_once(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    for n in range(8):
        eat(store, f"entry-{n}", nutrition=EATEN * (1 + n))
    fatsecret.faults = Faulty(0.3, seed=1)
    for _ in range(40):
        if push(store, outside) is None:
            break
        Breaker(store.database, NAME).reset()
    assert store.read(types=[DeadLettered]) == []
    assert sorted(units for *_, units in there(account)) == [round((1 + n) * 300 / 3.79, 2) for n in range(8)]


def test_what_is_pushed_is_not_counted_twice_when_the_diary_is_read(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    eat(store)
    push(store, outside)
    (token,) = fatsecret.service.accounts
    fatsecret.service.eat(token, day_number(DAY), "12", 10)
    list(sync_diaries(store, outside, HOME, DAY, DAY))
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        (day,) = days_eaten(db, "home", DAY, DAY)
    assert (day.entries, day.eaten[0]) == (2, pytest.approx(371.7))
    correct_meal(store, "ada", DAY, "a", EATEN * 2, HOME)
    push(store, outside)
    list(sync_diaries(store, outside, HOME, DAY, DAY))
    assert len(store.read(types=[DiaryDayObserved])) == 1


def test_what_has_no_counterpart_is_left_out_and_named(store: EventStore, outside: Outside, account: Account) -> None:
    eat(store, food="unicorn")
    eat(store, "b", nutrition=Nutrients(kcal=300, protein_g=70, carbs_g=0, fat_g=2))
    assert push(store, outside) is None
    assert there(account) == []
    assert left_out(store.database, "home", DAY, DAY) == [("ada", DAY, NO_COUNTERPART, 2)]
    correct_meal(store, "ada", DAY, "a", EATEN, HOME)
    assert push(store, outside) is None


def test_a_revoked_token_becomes_a_letter_that_says_what_to_do(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    eat(store)
    fatsecret.service.accounts.clear()
    push(store, outside)
    (letter,) = [r.event for r in store.read(types=[DeadLettered])]
    assert isinstance(letter, DeadLettered)
    assert "meals connect fatsecret" in letter.message
    assert Connections(store.database, "home", NAME).all()[0].refused


def test_a_replay_and_a_shadow_push_nothing(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, account: Account
) -> None:
    set_flag(store, FlagSet(flag="consumer.push_diary", value="shadow"), HOME)
    eat(store)
    consume(PushDiary(outside), store)
    replay(PushDiary(outside), store)
    replay(PushDiary(outside), store, say=True)
    assert (there(account), fatsecret.service.calls) == ([], 0)
