"""Each closed day against its targets: once, and again when it is changed."""

from datetime import date, timedelta
from typing import Any

import pytest

from meal_assets.commands.diary import close_day, correct_meal, log_meals, observe_day, retract_meal
from meal_assets.commands.profile import set_profile
from meal_assets.consumers import consume
from meal_assets.consumers.reconcile import Reconcile
from meal_assets.contracts import Event
from meal_assets.contracts.diary import MealLogged, ObservedEntry, ObservedMeal
from meal_assets.contracts.profile import GoalSet, PreferencesSet
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, DeviationAlerted
from meal_assets.contracts.values import Nutrients
from meal_assets.event_store import EventStore, Origin

DAY = date(2026, 11, 23)
HOME = Origin("home", "test")
GOAL = GoalSet(person="ada", kcal=2000, protein_g=130, carbs_g=210, fat_g=70)
ENOUGH = Nutrients(kcal=2000, protein_g=130, carbs_g=210, fat_g=70)


def eat(store: EventStore, share: float, *, day: date = DAY, entry: str = "a", close: bool = True) -> None:
    """Log that much of the goal as one meal."""
    meal = MealLogged(
        entry=entry, person="ada", day=day, meal="lunch", food="Lunch", nutrition=ENOUGH * share, source="person"
    )
    log_meals(store, "ada", day, [meal], HOME, close=close)


def cook(store: EventStore) -> None:
    """Two dishes that would help: lentil soup and overnight oats."""
    for example in RecipeFetched.examples[:2]:
        recipe = RecipeFetched.model_validate(example)
        store.append(recipe.stream_in("home"), [recipe], origin=HOME)


def said(store: EventStore, kind: type[Event] = DayReconciled) -> list[Any]:
    assert consume(Reconcile(), store).set_aside == 0
    return [r.event for r in store.read(types=[kind])]


def test_a_closed_day_is_reconciled_once(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5)
    (day,) = said(store)
    assert (day.person, day.day, day.days, day.deviation.kcal) == ("ada", DAY, 1, -50)
    assert (day.target.protein_g, day.eaten.protein_g) == (130, 65)
    assert len(said(store)) == 1


def test_an_open_day_says_nothing(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5, close=False)
    assert said(store) == []
    close_day(store, "ada", DAY, HOME)
    assert len(said(store)) == 1


def test_without_targets_nothing_is_said_and_the_next_day_after_they_are_set_is(store: EventStore) -> None:
    eat(store, 0.5)
    assert said(store) == []
    set_profile(store, GOAL, HOME)
    eat(store, 1, day=DAY + timedelta(days=1))
    assert [d.day for d in said(store)] == [DAY + timedelta(days=1)]


def test_a_closed_day_that_is_corrected_is_reconciled_again(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5)
    said(store)
    correct_meal(store, "ada", DAY, "a", ENOUGH, HOME)
    assert [d.deviation.kcal for d in said(store)] == [-50, 0]


def test_a_meal_logged_into_or_taken_out_of_a_closed_day_is_reconciled(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5)
    eat(store, 0.25, entry="b")
    retract_meal(store, "ada", DAY, "a", HOME)
    assert [d.deviation.kcal for d in said(store)] == [-50, -25, -75]


def test_the_week_before_counts_and_open_days_and_older_ones_do_not(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 2, day=DAY - timedelta(days=7))
    eat(store, 0.5, day=DAY - timedelta(days=6))
    eat(store, 2, day=DAY - timedelta(days=1), close=False)
    eat(store, 1)
    assert (said(store)[-1].days, said(store)[-1].average.kcal) == (2, 1500)


def test_each_alert_is_given_once_also_when_the_day_changes(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.85)
    assert {(a.nutrient, a.level) for a in said(store, DeviationAlerted)} == {
        (name, "warning") for name in ("kcal", "protein_g", "carbs_g", "fat_g")
    }
    correct_meal(store, "ada", DAY, "a", ENOUGH * 0.86, HOME)
    assert len(said(store, DeviationAlerted)) == 4
    correct_meal(store, "ada", DAY, "a", ENOUGH * 0.5, HOME)
    assert [a.level for a in said(store, DeviationAlerted)[4:]] == ["critical"] * 4


