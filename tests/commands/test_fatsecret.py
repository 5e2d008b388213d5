"""FatSecret diaries read day by day, against a FatSecret with its quirks: once, within the budget, whatever fails."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from meal_assets.clients.breaker import Breaker, states
from meal_assets.clients.fatsecret_answers import NAME, day_number
from meal_assets.clients.outside import Outside
from meal_assets.commands.body import record_weights
from meal_assets.commands.fatsecret import DayRead, read_left_over, sync_diaries
from meal_assets.commands.forgetting import forget_person
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DiaryDayObserved
from meal_assets.errors import Invalid, RemoteFailed, RemoteRefused, Unavailable, Waiting
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import FakeFatSecret
from meal_assets.fakes.server import Faulty
from meal_assets.read_models import catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from tests.remotes import fatsecret, no_pauses, outside

__all__ = ["fatsecret", "no_pauses", "outside"]

HOME = Origin("home", "test")
LAST = date(2026, 11, 28)
FIRST = LAST - timedelta(days=89)
EMPTY_MONTH = date(2026, 2, 1)


@pytest.fixture
def ada(fatsecret: FakeFatSecret, store: EventStore) -> str:
    """The token of somebody who is connected."""
    return connected(fatsecret, store, "ada")


def connected(fatsecret: FakeFatSecret, store: EventStore, person: str) -> str:
    token, secret = fatsecret.service.connect()
    Connections(store.database, "home", NAME).keep(person, (token, secret))
    return token


def eats(fatsecret: FakeFatSecret, token: str, first: date, last: date) -> None:
    for n in range((last - first).days + 1):
        fatsecret.service.eat(token, day_number(first) + n, "33691", 50 + n)


def read(store: EventStore, outside: Outside, first: date = FIRST, last: date = LAST) -> list[DayRead]:
    return list(sync_diaries(store, outside, HOME, first, last))


def observed(store: EventStore) -> list[DiaryDayObserved]:
    return [r.event for r in store.read(types=[DiaryDayObserved]) if isinstance(r.event, DiaryDayObserved)]


def next_day(store: EventStore, fatsecret: FakeFatSecret) -> None:
    """Midnight passes: here and there, the calls count from none."""
    with store.database.transaction() as db:
        db.execute("UPDATE log.remotes SET day = day - 1")
    Breaker(store.database, NAME).reset()
    fatsecret.service.calls = 0


def test_ninety_days_are_read_once_and_a_second_time_say_nothing(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    assert [(d.day, d.changed) for d in read(store, outside)] == [
        (LAST - timedelta(days=n), ("ada",)) for n in range(90)
    ]
    assert len(observed(store)) == store.head() == 90
    months, long_months = 4, 3  # of August there is one day, which is asked for by itself
    assert fatsecret.service.calls == 90 + months + long_months
    assert [d.changed for d in read(store, outside)] == [()] * 90
    assert store.head() == 90
    catch_up(DailyNutrition(), store)
    with store.database.transaction() as db:
        (last,) = days_eaten(db, "home", LAST, LAST)
    assert last.eaten == pytest.approx([v * 1.39 for v in (379, 13.2, 67.7, 6.5)], abs=0.01)


def test_a_day_that_changed_there_is_said_again_and_only_that(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, LAST - timedelta(days=6), LAST)
    read(store, outside, LAST - timedelta(days=6))
    fatsecret.service.eat(ada, day_number(LAST) - 2, "4417", 150, meal="Other")
    assert [d.day for d in read(store, outside, LAST - timedelta(days=6)) if d.changed] == [LAST - timedelta(days=2)]
    again = observed(store)[-1]
    assert [m.meal for m in again.meals] == ["breakfast", "snack"]
    assert again.before == (observed(store)[2].meals[0].nutrition,)
    fatsecret.service.accounts[ada].entries.clear()
    assert len([d for d in read(store, outside, LAST - timedelta(days=6)) if d.changed]) == 7
    assert observed(store)[-1].meals == ()


def test_nothing_of_the_foods_is_kept_but_their_numbers(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, LAST, LAST)
    read(store, outside, LAST)
    with store.database.transaction() as db:
        assert db.execute("SELECT count(*) FROM log.events WHERE payload::text ~* 'oats'").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM log.http_cache").fetchone() == (0,)
    ((meal,),) = [d.meals for d in observed(store)]
    assert (meal.entries[0].food, meal.entries[0].units) == ("33691", 50)


def test_an_entry_whose_nutrition_is_not_known_is_counted_and_not_taken_for_nothing(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, LAST, LAST)
    number = fatsecret.service.eat(ada, day_number(LAST), "4417", 100)
    del fatsecret.service.accounts[ada].entries[number]["fat"]
    read(store, outside, LAST)
    ((meal,),) = [d.meals for d in observed(store)]
    assert (len(meal.entries), meal.unknown, meal.nutrition.kcal) == (2, 1, 189.5)


def test_a_month_without_entries_is_two_calls_one_of_them_for_weights(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    assert len(read(store, outside, EMPTY_MONTH, EMPTY_MONTH + timedelta(days=27))) == 28
    assert (fatsecret.service.calls, store.head()) == (2, 0)


def test_what_a_used_up_budget_leaves_over_is_read_the_next_day_and_no_day_twice(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    fatsecret.service.limit = 40
    through: list[date] = []
    days = sync_diaries(store, outside, HOME, FIRST, LAST)
    for _ in range(3):
        try:
            through.extend(done.day for done in days)
        except Waiting:
            next_day(store, fatsecret)
            days = read_left_over(store, outside, HOME)
    assert through == [LAST - timedelta(days=n) for n in range(90)]
    assert len(observed(store)) == store.head() == 90
    assert list(read_left_over(store, outside, HOME)) == []


def test_the_same_range_asked_for_again_goes_on_where_it_was(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    fatsecret.service.limit = 40
    with pytest.raises(Waiting, match="used up"):
        read(store, outside)
    assert len(observed(store)) < 40
    next_day(store, fatsecret)
    with pytest.raises(Waiting):
        read(store, outside)
    next_day(store, fatsecret)
    assert len(read(store, outside)) == 90
    assert len(observed(store)) == store.head() == 90


def test_our_own_count_of_calls_ends_a_range_before_fatsecret_does(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    with pytest.raises(Waiting, match="30 calls a day of fatsecret are used up"):
        read(store, replace(outside, fatsecret_calls_a_day=30))
    assert fatsecret.service.calls == 30


def test_faults_on_half_of_the_calls_keep_no_day_back_for_good(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    fatsecret.faults = Faulty(0.5, seed=3)
    failed = 0
    for _ in range(20):
        try:
            list(
                sync_diaries(store, outside, HOME, FIRST, LAST) if not failed else read_left_over(store, outside, HOME)
            )
            break
        except (RemoteFailed, Waiting):
            failed += 1
            Breaker(store.database, NAME).reset()
    assert failed
    assert len(observed(store)) == store.head() == 90


def test_a_revoked_token_stops_that_person_says_what_to_do_and_leaves_the_others(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    ben = connected(fatsecret, store, "ben")
    eats(fatsecret, ben, LAST - timedelta(days=2), LAST)
    del fatsecret.service.accounts[ada]
    days = sync_diaries(store, outside, HOME, LAST - timedelta(days=2), LAST)
    with pytest.raises(RemoteRefused, match="`meals connect fatsecret ada` makes a new one"):
        assert list(days) == []
    assert [d.person for d in observed(store)] == ["ben"] * 3
    assert [s.state for s in states(store.database)] == ["closed"]
    asked = len(fatsecret.asked)
    with pytest.raises(Unavailable, match="`meals connect fatsecret ada` makes a new one"):
        list(sync_diaries(store, outside, HOME, LAST, LAST, "ada"))
    assert len(fatsecret.asked) == asked
    assert len(read(store, outside, LAST)) == 1


def test_who_is_not_connected_and_a_range_that_is_none_are_told(store: EventStore, outside: Outside, ada: str) -> None:
    with pytest.raises(Unavailable, match="ben is not connected"):
        list(sync_diaries(store, outside, HOME, LAST, LAST, "ben"))
    with pytest.raises(Invalid, match="no range"):
        read(store, outside, LAST, FIRST)


def test_of_who_is_forgotten_while_it_reads_nothing_is_said(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    eats(fatsecret, ada, FIRST, LAST)
    reading = sync_diaries(store, outside, HOME, FIRST, LAST)
    next(reading)
    forget_person(store, "ada", HOME)
    with pytest.raises(Unavailable):
        list(reading)
    assert len(observed(store)) == 1
    with store.database.transaction() as db:
        assert db.execute("SELECT count(*) FROM log.fatsecret_days").fetchone() == (0,)


def weighed(store: EventStore) -> list[tuple[date, float]]:
    recorded = [r.event for r in store.read(types=[WeightRecorded])]
    return [(e.day, e.weight_kg) for e in recorded if isinstance(e, WeightRecorded)]


def test_weights_are_recorded_once_and_again_when_they_change_there(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    there, yesterday = fatsecret.service.accounts[ada].weights, LAST - timedelta(days=1)
    there |= {day_number(LAST): 62.5, day_number(yesterday): 62.75}
    for _ in range(2):
        read(store, outside, LAST)
    assert weighed(store) == [(yesterday, 62.75), (LAST, 62.5)]
    record_weights(store, "ada", [WeightRecorded(person="ada", day=LAST, weight_kg=61)], HOME)
    read(store, outside, LAST)
    assert weighed(store)[2:] == [(LAST, 61)]
    there[day_number(LAST)] = 60.5
    read(store, outside, LAST)
    assert weighed(store)[3:] == [(LAST, 60.5)]


def test_a_weight_recorded_here_is_not_replaced_by_one_that_was_there_all_along(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    record_weights(store, "ada", [WeightRecorded(person="ada", day=LAST, weight_kg=61)], HOME)
    fatsecret.service.accounts[ada].weights[day_number(LAST)] = 62.5
    read(store, outside, LAST)
    assert weighed(store) == [(LAST, 61)]


def test_foods_whose_time_is_over_go_also_where_no_others_come(
    store: EventStore, outside: Outside, fatsecret: FakeFatSecret, ada: str
) -> None:
    with outside.fatsecret_foods(store.database) as foods:
        assert foods.food("33691")
        assert foods.food("4417")
    with store.database.transaction() as db:
        db.execute("UPDATE log.http_cache SET expires_at = now() WHERE body LIKE '%Apple%'::bytea")
    read(store, outside, LAST)
    with store.database.transaction() as db:
        ((left,),) = db.execute("SELECT body FROM log.http_cache").fetchall()
    assert b"Rolled oats" in left
