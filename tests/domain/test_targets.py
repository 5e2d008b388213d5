from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.base import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.profile import GoalSet, PreferencesSet, ProfileSet
from meal_assets.contracts.values import Macros
from meal_assets.domain.targets import (
    DEFAULT_TOLERANCE_PCT,
    KG_PER_POUND,
    Targets,
    age_on,
    mifflin_st_jeor,
    predecessor_targets,
    targets,
)

TODAY = date(2026, 11, 23)

AT_180_POUNDS = [
    ("sedentary", "lose", 1836, 144, 54, 193.5),
    ("sedentary", "maintain", 2160, 144, 54, 274.5),
    ("sedentary", "gain", 2484, 180, 54, 319.5),
    ("moderate", "lose", 2295, 144, 54, 308.25),
    ("moderate", "maintain", 2700, 162, 54, 391.5),
    ("moderate", "gain", 3105, 180, 54, 474.75),
    ("active", "lose", 2754, 180, 54, 387),
    ("active", "maintain", 3240, 180, 54, 508.5),
    ("active", "gain", 3726, 180, 54, 630),
]


def profile(**changes: object) -> ProfileSet:
    ada = {"person": "ada", "name": "Ada", "weight_kg": 180 * KG_PER_POUND, "activity": "moderate", "aim": "maintain"}
    return ProfileSet.model_validate(ada | changes)


def goal(**changes: object) -> GoalSet:
    return GoalSet.model_validate(
        {"person": "ada", "kcal": 2500, "protein_g": 180, "carbs_g": 250, "fat_g": 60} | changes
    )


def told(*history: Event, on: date = TODAY) -> Targets:
    found = targets(history, on=on)
    assert found is not None
    return found


@pytest.mark.parametrize(("activity", "aim", "kcal", "protein_g", "fat_g", "carbs_g"), AT_180_POUNDS)
def test_the_weight_formula_says_what_the_predecessor_said(activity, aim, kcal, protein_g, fat_g, carbs_g):
    expected = Macros(kcal=kcal, protein_g=protein_g, carbs_g=carbs_g, fat_g=fat_g)
    assert predecessor_targets(180, activity, aim) == expected
    found = told(profile(activity=activity, aim=aim))
    assert found.macros == expected
    assert found.source == "weight_formula"


@pytest.mark.parametrize(
    ("sex", "weight_kg", "height_cm", "age", "kcal"),
    [("male", 80, 180, 30, 1780), ("female", 64, 168, 35, 1354), ("male", 82, 183, 38, 1778.75)],
)
def test_resting_energy_follows_mifflin_and_st_jeor(sex, weight_kg, height_cm, age, kcal):
    assert mifflin_st_jeor(sex, weight_kg, height_cm, age) == pytest.approx(kcal, abs=1e-9)


@pytest.mark.parametrize(
    ("activity", "aim", "kcal"),
    [
        ("sedentary", "maintain", 1780 * 1.2),
        ("moderate", "maintain", 1780 * 1.55),
        ("active", "maintain", 1780 * 1.725),
        ("moderate", "lose", 1780 * 1.55 * 0.85),
        ("moderate", "gain", 1780 * 1.55 * 1.15),
    ],
)
def test_resting_energy_is_scaled_by_activity_and_aim(activity, aim, kcal):
    known = {"sex": "male", "weight_kg": 80, "height_cm": 180, "born": "1996-11-23"}
    found = told(profile(**known, activity=activity, aim=aim))
    assert found.source == "mifflin_st_jeor"
    assert found.macros.kcal == pytest.approx(kcal, abs=0.005)


def test_protein_and_fat_go_by_weight_and_carbohydrates_take_the_rest():
    found = told(profile(sex="male", height_cm=180, born="1996-11-23"))
    resting = 10 * 180 * KG_PER_POUND + 6.25 * 180 - 5 * 30 + 5
    assert found.macros.protein_g == pytest.approx(162)
    assert found.macros.fat_g == pytest.approx(54)
    assert found.macros.carbs_g == pytest.approx((resting * 1.55 - 4 * 162 - 9 * 54) / 4, abs=0.005)


