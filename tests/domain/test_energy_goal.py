"""A goal that fits what a person spends, within what is safe."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.expenditure import EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.contracts.profile import GoalSet, ProfileSet
from meal_assets.contracts.values import Macros
from meal_assets.domain.energy_goal import PAUSE_DAYS, STEP_KCAL, WORDS, WORTH_KCAL, accept, in_words, suggest
from meal_assets.errors import Invalid

DAY = date(2026, 11, 23)
GOAL = Macros(kcal=2_000, protein_g=130, carbs_g=210, fat_g=70)
ADA = ProfileSet(person="ada", name="Ada", weight_kg=64, activity="moderate", aim="maintain", sex="female")


def estimate(kcal: float, *, aside: float = 100, on: date = DAY, **changes: Any) -> ExpenditureEstimated:
    told = ExpenditureEstimated(
        person="ada",
        day=on,
        weight_kg=64,
        expenditure_kcal=kcal,
        low_kcal=kcal - aside,
        high_kcal=kcal + aside,
        since=on - timedelta(days=60),
        weigh_ins=40,
        intake_days=50,
        prior_kcal=2_000,
        prior_source="mifflin_st_jeor",
    )
    return told.model_copy(update=changes)


def suggested(
    told: ExpenditureEstimated,
    before: Macros = GOAL,
    said: tuple[EnergyGoalSuggested, ...] = (),
    resting: float | None = None,
    **changes: Any,
) -> EnergyGoalSuggested | None:
    return suggest(told, ADA.model_copy(update=changes), before, resting, said, 100)


def test_a_goal_within_the_interval_stays() -> None:
    assert suggested(estimate(2_099)) is None
    assert suggested(estimate(1_901)) is None


def test_a_goal_outside_of_it_moves_by_two_hundred_and_protein_stays() -> None:
    told = suggested(estimate(2_600))
    assert told is not None
    assert (told.goal.kcal, told.goal.protein_g, told.bounds, told.wanted_kcal) == (2_200, 130, ("step",), 2_600)
    assert 4 * (told.goal.carbs_g - 210) + 9 * (told.goal.fat_g - 70) == pytest.approx(200, abs=0.1)
    assert told.goal.carbs_g / told.goal.fat_g == pytest.approx(3, rel=1e-3)
    assert (told.before, told.log_position) == (GOAL, 100)
    less = suggested(estimate(1_865))
    assert less is not None
    assert (less.goal.kcal, less.bounds) == (1_860, ())


def test_the_aim_counts() -> None:
    """Who loses with 2,000 kcal was thought to spend 2,353, who gains with it 1,739."""
    assert suggested(estimate(2_353), aim="lose") is None
    assert suggested(estimate(1_739), aim="gain") is None
    told = suggested(estimate(2_500), aim="lose")
    assert told is not None
    assert told.goal.kcal == 2_120


@pytest.mark.parametrize(
    "little",
    [{"since": DAY - timedelta(days=20)}, {"weigh_ins": 6}, {"intake_days": 13}],
)
def test_before_there_is_enough_nothing_is_suggested(little: dict[str, Any]) -> None:
    assert suggested(estimate(2_600).model_copy(update=little)) is None


def test_minors_are_suggested_nothing() -> None:
    assert suggested(estimate(2_600), born=date(2008, 11, 24)) is None
    assert suggested(estimate(2_600), born=date(2008, 11, 23)) is not None


@pytest.mark.parametrize(
    ("sex", "resting", "kcal", "bound"),
    [("female", None, 1_200, "floor"), ("male", None, 1_500, "floor"), ("female", 1_343.0, 1_343, "resting")],
)
def test_no_goal_is_below_what_is_safe(sex: str, resting: float | None, kcal: float, bound: str) -> None:
    low = Macros(kcal=kcal + 60, protein_g=100, carbs_g=100, fat_g=40)
    told = suggested(estimate(1_250), low, resting=resting, sex=sex, aim="lose")
    assert told is not None
    assert (told.goal.kcal, told.bounds) == (kcal, (bound,))


def test_a_goal_that_is_below_what_is_safe_is_raised_at_once() -> None:
    told = suggested(estimate(2_000), Macros(kcal=800, protein_g=60, carbs_g=80, fat_g=25))
    assert told is not None
    assert (told.goal.kcal, told.bounds) == (1_200, ("floor",))


@pytest.mark.parametrize(
    ("changes", "kcal", "weight_kg", "wanted", "bound"),
    [
        ({"aim": "lose"}, 5_000, 64, 4_296, "loss_rate"),
        ({"aim": "gain"}, 3_000, 64, 3_352, "gain_rate"),
        ({"aim": "lose", "height_cm": 187}, 2_600, 64, 2_600, "underweight"),
    ],
)
def test_nobody_loses_or_gains_faster_than_is_good(
    changes: dict[str, Any], kcal: float, weight_kg: float, wanted: float, bound: str
) -> None:
    told = suggested(estimate(kcal, weight_kg=weight_kg), **changes)
    assert told is not None
    assert (told.wanted_kcal, told.bounds) == (wanted, (bound, "step"))


def test_it_is_suggested_once_a_week_and_not_again_while_hardly_another_would_follow() -> None:
    first = suggested(estimate(2_600))
    assert first is not None
    before_the_week_is_over = DAY + timedelta(days=PAUSE_DAYS - 1)
    assert suggested(estimate(2_000, aside=10, on=before_the_week_is_over), said=(first,)) is None
    later = DAY + timedelta(days=PAUSE_DAYS)
    assert suggested(estimate(2_600, on=later), said=(first,)) is None
    other = suggested(estimate(1_700, on=later), said=(first,))
    assert other is not None
    assert other.goal.kcal == 1_800
    accepted = suggested(estimate(2_600, on=later), first.goal, said=(first,))
    assert accepted is not None
    assert accepted.goal.kcal == 2_400


kcals = st.floats(500, 6_000).map(lambda kcal: round(kcal, 2))


@given(
    kcals,
    st.floats(1, 800),
    kcals,
    st.floats(36, 250),
    st.sampled_from(["lose", "maintain", "gain"]),
    st.sampled_from(["female", "male", None]),
    st.none() | st.floats(900, 2_500),
)
def test_whatever_is_suggested_is_safe_worth_it_and_can_be_a_goal(
    kcal: float, aside: float, before_kcal: float, weight_kg: float, aim: str, sex: str | None, resting: float | None
) -> None:
    before = Macros(kcal=before_kcal, protein_g=130, carbs_g=210, fat_g=70)
    low = max(0.0, kcal - aside)
    told = suggested(
        estimate(kcal, weight_kg=weight_kg, low_kcal=low, high_kcal=kcal + aside), before, (), resting, aim=aim, sex=sex
    )
    if told is None:
        return
    floor = max({"female": 1_200, "male": 1_500, None: 1_500}[sex], resting or 0)
    assert told.goal.kcal >= floor - 0.005
    assert abs(told.goal.kcal - before_kcal) >= WORTH_KCAL - 0.01
    assert told.goal.kcal <= max(before_kcal + STEP_KCAL, floor) + 5
    assert told.goal.kcal >= before_kcal - STEP_KCAL - 5
    assert isinstance(accept([as_goal(before)], told)[0], GoalSet)
    assert len(in_words(told.bounds)) == len(told.bounds)


def as_goal(macros: Macros, **changes: Any) -> GoalSet:
    return GoalSet(person="ada", **macros.model_dump(), **changes)


def test_every_bound_has_words_that_say_its_figure() -> None:
    assert f"{STEP_KCAL:g} kcal" in WORDS["step"]
    assert in_words(["floor", "step"]) == [WORDS["step"], WORDS["floor"]]


def test_accepting_sets_the_goal_once_and_keeps_the_fiber() -> None:
    told = suggested(estimate(2_600))
    assert told is not None
    history = [ADA, as_goal(GOAL, fiber_g=30)]
    (goal,) = accept(history, told)
    assert goal == as_goal(told.goal, fiber_g=30)
    assert accept([*history, goal], told) == []


def test_a_suggestion_for_another_goal_than_the_one_that_holds_is_refused() -> None:
    told = suggested(estimate(2_600))
    assert told is not None
    with pytest.raises(Invalid, match="changed after the suggestion of 2026-11-23"):
        accept([as_goal(GOAL), as_goal(GOAL.model_copy(update={"kcal": 1_900.0}))], told)
