import csv
import gzip
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meal_assets.contracts.base import Event
from meal_assets.contracts.diary import (
    DayClosed,
    MealLogCorrected,
    MealLogged,
    MealLogRetracted,
    ObservedEntry,
    ObservedMeal,
)
from meal_assets.contracts.values import MACROS, Macros, Nutrients
from meal_assets.domain.diary import close, correct, day_total, entries, is_closed, is_empty, log, observe, retract
from meal_assets.errors import Invalid
from tests.shared_data import shared_data

DAY = date(2026, 11, 23)
APPLE = Nutrients(kcal=78, protein_g=0.39, carbs_g=20.7, fat_g=0.26, fiber_g=3.6)
BIG_APPLE = Nutrients(kcal=95, protein_g=0.5, carbs_g=25, fat_g=0.3, fiber_g=4.4)
SOUP = Nutrients(kcal=450, protein_g=30, carbs_g=60, fat_g=7.5)


def meal(entry: str, nutrition: Nutrients = APPLE, food: str = "Apple") -> MealLogged:
    return MealLogged(entry=entry, person="ada", day=DAY, meal="snack", food=food, nutrition=nutrition, source="person")


def corrected(entry: str, before: Nutrients, nutrition: Nutrients) -> MealLogCorrected:
    return MealLogCorrected(entry=entry, person="ada", day=DAY, before=before, nutrition=nutrition)


def retracted(entry: str, before: Nutrients) -> MealLogRetracted:
    return MealLogRetracted(entry=entry, person="ada", day=DAY, before=before)


CLOSED = DayClosed(person="ada", day=DAY)


def test_a_meal_is_logged_once_however_often_it_is_sent():
    first, second = meal("a"), meal("b", SOUP)
    assert log([], [first, first, second]) == [first, second]
    assert log([first], [first, second]) == [second]
    assert log([first, second], [second, first]) == []


def test_two_equal_meals_under_two_ids_are_two_meals():
    assert log([meal("a")], [meal("b")]) == [meal("b")]


@pytest.mark.parametrize("history", [[meal("a")], []])
def test_an_id_that_says_something_else_is_refused_and_a_correction_suggested(history):
    with pytest.raises(Invalid, match="correct that entry") as refused:
        log(history, [meal("a"), meal("a", food="Pear")])
    assert refused.value.field == "entry"


def test_a_corrected_meal_may_be_sent_again_as_it_was_or_as_it_is_now():
    history = [meal("a"), corrected("a", APPLE, BIG_APPLE)]
    assert log(history, [meal("a"), meal("a", BIG_APPLE)]) == []
    with pytest.raises(Invalid, match="other content"):
        log(history, [meal("a", SOUP)])


def test_a_retracted_meal_does_not_come_back_by_being_sent_again():
    history = [meal("a"), retracted("a", APPLE)]
    assert log(history, [meal("a")]) == []
    with pytest.raises(Invalid, match="was retracted"):
        log(history, [meal("a", SOUP)])


def test_a_correction_carries_what_stood_before():
    assert correct([meal("a")], entry="a", nutrition=BIG_APPLE) == [corrected("a", APPLE, BIG_APPLE)]
    history = [meal("a"), corrected("a", APPLE, BIG_APPLE)]
    assert correct(history, entry="a", nutrition=SOUP) == [corrected("a", BIG_APPLE, SOUP)]


def test_a_correction_to_what_stands_says_nothing():
    history = [meal("a"), corrected("a", APPLE, BIG_APPLE)]
    assert correct(history, entry="a", nutrition=BIG_APPLE) == []


def test_learning_an_unknown_nutrient_is_a_correction():
    unknown = APPLE.model_copy(update={"fiber_g": None})
    assert correct([meal("a", unknown)], entry="a", nutrition=APPLE) == [corrected("a", unknown, APPLE)]


@pytest.mark.parametrize(
    ("history", "reason"), [([], "not in this day"), ([meal("a"), retracted("a", APPLE)], "was retracted")]
)
def test_what_does_not_stand_cannot_be_corrected(history, reason):
    with pytest.raises(Invalid, match=reason):
        correct(history, entry="a", nutrition=SOUP)


def test_a_retraction_carries_what_stood_before():
    history = [meal("a"), corrected("a", APPLE, BIG_APPLE)]
    assert retract(history, entry="a") == [retracted("a", BIG_APPLE)]


def test_a_second_retraction_says_nothing():
    assert retract([meal("a"), retracted("a", APPLE)], entry="a") == []


def test_what_was_never_logged_cannot_be_retracted():
    with pytest.raises(Invalid, match="not in this day"):
        retract([meal("a")], entry="b")


def test_what_stands_is_what_was_logged_corrected_and_not_retracted():
    history = [meal("a"), meal("b", SOUP), corrected("a", APPLE, BIG_APPLE), meal("c"), retracted("c", APPLE)]
    assert entries(history) == {"a": BIG_APPLE, "b": SOUP}
    assert day_total(history) == Macros(kcal=545, protein_g=30.5, carbs_g=85, fat_g=7.8)


def test_a_day_is_closed_once():
    assert close([meal("a")], person="ada", day=DAY) == [CLOSED]
    assert close([meal("a"), CLOSED], person="ada", day=DAY) == []
    assert is_closed([meal("a"), CLOSED])
    assert not is_closed([meal("a")])


@pytest.mark.parametrize("history", [[], [meal("a"), retracted("a", APPLE)]])
def test_a_day_without_a_meal_cannot_be_closed(history):
    with pytest.raises(Invalid, match="nothing is logged for ada on 2026-11-23") as refused:
        close(history, person="ada", day=DAY)
    assert refused.value.field == "day"


