"""What a person spends, from weigh-ins and diary."""

from datetime import date, timedelta
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.profile import ProfileSet
from meal_assets.domain.expenditure import (
    LOGGED_SD_KCAL,
    SCALE_SD_KG,
    START_SD_KG,
    TISSUE_SD_KG,
    UNLOGGED_SD_KCAL,
    WANDER_SD_KCAL,
    DiaryDay,
    Estimate,
    Prior,
    counted,
    estimates,
    first_weight,
    katch_mcardle,
    prior_of,
)
from meal_assets.domain.targets import KG_PER_POUND

FIRST = date(2026, 9, 1)
PRIOR = Prior(2_400, 288, "mifflin_st_jeor")
DAYS = 84
BEN = ProfileSet.model_validate(ProfileSet.examples[1])


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def run(weights: dict[int, float], intake: dict[int, float], prior: Prior = PRIOR, days: int = DAYS) -> list[Estimate]:
    by_day = {day(n): kg for n, kg in weights.items()}
    return list(estimates(by_day, {day(n): kcal for n, kcal in intake.items()}, prior, day(days - 1)))


numbers = st.integers(0, DAYS - 1)
weighed = st.dictionaries(numbers, st.floats(20, 400), min_size=1)
eaten = st.dictionaries(numbers, st.floats(0, 9_000))
likely = st.dictionaries(numbers, st.floats(78, 82), min_size=1)
likely_eaten = st.dictionaries(numbers, st.floats(1_500, 3_500))


@given(weighed, eaten)
def test_whatever_was_typed_each_day_has_finite_figures_and_an_interval_around_its_estimate(
    weights: dict[int, float], intake: dict[int, float]
) -> None:
    told = run(weights, intake)
    assert [e.day for e in told] == [day(n) for n in range(min(weights), DAYS)]
    for one in told:
        assert all(map(isfinite, (one.weight_kg, one.kcal, one.low_kcal, one.high_kcal)))
        assert 0 <= one.low_kcal <= one.kcal <= one.high_kcal
        assert one.high_kcal > one.low_kcal or one.kcal == 0


@given(st.sets(numbers, min_size=1), st.sets(numbers))
def test_more_weigh_ins_narrow_the_interval_on_every_day(some: set[int], more: set[int]) -> None:
    steady = dict.fromkeys(range(DAYS), PRIOR.kcal)
    few = run(dict.fromkeys(some, 80.0), steady)
    many = run(dict.fromkeys(some | {n for n in more if n > min(some)}, 80.0), steady)
    for less, one in zip(few, many, strict=True):
        assert width(one) <= width(less) + 1e-6


@given(st.sets(numbers), st.sets(numbers))
def test_more_days_with_a_diary_narrow_the_interval_once_there_is_one_on_the_first(
    some: set[int], more: set[int]
) -> None:
    weights = dict.fromkeys(range(DAYS), 80.0)
    often = set(range(0, DAYS, 5))  # never a week without any: what is usual is known
    few = run(weights, dict.fromkeys(some | often, PRIOR.kcal))
    many = run(weights, dict.fromkeys(some | often | more, PRIOR.kcal))
    for less, one in zip(few, many, strict=True):
        assert width(one) <= width(less) + 1e-6


@given(likely, likely_eaten, st.floats(-20, 40))
def test_a_scale_that_is_off_by_the_same_each_day_changes_no_expenditure(
    weights: dict[int, float], intake: dict[int, float], off: float
) -> None:
    right, wrong = run(weights, intake), run({n: kg + off for n, kg in weights.items()}, intake)
    for one, other in zip(right, wrong, strict=True):
        assert other.kcal == pytest.approx(one.kcal, abs=1e-4)
        assert other.weight_kg == pytest.approx(one.weight_kg + off, abs=1e-6)