@pytest.mark.parametrize("missing", ["sex", "height_cm", "born"])
def test_without_sex_or_height_or_age_the_weight_alone_decides(missing):
    known = {"sex": "male", "height_cm": 180, "born": "1996-11-23"}
    found = told(profile(**known | {missing: None}))
    assert found.source == "weight_formula"
    assert found.macros == predecessor_targets(180, "moderate", "maintain")


@pytest.mark.parametrize(
    ("born", "source"),
    [
        ("1905-11-23", "weight_formula"),
        ("1906-11-23", "mifflin_st_jeor"),
        ("2026-11-23", "mifflin_st_jeor"),
        ("2026-11-24", "weight_formula"),
    ],
)
def test_a_birthday_that_nobody_alive_can_have_is_not_used(born, source):
    assert told(profile(sex="male", height_cm=180, born=born)).source == source


def test_carbohydrates_are_never_less_than_nothing():
    heavy = {"weight_kg": 300, "sex": "female", "height_cm": 150, "born": "1946-11-23"}
    assert told(profile(**heavy, activity="sedentary", aim="lose")).macros.carbs_g == 0


@pytest.mark.parametrize(
    ("born", "day", "years"),
    [
        (date(1988, 5, 4), date(2026, 5, 3), 37),
        (date(1988, 5, 4), date(2026, 5, 4), 38),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2026, 11, 24), TODAY, -1),
    ],
)
def test_a_person_is_a_year_older_on_the_birthday(born, day, years):
    assert age_on(born, day) == years


def test_a_birthday_lowers_the_target():
    ben = profile(sex="male", height_cm=183, born="1988-05-04")
    before, after = (told(ben, on=date(2026, 5, day)).macros.kcal for day in (3, 4))
    assert before - after == pytest.approx(5 * 1.55, abs=0.011)


@pytest.mark.parametrize("history", [(profile(), goal()), (goal(), profile())])
def test_a_goal_wins_over_the_formula_whenever_it_was_said(history):
    found = told(*history)
    assert found.source == "goal"
    assert found.macros == Macros(kcal=2500, protein_g=180, carbs_g=250, fat_g=60)


def test_the_last_of_each_kind_holds():
    found = told(
        profile(name="A.", tolerance_pct=5),
        goal(kcal=1800),
        PreferencesSet(person="ada", exclude=("peanut",)),
        goal(kcal=2100),
        profile(name="Ada", tolerance_pct=8),
        PreferencesSet(person="ada", exclude=("shrimp", "mussel")),
    )
    assert found.macros.kcal == 2100
    assert (found.name, found.tolerance_pct, found.exclude) == ("Ada", 8, ("shrimp", "mussel"))


def test_a_goal_without_a_profile_is_enough():
    found = told(goal())
    assert (found.name, found.tolerance_pct, found.exclude) == (None, DEFAULT_TOLERANCE_PCT, ())


def test_the_tolerance_without_a_profile_is_that_of_a_profile_that_names_none():
    assert profile().tolerance_pct == DEFAULT_TOLERANCE_PCT


def test_what_other_topics_say_changes_nothing():
    weighed = WeightRecorded(person="ada", day=TODAY, weight_kg=100)
    assert told(profile(), weighed) == told(profile())


@pytest.mark.parametrize("history", [[], [PreferencesSet(person="ada", exclude=("peanut",))]])
def test_nobody_has_targets_before_a_profile_or_a_goal(history):
    assert targets(history, on=TODAY) is None


profiles = st.builds(
    ProfileSet,
    person=st.just("ada"),
    name=st.just("Ada"),
    weight_kg=st.floats(36, 300),
    activity=st.sampled_from(["sedentary", "moderate", "active"]),
    aim=st.sampled_from(["lose", "maintain", "gain"]),
    sex=st.sampled_from(["female", "male", None]),
    height_cm=st.none() | st.floats(100, 250),
    born=st.none() | st.dates(),
    tolerance_pct=st.just(10),
)


@given(profiles, st.dates())
def test_every_profile_has_tidy_targets_whose_grams_carry_the_energy(someone, day):
    macros = told(someone, on=day).macros
    assert macros.kcal > 0
    assert all(amount == round(amount, 2) for _, amount in macros)
    if macros.carbs_g > 0:
        energy = 4 * macros.protein_g + 4 * macros.carbs_g + 9 * macros.fat_g
        assert energy == pytest.approx(macros.kcal, abs=0.1)
