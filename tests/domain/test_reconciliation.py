import csv
import gzip
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts import EVENTS
from meal_assets.contracts.base import Event
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, Deviation, DeviationAlerted, Trend
from meal_assets.contracts.values import MACROS, Macros, Nutrients
from meal_assets.domain.reconciliation import (
    Dish,
    alerts,
    average,
    deviation,
    on_target,
    reason,
    reconcile_day,
    score,
    streak,
    trend,
    within,
)
from meal_assets.domain.targets import Targets
from tests.shared_data import shared_data

E = TypeVar("E", bound=Event)

DAY = date(2026, 11, 23)


def day(protein_g: float, fat_g: float, carbs_g: float, kcal: float = 0) -> Macros:
    return Macros(kcal=kcal, protein_g=protein_g, carbs_g=carbs_g, fat_g=fat_g)


GOAL = day(180, 60, 250, 2500)
TARGETS = Targets(macros=GOAL, source="goal", tolerance_pct=10, exclude=(), name="Ada")

HUNGRY = day(140, 55, 200, 1855)
EXACT = GOAL
FEAST = day(200, 75, 300, 2900)
FATTY = day(120, 80, 240, 2160)
CLOSE = day(178, 61, 249, 2480)
SERVINGS = [day(45, 10, 20, 350), day(12, 22, 60, 486), day(30, 25, 5, 365), day(5, 2, 45, 218)]

GOLDEN = [
    (HUNGRY, (-22.222, -8.333, -20, -25.8), False, True, (0.7, 0.62, 0.65, 0.3075)),
    (EXACT, (0, 0, 0, 0), True, True, (0.1, 0.1, 0.1, 0.1)),
    (FEAST, (11.111, 25, 20, 16), False, True, (0.1, 0.1, 0.1, 0.1)),
    (FATTY, (-33.333, 33.333, -4, -13.6), False, False, (0.6, 0.3, 0.3, 0.2875)),
    (CLOSE, (-1.111, 1.667, -0.4, -0.8), True, True, (0.1, 0.1, 0.1, 0.1)),
]


def off(protein_g: float = 0, fat_g: float = 0, carbs_g: float = 0, kcal: float = 0) -> Deviation:
    return Deviation(kcal=kcal, protein_g=protein_g, carbs_g=carbs_g, fat_g=fat_g)


def dish(recipe: str, serving: Macros) -> Dish:
    return Dish(recipe, recipe.title(), Nutrients(**dict(serving)))


DISHES = [dish(name, serving) for name, serving in zip(["steak", "pasta", "eggs", "rice"], SERVINGS, strict=True)]


def reconciled(
    eaten: dict[date, Macros], said: list[Event] | None = None, dishes: list[Dish] = DISHES, targets: Targets = TARGETS
) -> list[Event]:
    return reconcile_day("ada", DAY, eaten, targets, said or [], dishes)