def test_a_closed_day_can_still_be_corrected_and_stays_closed():
    history: list[Event] = [meal("a"), CLOSED]
    history += log(history, [meal("b", SOUP)])
    history += correct(history, entry="a", nutrition=BIG_APPLE)
    history += retract(history, entry="b")
    assert entries(history) == {"a": BIG_APPLE}
    assert is_closed(history)


def test_more_than_a_day_can_hold_is_refused_before_it_is_said():
    feast = Nutrients(kcal=60_000, protein_g=0, carbs_g=0, fat_g=0)
    with pytest.raises(Invalid, match="kcal 120000"):
        log([meal("a", feast)], [meal("b", feast)])
    with pytest.raises(Invalid, match="kcal 120000"):
        correct([meal("a", feast), meal("b")], entry="b", nutrition=feast)


def test_tenths_add_up_exactly():
    tenth = Nutrients(kcal=0.1, protein_g=0.1, carbs_g=0.1, fat_g=0.1)
    assert day_total(meal(str(n), tenth) for n in range(3)) == Macros(kcal=0.3, protein_g=0.3, carbs_g=0.3, fat_g=0.3)


def test_a_total_has_six_decimals():
    third = Nutrients(kcal=100 / 3, protein_g=2 / 3, carbs_g=0, fat_g=0)
    assert day_total([meal("a", third)]) == Macros(kcal=33.333333, protein_g=0.666667, carbs_g=0, fat_g=0)


amounts = st.floats(0, 2_000)
nutrition = st.builds(Nutrients, kcal=amounts, protein_g=amounts, carbs_g=amounts, fat_g=amounts)


@given(st.lists(nutrition, max_size=12).flatmap(lambda ns: st.tuples(st.just(ns), st.permutations(ns))))
def test_a_day_adds_up_to_the_same_in_any_order(in_two_orders):
    one, other = ([meal(str(n), each) for n, each in enumerate(order)] for order in in_two_orders)
    assert day_total(one) == day_total(other)


steps = st.lists(st.tuples(st.sampled_from(["log", "correct", "retract"]), st.sampled_from("abc"), nutrition))


@given(steps)
def test_whatever_people_do_an_entry_counts_for_the_last_that_was_said_of_it(steps):
    history: list[Event] = []
    standing: dict[str, Nutrients] = {}
    for act, entry, content in steps:
        try:
            match act:
                case "log":
                    said = log(history, [meal(entry, content)])
                case "correct":
                    said = correct(history, entry=entry, nutrition=content)
                case _:
                    said = retract(history, entry=entry)
        except Invalid:
            continue
        if said and act == "retract":
            del standing[entry]
        elif said:
            standing[entry] = content
        history += said
        assert entries(history) == standing


def test_real_diaries_add_up_to_their_decimal_sums():
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal()] * len(MACROS))
    diaries: dict[tuple[str, str], list[MealLogged]] = defaultdict(list)
    with gzip.open(shared_data("food-diary.csv.gz"), "rt", encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if not all(row[name] for name in MACROS):
                continue
            key = (row["person"], row["date"])
            sums[key] = [total + Decimal(row[name]) for total, name in zip(sums[key], MACROS, strict=True)]
            diaries[key].append(meal(str(number), Nutrients.model_validate({name: row[name] for name in MACROS})))
    assert len(diaries) > 30
    for key, meals in diaries.items():
        for (_, amount), exact in zip(day_total(log([], meals)), sums[key], strict=True):
            assert Decimal(repr(amount)) == pytest.approx(exact, abs=Decimal("0.000001"))


def observed(name: str, nutrition: Nutrients, number: str = "1") -> ObservedMeal:
    entry = ObservedEntry(number=number, food="33691", serving="336910", units=50)
    return ObservedMeal.model_validate({"meal": name, "entries": [entry], "nutrition": nutrition})


def see(history: list[Event], *meals: ObservedMeal) -> list[Event]:
    return observe(history, person="ada", day=DAY, meals=meals)


def test_a_day_elsewhere_is_said_once_and_again_only_when_it_changed():
    (first,) = see([], observed("lunch", APPLE))
    assert see([first], observed("lunch", APPLE)) == []
    (second,) = see([first], observed("lunch", BIG_APPLE), observed("snack", SOUP))
    assert (first.before, second.before) == ((), (APPLE,))
    assert see([first, second], observed("lunch", BIG_APPLE), observed("snack", SOUP)) == []
    (back,) = see([first, second], observed("lunch", APPLE))
    assert back.before == (BIG_APPLE, SOUP)
    assert see([first, second, back], observed("lunch", APPLE, number="2"))


def test_a_day_that_holds_nothing_is_said_only_when_it_held_something():
    assert see([]) == []
    (first,) = see([], observed("lunch", APPLE))
    (empty,) = see([first])
    assert (empty.meals, empty.before) == ((), (APPLE,))
    assert see([first, empty]) == []


def test_what_is_observed_elsewhere_counts_beside_what_is_logged_here():
    history = [meal("a", SOUP), *see([], observed("lunch", APPLE))]
    assert day_total(history) == Macros(kcal=528, protein_g=30.39, carbs_g=80.7, fat_g=7.76)
    assert entries(history) == {"a": SOUP}
    with pytest.raises(Invalid, match="more than a day can hold"):
        see(history, observed("lunch", SOUP.model_copy(update={"kcal": 100_000})))


def test_a_day_that_is_known_from_elsewhere_only_can_be_closed():
    history = see([], observed("lunch", APPLE))
    assert not is_empty(history)
    assert close(history, person="ada", day=DAY) == [CLOSED]
    assert is_empty([*history, *see(history)])


def test_no_meal_is_observed_twice():
    with pytest.raises(ValueError, match="names a meal twice"):
        see([], observed("lunch", APPLE), observed("lunch", SOUP))
