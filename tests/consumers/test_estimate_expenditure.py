"""What a person spends, from what they weighed and ate; and the goal that fits it, suggested once and taken or not."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from meal_assets.commands.body import record_weights
from meal_assets.commands.diary import log_meals, observe_day
from meal_assets.commands.flags import set_flag
from meal_assets.commands.forgetting import forget_person
from meal_assets.commands.profile import accept_goal, set_profile
from meal_assets.consumers import consume
from meal_assets.consumers.accept_energy_goal import FLAG, AcceptEnergyGoal
from meal_assets.consumers.base import replay
from meal_assets.consumers.estimate_expenditure import FRESH_DAYS, EstimateExpenditure
from meal_assets.contracts import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import MealLogged, ObservedEntry, ObservedMeal
from meal_assets.contracts.expenditure import EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.contracts.profile import GoalSet, ProfileSet
from meal_assets.contracts.system import FlagSet
from meal_assets.contracts.values import Nutrients
from meal_assets.domain.expenditure import WINDOW_DAYS
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.read_models import catch_up
from meal_assets.read_models.flags import Flags

HOME = Origin("home", "test")
TODAY = datetime.now(UTC).date()
GOAL = GoalSet(person="ada", kcal=2000, protein_g=130, carbs_g=210, fat_g=70, fiber_g=30)
ADA = ProfileSet(person="ada", name="Ada", weight_kg=70, activity="moderate", aim="maintain")
EATEN = Nutrients(kcal=2000, protein_g=130, carbs_g=210, fat_g=70)


def weigh(store: EventStore, day: date, kg: float, fat_pct: float | None = None) -> None:
    weight = WeightRecorded(person="ada", day=day, weight_kg=round(kg, 2), fat_pct=fat_pct)
    record_weights(store, "ada", [weight], HOME)


def eat(store: EventStore, day: date, kcal: float = 2_000, *, close: bool = True) -> None:
    meal = MealLogged(
        entry="a", person="ada", day=day, meal="lunch", food="All", nutrition=EATEN * (kcal / 2_000), source="person"
    )
    log_meals(store, "ada", day, [meal], HOME, close=close)


def live(store: EventStore, days: int, *, lost_a_day: float = 0.08, until: date = TODAY, close: bool = True) -> None:
    """Eat 2,000 kcal a day and lose weight: 80 g a day are 616 kcal more spent."""
    for n in range(days):
        day = until - timedelta(days=days - 1 - n)
        weigh(store, day, 70 - lost_a_day * n)
        eat(store, day, close=close)


def said(store: EventStore, kind: type[Event] = ExpenditureEstimated) -> list[Any]:
    assert consume(EstimateExpenditure(), store).set_aside == 0
    return [r.event for r in store.read(types=[kind])]


def test_each_weigh_in_and_closed_day_says_what_is_known_by_then(store: EventStore) -> None:
    set_profile(store, ADA, HOME)
    live(store, 3)
    told = said(store)
    assert [t.day for t in told] == [TODAY - timedelta(days=back) for back in (2, 2, 1, 1, 0, 0)]
    assert [t.intake_kcal for t in told] == [None, 2_000] * 3
    assert [(t.weigh_ins, t.intake_days) for t in told] == [(1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]
    assert {(t.since, t.prior_source) for t in told} == {(TODAY - timedelta(days=2), "weight_formula")}
    assert all(t.low_kcal < t.expenditure_kcal < t.high_kcal for t in told)
    assert len(said(store)) == 6


def test_after_eight_weeks_the_estimate_is_what_the_balance_says(store: EventStore) -> None:
    live(store, 56)
    last = said(store)[-1]
    assert last.expenditure_kcal == pytest.approx(2_616, rel=0.02)
    assert last.low_kcal < 2_616 < last.high_kcal
    assert last.weight_kg == pytest.approx(70 - 0.08 * 55, abs=0.2)


def test_without_a_weigh_in_nothing_is_said(store: EventStore) -> None:
    eat(store, TODAY)
    assert said(store) == []


def test_a_day_that_was_not_closed_counts_when_it_is_over_and_whole(store: EventStore) -> None:
    weigh(store, TODAY - timedelta(days=4), 70)
    eat(store, TODAY - timedelta(days=3), close=False)
    eat(store, TODAY - timedelta(days=2), 500, close=False)
    entry = ObservedEntry(number="1", food="2", serving="3", units=1)
    observe_day(
        store, "ada", TODAY - timedelta(days=1), [ObservedMeal(meal="lunch", entries=(entry,), nutrition=EATEN)], HOME
    )
    eat(store, TODAY, close=False)
    weigh(store, TODAY, 70)
    assert (said(store)[-1].intake_days, said(store)[-1].intake_kcal) == (2, None)


def test_body_fat_is_where_it_starts_from(store: EventStore) -> None:
    weigh(store, TODAY, 70, fat_pct=20)
    (told,) = said(store)
    assert (told.prior_source, told.prior_kcal) == ("katch_mcardle", pytest.approx((370 + 21.6 * 56) * 1.55, abs=0.1))


def test_what_was_longer_ago_has_no_part_in_it(store: EventStore) -> None:
    weigh(store, TODAY - timedelta(days=WINDOW_DAYS), 70)
    weigh(store, TODAY - timedelta(days=WINDOW_DAYS - 1), 71)
    weigh(store, TODAY, 72)
    told = said(store)[-1]
    assert (told.weigh_ins, told.since) == (2, TODAY - timedelta(days=WINDOW_DAYS - 1))


def test_what_was_before_a_person_was_forgotten_has_no_part_in_it(store: EventStore) -> None:
    set_profile(store, ADA, HOME)
    live(store, 5)
    forget_person(store, "ada", HOME)
    weigh(store, TODAY, 50)
    told = said(store)[-1]
    assert (told.weigh_ins, told.intake_days, told.weight_kg) == (1, 0, 50)


def test_another_household_or_person_has_no_part_in_it(store: EventStore) -> None:
    for household, person in (("next-door", "ada"), ("home", "ben")):
        origin = Origin(household, "test")
        record_weights(store, person, [WeightRecorded(person=person, day=TODAY, weight_kg=90)], origin)
    weigh(store, TODAY, 50)
    assert [(t.weigh_ins, t.weight_kg) for t in said(store)] == [(1, 90), (1, 90), (1, 50)]


def test_a_goal_that_does_not_fit_is_suggested_once_a_week(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    live(store, 56, until=TODAY - timedelta(days=1))
    first, *more = said(store, EnergyGoalSuggested)
    assert more == []  # of the last days, not of eight weeks
    assert (first.goal.kcal, first.before.kcal, first.bounds) == (2_200, 2_000, ("step",))
    assert first.low_kcal > 2_000
    weigh(store, TODAY, 70 - 0.08 * 56)
    assert said(store, EnergyGoalSuggested) == [first]


def test_nothing_is_suggested_for_now_from_days_long_ago(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    live(store, 56, until=TODAY - timedelta(days=FRESH_DAYS + 2))
    assert said(store, EnergyGoalSuggested) == []


def test_a_goal_that_fits_is_left_alone(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    live(store, 40, lost_a_day=0)
    assert said(store, EnergyGoalSuggested) == []


def test_a_replay_says_the_same_and_nothing_twice(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    live(store, 40)
    before = said(store), said(store, EnergyGoalSuggested)
    assert before[1]
    set_profile(store, GOAL.model_copy(update={"kcal": 2_500.0}), HOME)
    weigh(store, TODAY - timedelta(days=20), 90)
    head = store.head()
    assert replay(EstimateExpenditure(), store, until=head - 2) == []
    assert replay(EstimateExpenditure(), store, until=head - 2, say=True) == []
    assert store.head() == head


def test_who_takes_it_has_the_goal_once_with_their_fiber(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    with pytest.raises(Invalid, match="none was suggested to ada"):
        accept_goal(store, "ada", HOME)
    live(store, 40)
    (suggested,) = said(store, EnergyGoalSuggested)
    assert accept_goal(store, "ada", HOME).events == 1
    assert accept_goal(store, "ada", HOME).events == 0
    goals = [r.event for r in store.read(types=[GoalSet])]
    assert goals[-1] == GoalSet(person="ada", fiber_g=30, **suggested.goal.model_dump())
    set_profile(store, GOAL.model_copy(update={"kcal": 1_900.0}), HOME)
    with pytest.raises(Invalid, match="changed after the suggestion"):
        accept_goal(store, "ada", HOME)


@pytest.mark.parametrize(("flag", "sets"), [("on", 1), ("off", 0), (None, 0)])
def test_with_the_flag_it_becomes_the_goal_by_itself_once(store: EventStore, flag: str | None, sets: int) -> None:
    set_profile(store, GOAL, HOME)
    if flag:
        set_flag(store, FlagSet(flag=FLAG, value=flag, target_household="home", target_person="ada"), HOME)
    catch_up(Flags(), store)
    live(store, 40)
    said(store)
    for _ in range(2):
        assert consume(AcceptEnergyGoal(), store).set_aside == 0
    assert len(store.read(types=[GoalSet])) == 1 + sets
    head = store.head()
    assert replay(AcceptEnergyGoal(), store, say=True) == []
    assert store.head() == head


def test_a_goal_that_was_set_by_hand_in_the_meantime_holds(store: EventStore) -> None:
    set_flag(store, FlagSet(flag=FLAG, value="on"), HOME)
    catch_up(Flags(), store)
    set_profile(store, GOAL, HOME)
    live(store, 40)
    by_hand = GOAL.model_copy(update={"kcal": 1_900.0})
    set_profile(store, by_hand, HOME)
    suggested = EnergyGoalSuggested.model_validate(
        EnergyGoalSuggested.examples[0] | {"before": GOAL.model_dump(include={"kcal", "protein_g", "carbs_g", "fat_g"})}
    )
    store.append(suggested.stream_in("home"), [suggested], origin=HOME)
    assert consume(AcceptEnergyGoal(), store).set_aside == 0
    assert store.read(types=[GoalSet])[-1].event == by_hand