@given(likely, likely_eaten, st.floats(-500, 1_500))
def test_who_eats_and_is_expected_to_spend_more_by_the_same_spends_more_by_it(
    weights: dict[int, float], intake: dict[int, float], more: float
) -> None:
    prior = Prior(PRIOR.kcal + more, PRIOR.sd, PRIOR.source)
    raised = run(weights, {n: kcal + more for n, kcal in intake.items()}, prior)
    for one, other in zip(run(weights, intake), raised, strict=True):
        assert (other.high_kcal, other.kcal - more) == pytest.approx((one.high_kcal + more, one.kcal), abs=1e-4)


@given(likely, likely_eaten)
def test_pounds_and_kilograms_tell_the_same(weights: dict[int, float], intake: dict[int, float]) -> None:
    pounds = {n: kg / KG_PER_POUND for n, kg in weights.items()}
    again = run({n: pound * KG_PER_POUND for n, pound in pounds.items()}, intake)
    for one, other in zip(run(weights, intake), again, strict=True):
        assert other.kcal == pytest.approx(one.kcal, abs=1e-4)


@given(likely, likely_eaten, st.integers(1, DAYS))
def test_a_day_is_estimated_from_what_was_known_by_then_but_for_the_first_week(
    weights: dict[int, float], intake: dict[int, float], known: int
) -> None:
    told = {n: kg for n, kg in weights.items() if n < known}
    if min(weights) + 7 <= known:
        by_then = run(told, {n: kcal for n, kcal in intake.items() if n < known}, days=known)
        assert by_then == run(weights, intake)[: len(by_then)]


def width(one: Estimate) -> float:
    return one.high_kcal - one.low_kcal


def textbook(weights: dict[int, float], intake: dict[int, float]) -> list[tuple[float, float, float]]:
    """The same model in matrices, without the heavy tails: (weight, expenditure, its standard deviation) a day."""
    state = np.array([first_weight({day(n): kg for n, kg in weights.items()}), PRIOR.kcal])
    spread, told = np.diag([START_SD_KG**2, PRIOR.sd**2]), []
    moves, sees = np.array([[1, -1 / 7_700], [0, 1]]), np.array([[1.0, 0.0]])
    usual = 0.0
    for n in range(DAYS):
        if n in weights:
            gain = spread @ sees.T / (sees @ spread @ sees.T + SCALE_SD_KG**2)
            state = state + (gain * (weights[n] - state[0])).ravel()
            spread = (np.eye(2) - gain @ sees) @ spread
        told.append((*state, float(np.sqrt(spread[1, 1]))))
        so_far = [intake[k] for k in range(n + 1) if k in intake]
        usual = float(np.mean(so_far))
        sd = LOGGED_SD_KCAL if n in intake else UNLOGGED_SD_KCAL
        state = moves @ state + np.array([intake.get(n, usual) / 7_700, 0])
        spread = moves @ spread @ moves.T
        spread += np.diag([TISSUE_SD_KG**2 + (sd / 7_700) ** 2, WANDER_SD_KCAL**2])
    return told


def test_it_is_the_textbooks_filter_where_nothing_is_far_off() -> None:
    random = np.random.default_rng(3)
    weights = {n: 80 - 0.05 * n + random.normal(0, 0.2) for n in range(DAYS) if n % 3 != 1}
    intake = {n: random.normal(2_000, 200) for n in range(DAYS) if n % 6 != 5}
    shorter = {n: kcal for n, kcal in intake.items() if n < 20}  # up to twenty days, what is usual is their mean
    ours = run(weights, shorter, days=25)
    for one, (kg, kcal, sd) in zip(ours, textbook(weights, shorter), strict=False):
        assert (one.weight_kg, one.kcal) == pytest.approx((kg, kcal), rel=1e-9)
        assert width(one) == pytest.approx(2 * 1.959964 * sd, rel=1e-9)


