"""The weight behind the weigh-ins."""

import csv
from datetime import date, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from meal_assets.contracts.body import WeightRecorded
from meal_assets.event_store import EventStore, Origin
from meal_assets.imports.weights import import_weights
from meal_assets.read_models import catch_up
from meal_assets.read_models.weight_trend import WeightTrend, newest_trend, smoothed
from tests.shared_data import shared_data

from .said import append

FIRST = date(2026, 11, 1)


def weigh(day: int, kilograms: float, person: str = "ada") -> WeightRecorded:
    return WeightRecorded(person=person, day=FIRST + timedelta(days=day), weight_kg=kilograms)


def trend(store: EventStore, person: str = "ada") -> dict[int, tuple[float, float]]:
    """Day -> (weight, trend)."""
    catch_up(WeightTrend(), store)
    with store.database.transaction() as db:
        rows = db.execute("SELECT day, weight_kg, trend_kg FROM read.weight_trend WHERE person = %s", (person,))
        return {(day - FIRST).days: (weight, smooth) for day, weight, smooth in rows}


def test_the_first_weigh_in_is_its_own_trend(store: EventStore) -> None:
    append(store, weigh(0, 64.2))
    assert trend(store) == {0: (64.2, 64.2)}


def test_a_weigh_in_counts_half_of_one_that_is_a_week_younger(store: EventStore) -> None:
    append(store, weigh(0, 70), weigh(7, 64))
    assert trend(store)[7][1] == pytest.approx((70 / 2 + 64) / 1.5)


def test_the_trend_is_that_of_pandas() -> None:
    weights = {FIRST + timedelta(days=day): 70 + (day * 37 % 11) / 7 for day in (0, 1, 2, 9, 11, 40, 41, 300)}
    theirs = pd.Series(weights.values()).ewm(halflife="7 days", times=pd.to_datetime(pd.Series(weights.keys()))).mean()
    assert [trend for *_, trend in smoothed(weights)] == pytest.approx(list(theirs))


def test_weigh_ins_out_of_order_give_what_they_give_in_order(store: EventStore) -> None:
    weights = [weigh(day, 70 - day / 10 + (day % 3) / 4) for day in (0, 2, 3, 9, 12)]
    for each in (weights[3], weights[0], weights[4], weights[2], weights[1]):
        append(store, each)
        trend(store)
    append(store, *[w.model_copy(update={"person": "ben"}) for w in weights])
    assert trend(store, "ada") == trend(store, "ben")
    assert len(trend(store)) == 5


def test_a_later_weigh_in_of_a_day_replaces_the_earlier_and_moves_the_days_after_it(store: EventStore) -> None:
    append(store, weigh(0, 64), weigh(1, 64))
    assert trend(store)[1] == pytest.approx((64, 64))
    append(store, weigh(0, 66))
    assert trend(store)[0] == (66, 66)
    assert 64.9 < trend(store)[1][1] < 66


def test_the_newest_trend_is_that_of_the_last_day_and_none_before_the_first(store: EventStore) -> None:
    append(store, weigh(5, 64), weigh(2, 80, "ben"))
    catch_up(WeightTrend(), store)
    with store.database.transaction() as db:
        assert newest_trend(db, "home", "ada") == 64
        assert newest_trend(db, "home", "nobody") is None


def test_the_trend_of_real_weigh_ins_moves_less_than_they_do(store: EventStore) -> None:
    content = shared_data("weight-log.csv").read_bytes()
    import_weights(store, content, Origin("home", "test"), lambda done, of: None)
    rows = list(csv.DictReader(content.decode().splitlines()))
    for person in sorted({row["person"] for row in rows}):
        stands = sorted(trend(store, person).items())
        assert len(stands) == len({row["date"] for row in rows if row["person"] == person})
        jumps = [(abs(b[1][0] - a[1][0]), abs(b[1][1] - a[1][1])) for a, b in pairwise(stands)]
        assert sum(smooth for _, smooth in jumps) <= sum(raw for raw, _ in jumps)