def only(kind: type[E], events: list[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


# The predecessor's figures


@pytest.mark.parametrize(("actual", "percent", "within_10", "within_25", "scores"), GOLDEN)
def test_deviation_tolerance_and_scores_are_those_of_the_predecessor(actual, percent, within_10, within_25, scores):
    found = deviation(actual, GOAL)
    assert (found.protein_g, found.fat_g, found.carbs_g, found.kcal) == pytest.approx(percent, abs=1e-9)
    assert (within(found, 10), within(found, 25)) == (within_10, within_25)
    assert [score(found, serving) for serving in SERVINGS] == pytest.approx(scores, abs=1e-9)


def test_a_goal_of_zero_cannot_be_missed():
    assert deviation(FEAST, day(0, 0, 0)) == off()


def test_a_deviation_too_small_to_show_is_plain_zero():
    assert str(deviation(day(179.9999999, 60, 250, 2500), GOAL).protein_g) == "0.0"


def test_energy_far_off_does_not_break_the_tolerance():
    assert within(off(kcal=60), 5)
    assert not within(off(carbs_g=-5.001), 5)
    assert within(off(protein_g=5, fat_g=-5, carbs_g=5), 5)


@pytest.mark.parametrize(
    ("found", "serving", "words"),
    [
        (off(protein_g=-11, carbs_g=-11, fat_g=-11), day(21, 16, 31), "high protein"),
        (off(protein_g=-11, carbs_g=-11, fat_g=-11), day(20, 16, 31), "good carbs"),
        (off(protein_g=-11, carbs_g=-11, fat_g=-11), day(20, 16, 30), "healthy fats"),
        (off(protein_g=-11, carbs_g=-11, fat_g=-11), day(20, 15, 30), "balanced"),
        (off(protein_g=-10, carbs_g=-11), day(40, 30, 60), "good carbs"),
        (off(protein_g=-10, carbs_g=-10, fat_g=-11), day(40, 30, 60), "healthy fats"),
        (off(protein_g=-10, carbs_g=-10, fat_g=-10), day(40, 30, 60), "balanced"),
    ],
)
def test_the_reason_is_the_first_nutrient_that_is_short_and_that_the_dish_is_rich_in(found, serving, words):
    assert reason(found, serving) == words


@pytest.mark.parametrize(
    ("found", "serving", "points"),
    [
        (off(fat_g=10, protein_g=-10), day(40, 25, 0), 0.5),
        (off(fat_g=10.001, protein_g=-10), day(40, 25, 0), 0.4),
        (off(fat_g=10.001, protein_g=-10), day(40, 20, 0), 0.5),
        (off(carbs_g=10, protein_g=-10), day(40, 0, 31), 0.5),
        (off(carbs_g=10.001, protein_g=-10), day(40, 0, 31), 0.4),
        (off(carbs_g=10.001, protein_g=-10), day(40, 0, 30), 0.5),
        (off(fat_g=20, carbs_g=20, protein_g=-10), day(0, 30, 40), 0),
        (off(-10, -10, -10), day(400, 250, 500), 1),
        (off(-1, -1, -2.999), day(400, 250, 500), 0.1),
        (off(-1, -1, -3), day(400, 250, 500), 1),
        (off(6, 0, 0), day(40, 25, 50), 0),
    ],
)
def test_a_score_follows_the_rules_at_their_edges(found, serving, points):
    assert score(found, serving) == pytest.approx(points, abs=1e-9)


def test_a_day_over_on_everything_gets_no_suggestion():
    assert {score(deviation(FEAST, GOAL), serving) for serving in SERVINGS} == {0.1}
    assert only(AdjustmentSuggested, reconciled({DAY: FEAST})) == []


@pytest.mark.parametrize(
    ("pct", "level"),
    [(9.999, None), (10, "warning"), (-10, "warning"), (19.999, "warning"), (20, "critical"), (-99, "critical")],
)
@pytest.mark.parametrize("nutrient", MACROS)
def test_ten_percent_off_is_a_warning_and_twenty_critical(nutrient, pct, level):
    assert alerts(off(**{nutrient: pct})) == ([(nutrient, level, pct)] if level else [])


@pytest.mark.parametrize(
    ("kcal", "direction"),
    [
        ([100, 105], "stable"),
        ([100, 105.01], "increasing"),
        ([100, 95], "stable"),
        ([100, 94.99], "decreasing"),
        ([100, 200, 100], "increasing"),
        ([0, 500], "stable"),
        ([500], "stable"),
        ([], "stable"),
        ([100, 110, 120, 130], "increasing"),
        ([130, 120, 110, 100], "decreasing"),
    ],
)
def test_the_trend_is_the_later_half_against_the_earlier(kcal, direction):
    days = [day(1, 1, 1, each) for each in kcal]
    assert trend(days) == Trend(kcal=direction, protein_g="stable", carbs_g="stable", fat_g="stable")


def test_the_average_is_over_days_and_each_nutrient_alone():
    assert average([day(100, 50, 200, 2000), day(140, 60, 201, 2001)]) == day(120, 55, 200.5, 2000.5)


def test_no_days_have_no_average():
    with pytest.raises(ValueError, match="at least one"):
        average([])


# A day


def test_a_day_is_reconciled_as_its_contract_shows():
    shown = {kind: EVENTS[f"reconciliation.{kind}"] for kind in ("DayReconciled", "DeviationAlerted")}
    events = reconciled({DAY: HUNGRY})
    assert events[0] == shown["DayReconciled"].model_validate(shown["DayReconciled"].examples[0])
    assert shown["DeviationAlerted"].model_validate(shown["DeviationAlerted"].examples[0]) in events


def test_a_hungry_day_says_its_result_its_alerts_and_what_would_help_best_first():
    result, *rest = reconciled({DAY: HUNGRY})
    assert isinstance(result, DayReconciled)
    *warned, suggested = rest
    assert [(a.nutrient, a.level) for a in warned if isinstance(a, DeviationAlerted)] == [
        ("kcal", "critical"),
        ("protein_g", "critical"),
        ("carbs_g", "critical"),
    ]
    assert isinstance(suggested, AdjustmentSuggested)
    assert [(s.recipe, s.servings, s.reason) for s in suggested.suggestions] == [
        ("steak", 1, "high protein"),
        ("rice", 1.25, "good carbs"),
        ("pasta", 0.75, "good carbs"),
        ("eggs", 0.5, "balanced"),
    ]
    assert [s.score for s in suggested.suggestions] == sorted((s.score for s in suggested.suggestions), reverse=True)


def test_a_day_without_a_diary_is_unknown_and_not_a_fast():
    assert reconciled({}) == []
    assert reconciled({DAY - timedelta(days=1): HUNGRY}) == []


def test_a_day_on_target_is_reconciled_and_nothing_else():
    (result,) = reconciled({DAY: CLOSE})
    assert isinstance(result, DayReconciled)
    assert result.within_tolerance
    assert result.kcal_within_tolerance


@pytest.mark.parametrize(("kcal", "holds"), [(2250, True), (2249, False), (2750, True), (2751, False)])
def test_energy_may_be_off_by_just_the_tolerance(kcal, holds):
    (result,) = only(DayReconciled, reconciled({DAY: day(180, 60, 250, kcal)}))
    assert result.kcal_within_tolerance is holds


def test_energy_has_its_own_check_and_brings_no_suggestions():
    events = reconciled({DAY: day(180, 60, 250, 3000)})
    (result,) = only(DayReconciled, events)
    assert (result.within_tolerance, result.kcal_within_tolerance) == (True, False)
    assert [type(event) for event in events] == [DayReconciled, DeviationAlerted]


def test_a_wider_tolerance_holds_back_suggestions_but_no_alerts():
    wide = Targets(macros=GOAL, source="goal", tolerance_pct=25, exclude=(), name=None)
    events = reconciled({DAY: HUNGRY}, targets=wide)
    assert only(AdjustmentSuggested, events) == []
    assert len(only(DeviationAlerted, events)) == 3


def test_the_average_is_held_against_the_target_and_the_day_is_shown():
    week = {DAY - timedelta(days=n): EXACT for n in range(1, 6)} | {DAY: HUNGRY}
    (result,) = only(DayReconciled, reconciled(week))
    assert (result.days, result.eaten) == (6, HUNGRY)
    assert result.average.protein_g == pytest.approx((5 * 180 + 140) / 6, abs=1e-6)
    assert result.deviation.protein_g == pytest.approx(-22.2222 / 6, abs=1e-3)


def test_only_the_seven_days_that_end_at_the_day_count():
    week = {DAY - timedelta(days=n): EXACT for n in range(7)}
    outside = {DAY - timedelta(days=7): FEAST, DAY + timedelta(days=1): FEAST}
    assert reconciled(outside | week) == reconciled(week)
    (result,) = reconciled(week)
    assert isinstance(result, DayReconciled)
    assert result.days == 7


def test_a_rising_week_is_rising_whatever_order_its_days_come_in():
    week = {DAY - timedelta(days=n): day(180, 60, 250, 2500 - 200 * n) for n in range(7)}
    for days in (week, dict(reversed(week.items()))):
        (result,) = only(DayReconciled, reconciled(days))
        assert result.trend == Trend(kcal="increasing", protein_g="stable", carbs_g="stable", fat_g="stable")


def test_an_alert_is_given_once_for_a_day_and_a_level():
    first = reconciled({DAY: HUNGRY})
    worse = reconciled({DAY: day(130, 55, 200, 1855)}, first)
    assert only(DeviationAlerted, worse) == []
    assert len(only(DayReconciled, worse)) == 1
    fatty = reconciled({DAY: day(130, 80, 200, 1855)}, first)
    assert [(a.nutrient, a.level) for a in only(DeviationAlerted, fatty)] == [("fat_g", "critical")]


def test_a_warning_that_becomes_critical_is_said_again():
    first = reconciled({DAY: day(160, 60, 250, 2500)})
    assert [a.level for a in only(DeviationAlerted, first)] == ["warning"]
    second = reconciled({DAY: day(140, 60, 250, 2500)}, first)
    assert [a.level for a in only(DeviationAlerted, second)] == ["critical"]


def test_a_correction_and_its_undoing_are_both_said():
    history = reconciled({DAY: HUNGRY})
    history += reconciled({DAY: EXACT}, history)
    (last,) = only(DayReconciled, reconciled({DAY: HUNGRY}, history))
    assert last == history[0]


def test_suggestions_are_said_again_only_when_they_change():
    first = reconciled({DAY: HUNGRY})
    assert reconciled({DAY: HUNGRY}, first) == []
    (again,) = reconciled({DAY: HUNGRY}, first, [*DISHES, dish("just-it", day(40, 5, 50, 645))])
    assert isinstance(again, AdjustmentSuggested)
    assert again.suggestions[0].recipe == "just-it"


def test_at_most_five_dishes_are_suggested_and_ties_go_by_recipe():
    twins = [dish(name, day(40, 5, 50, 645)) for name in ("f", "b", "e", "a", "d", "c")]
    (suggested,) = only(AdjustmentSuggested, reconciled({DAY: HUNGRY}, dishes=twins))
    assert [s.recipe for s in suggested.suggestions] == ["a", "b", "c", "d", "e"]


def test_other_versions_of_the_same_days_are_no_news_and_a_result_names_its_own():
    before = DAY - timedelta(days=1)
    week = {before: EXACT, DAY: HUNGRY}
    first = reconcile_day("ada", DAY, week, TARGETS, [], [], versions={before: 4, DAY: 2}, goals_version=3)
    (result,) = only(DayReconciled, first)
    assert [(state.day, state.version) for state in result.made_of] == [(before, 4), (DAY, 2)]
    assert result.goals_version == 3
    assert reconcile_day("ada", DAY, week, TARGETS, first, [], versions={before: 6, DAY: 2}, goals_version=4) == []


@pytest.mark.parametrize(
    ("on_target", "days"),
    [
        ([True] * 3, 3),
        ([True, False, True, True], 2),
        ([True, False], 0),
        ([True, None, True], 1),
        ([None], 0),
        ([], 0),
    ],
)
def test_a_streak_is_days_in_a_row_and_ends_at_one_that_nobody_knows_of(on_target, days):
    first = DAY - timedelta(days=len(on_target) - 1)
    known = {first + timedelta(days=n): each for n, each in enumerate(on_target) if each is not None}
    assert streak(known, DAY) == days


@pytest.mark.parametrize(
    ("eaten", "holds"), [(EXACT, True), (CLOSE, True), (day(180, 60, 250, 2800), False), (HUNGRY, False)]
)
def test_a_day_is_on_target_with_its_energy(eaten, holds):
    assert on_target(eaten, GOAL, 10) is holds


# Laws


totals = st.builds(day, st.floats(0, 1_000), st.floats(0, 1_000), st.floats(0, 1_000), kcal=st.floats(0, 20_000))
weeks = st.dictionaries(st.integers(0, 6).map(lambda n: DAY - timedelta(days=n)), totals, min_size=1)
recipes = st.lists(st.tuples(st.sampled_from("abcdefgh"), totals), unique_by=lambda recipe: recipe[0], max_size=8).map(
    lambda found: [dish(*each) for each in found]
)


@given(weeks, recipes)
def test_what_was_said_is_not_said_again(week, dishes):
    said = reconciled(week, dishes=dishes)
    stored = [type(event).from_stored(1, event.model_dump(mode="json")) for event in said]
    assert reconciled(week, stored, dishes) == []


@given(weeks, recipes.flatmap(lambda dishes: st.tuples(st.just(dishes), st.permutations(dishes))))
def test_the_order_of_dishes_and_days_changes_nothing(week, in_two_orders):
    one, other = in_two_orders
    assert reconciled(week, dishes=one) == reconciled(dict(reversed(week.items())), dishes=other)


@given(totals, totals)
def test_every_score_is_between_none_and_one(actual, serving):
    assert 0 <= score(deviation(actual, GOAL), serving) <= 1


@given(totals, st.floats(0.5, 40))
def test_more_protein_never_scores_worse(serving, more_g):
    richer = serving.model_copy(update={"protein_g": serving.protein_g + more_g})
    for actual, *_ in GOLDEN:
        found = deviation(actual, GOAL)
        assert score(found, richer) >= score(found, serving)


def test_real_diaries_are_reconciled_once_a_day_and_then_silent():
    eaten: dict[str, dict[date, list[Macros]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(shared_data("food-diary.csv.gz"), "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if all(row[name] for name in MACROS):
                macros = Macros.model_validate({name: row[name] for name in MACROS})
                eaten[row["person"]][date.fromisoformat(row["date"])].append(macros)
    assert sum(len(diary) for diary in eaten.values()) > 30
    for person, diary in eaten.items():
        totals = {d: Macros(**{n: sum(getattr(m, n) for m in meals) for n in MACROS}) for d, meals in diary.items()}
        for each in totals:
            said = reconcile_day(person, each, totals, TARGETS, [], DISHES)
            (result,) = only(DayReconciled, said)
            assert result.days == sum(0 <= (each - other).days < 7 for other in totals)
            warned = [(alert.nutrient, alert.level) for alert in only(DeviationAlerted, said)]
            assert len(set(warned)) == len(warned)
            best = [s.score for a in only(AdjustmentSuggested, said) for s in a.suggestions]
            assert all(first >= second for first, second in pairwise(best))
            assert reconcile_day(person, each, totals, TARGETS, said, DISHES) == []