def test_suggestions_are_dishes_of_the_households_library(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    cook(store)
    eat(store, 0.5)
    (suggested,) = said(store, AdjustmentSuggested)
    assert {s.recipe for s in suggested.suggestions} == {"lentil-soup", "overnight-oats"}


@pytest.mark.parametrize(("word", "left"), [("lentil", "overnight-oats"), ("BLUEBERRY", "lentil-soup")])
def test_no_dish_with_a_word_the_person_never_eats_is_suggested(store: EventStore, word: str, left: str) -> None:
    set_profile(store, GOAL, HOME)
    set_profile(store, PreferencesSet(person="ada", exclude=(word,)), HOME)
    cook(store)
    eat(store, 0.5)
    (suggested,) = said(store, AdjustmentSuggested)
    assert {s.recipe for s in suggested.suggestions} == {left}


def test_a_day_is_judged_by_what_was_known_when_it_was_closed_however_late_that_is_read(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5)
    set_profile(store, GoalSet(person="ada", kcal=1000, protein_g=65, carbs_g=105, fat_g=35), HOME)
    correct_meal(store, "ada", DAY, "a", ENOUGH * 0.6, HOME)
    assert [(d.target.kcal, d.eaten.kcal) for d in said(store)] == [(2000, 1000), (1000, 1200)]


def test_a_closed_day_is_reconciled_again_when_the_diary_elsewhere_changes(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 0.5)
    said(store)
    entry = ObservedEntry(number="1", food="2", serving="3", units=1)
    snack = ObservedMeal(meal="snack", entries=(entry,), nutrition=ENOUGH * 0.25)
    observe_day(store, "ada", DAY, [snack], HOME)
    observe_day(store, "ada", DAY, [snack], HOME)
    assert [d.deviation.kcal for d in said(store)] == [-50, -25]


def test_a_late_entry_corrects_the_days_whose_average_holds_it_by_the_targets_that_held_then(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    for back in (7, 2, 1, 0):
        eat(store, 1, day=DAY - timedelta(days=back), entry=f"e{back}")
    eat(store, 1, day=DAY + timedelta(days=1), entry="open", close=False)
    assert [d.average.kcal for d in said(store)] == [2000] * 4
    set_profile(store, GoalSet(person="ada", kcal=1000, protein_g=65, carbs_g=105, fat_g=35), HOME)
    correct_meal(store, "ada", DAY - timedelta(days=2), "e2", ENOUGH * 0.4, HOME)
    late = said(store)[4:]
    assert [(d.day, d.average.kcal, d.target.kcal) for d in late] == [
        (DAY - timedelta(days=2), 1400, 1000),
        (DAY - timedelta(days=1), 1600, 2000),
        (DAY, 1600, 2000),
    ]


def test_a_result_names_the_versions_of_the_days_it_used(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    eat(store, 1, day=DAY - timedelta(days=1))
    eat(store, 1)
    correct_meal(store, "ada", DAY, "a", ENOUGH * 0.5, HOME)
    first, second, third = said(store)
    assert [(s.day, s.version) for s in first.made_of] == [(DAY - timedelta(days=1), 2)]
    assert [(s.day, s.version) for s in second.made_of] == [(DAY - timedelta(days=1), 2), (DAY, 2)]
    assert [s.version for s in third.made_of] == [2, 3]
    assert {d.goals_version for d in (first, second, third)} == {1}


def test_a_day_closed_after_the_next_is_taken_into_it(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    for back in (2, 0, 1):
        eat(store, 0.5 + back / 4, day=DAY - timedelta(days=back), entry=f"e{back}")
    together = [(d.day, d.average.kcal) for d in said(store)]
    assert together == [(DAY - timedelta(days=2), 2000), (DAY, 1500), (DAY - timedelta(days=1), 1750), (DAY, 1500)]


def test_suggestions_fit_the_diets_of_the_person(store: EventStore) -> None:
    set_profile(store, GOAL, HOME)
    set_profile(store, PreferencesSet(person="ada", diets=("gluten-free",)), HOME)
    cook(store)
    eat(store, 0.5)
    (suggested,) = said(store, AdjustmentSuggested)
    assert [(s.recipe, s.servings) for s in suggested.suggestions] == [("lentil-soup", 2.5)]
