"""What a week must obey, as it is typed."""

from datetime import date

import pytest

from meal_assets.cli import wanted
from meal_assets.contracts.plan_request import Lock, PlanRules, Skip
from meal_assets.errors import Invalid

MONDAY = date(2026, 11, 23)


def test_limits_of_a_nutrient_come_together_for_whom_and_how_much_they_are_for() -> None:
    limits = wanted.limits(["fiber >= 25", "fibre<=50", "Sodium_mg<=2300@0.5", "ada:sugar<=50"])
    assert PlanRules.model_validate({"limits": limits}).model_dump()["limits"] == (
        {"nutrient": "fiber_g", "least": 25, "most": 50, "person": None, "weight": None},
        {"nutrient": "sodium_mg", "least": None, "most": 2300, "person": None, "weight": 0.5},
        {"nutrient": "sugar_g", "least": None, "most": 50, "person": "ada", "weight": None},
    )


def test_slots_days_shares_and_minutes() -> None:
    assert wanted.lock("fri:dinner=dal", MONDAY) == Lock(day=date(2026, 11, 27), meal="dinner", recipe="dal")
    assert wanted.skip("Tuesday:lunch=ada", MONDAY) == Skip(day=date(2026, 11, 24), meal="lunch", person="ada")
    assert [*wanted.away("sun=ben", MONDAY, ["lunch", "dinner"])] == [
        Skip(day=date(2026, 11, 29), meal="lunch", person="ben"),
        Skip(day=date(2026, 11, 29), meal="dinner", person="ben"),
    ]
    assert len([*wanted.away("fri", MONDAY, None)]) == 4
    assert wanted.share("breakfast = 15-30%") == {"meal": "breakfast", "least_pct": 15, "most_pct": 30}
    assert wanted.minutes(["mon=30", "Sunday=90"]) == {"mon": 30, "sun": 90}


@pytest.mark.parametrize(
    ("given", "difficulty", "most"),
    [
        (None, None, None),
        (45, None, 45),
        (None, "easy", 29),
        (20, "medium", 20),
        (90, "medium", 60),
        (None, "hard", None),
    ],
)
def test_difficulty_is_minutes(given: int | None, difficulty: str | None, most: int | None) -> None:
    assert wanted.most_minutes(given, difficulty) == most


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda: wanted.limits(["salt<=5"]), "'salt<=5' is not like fiber>=28; of fiber, fibre, saturated"),
        (lambda: wanted.limits(["fiber=28"]), "is not like fiber>=28"),
        (lambda: wanted.share("breakfast=15"), "is not like breakfast=15-30"),
        (lambda: wanted.minutes(["monday"]), "is not like mon=30"),
        (lambda: wanted.skip("tue", MONDAY), "'tue' is not like fri:dinner"),
        (lambda: [*wanted.away("friyay=", MONDAY, None), *wanted.away("x", MONDAY, None)], "'x' is no weekday"),
        (lambda: wanted.most_minutes(None, "harder"), "not one of easy, medium, hard"),
    ],
)
def test_what_cannot_be_read_is_said_with_an_example(read: object, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read()  # type: ignore[operator]