@pytest.mark.parametrize(
    ("lost_a_day", "eaten_kcal", "kcal", "low", "high"),
    [
        (0.0, 2_400.0, 2400.0, 2228.3, 2571.7),
        (0.05, 2_000.0, 2384.6, 2212.9, 2556.3),
        (-0.03, 3_000.0, 2766.7, 2595.0, 2938.4),
    ],
)
def test_golden_vectors_after_twelve_weeks(
    lost_a_day: float, eaten_kcal: float, kcal: float, low: float, high: float
) -> None:
    """The balance says 2,400, 2,385 and 2,769 kcal."""
    told = run({n: 80 - lost_a_day * n for n in range(DAYS)}, dict.fromkeys(range(DAYS), eaten_kcal))[-1]
    assert (told.kcal, told.low_kcal, told.high_kcal) == pytest.approx((kcal, low, high), abs=0.1)


def test_a_slip_of_the_unit_moves_the_estimate_by_less_than_its_interval() -> None:
    weights = dict.fromkeys(range(DAYS), 80.0)
    intake = dict.fromkeys(range(DAYS), PRIOR.kcal)
    pounds = weights | {0: 80 / KG_PER_POUND, 40: 80 / KG_PER_POUND, 60: 8.0}
    for one, other in zip(run(weights, intake), run(pounds, intake), strict=True):
        assert abs(one.kcal - other.kcal) < 0.3 * width(one)
    assert run(pounds, intake)[-1].weight_kg == pytest.approx(80, abs=0.2)


def test_weeks_that_nobody_logged_say_nothing_of_expenditure() -> None:
    weights = {n: 80 - 0.1 * max(0, n - 28) for n in range(DAYS)}  # lost 5 kg while nothing was logged
    logged = dict.fromkeys(range(28), PRIOR.kcal)
    told = run(weights, logged)
    assert abs(told[-1].kcal - told[27].kcal) < width(told[-1]) / 4
    assert width(told[-1]) > 1.5 * width(run(weights, dict.fromkeys(range(DAYS), PRIOR.kcal))[-1])


def test_who_only_weighs_in_is_thought_to_spend_what_the_formula_says() -> None:
    told = run({n: 80 - 0.05 * n for n in range(DAYS)}, {})
    assert {one.kcal for one in told} == {PRIOR.kcal}
    assert width(told[-1]) > width(told[0])


def test_without_a_weigh_in_there_is_no_estimate() -> None:
    assert run({}, {0: 2_000}) == []


@pytest.mark.parametrize(
    ("kcal", "closed", "on", "counts"),
    [
        (2_400, True, 0, True),
        (600, True, 0, True),  # a fasting day
        (599, True, 0, False),
        (2_400, False, 0, False),  # it is not over
        (1_352, False, 1, True),
        (1_349, False, 1, False),
        (7_200, True, 0, True),
        (7_201, True, 0, False),  # kilojoules
        (10_000, False, 1, False),
    ],
)
def test_a_days_diary_counts_when_it_is_believed_to_be_whole(kcal: float, closed: bool, on: int, counts: bool) -> None:
    assert (day(0) in counted({day(0): DiaryDay(kcal, closed)}, 2_400, day(on))) == counts


def test_where_it_starts() -> None:
    on = date(2026, 11, 23)
    known = prior_of(BEN, 82, None, on)  # 10 · 82 + 6.25 · 183 - 5 · 38 + 5, moderate
    assert (known.kcal, known.source) == (pytest.approx(1_778.75 * 1.55), "mifflin_st_jeor")
    lean = prior_of(BEN, 82, 20, on)
    assert (lean.kcal, lean.source) == (pytest.approx((370 + 21.6 * 65.6) * 1.55), "katch_mcardle")
    rough = prior_of(None, 82, None, on)
    assert (rough.kcal, rough.source) == (pytest.approx(82 / KG_PER_POUND * 15), "weight_formula")
    assert known.sd / known.kcal == pytest.approx(lean.sd / lean.kcal)
    assert rough.sd / rough.kcal > known.sd / known.kcal
    assert prior_of(BEN.model_copy(update={"born": date(2030, 1, 1)}), 82, None, on).source == "weight_formula"
    assert katch_mcardle(80, 25) == 1_666
