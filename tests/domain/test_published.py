"""Free text as sites publish it: each case was seen on a page or is its neighbour."""

import pytest

from meal_assets.domain.recipes.label import ENERGY_TOLERANCE, read_label
from meal_assets.domain.recipes.published import energy_kcal, mass, minutes, number, servings

GOOD = {"calories": "300 kcal", "proteinContent": "20 g", "carbohydrateContent": "40 g", "fatContent": "6 g"}


@pytest.mark.parametrize(
    ("text", "grouped", "expected"),
    [
        ("4 1/2", False, 4.5),
        ("4-1/2", False, 4.5),
        ("3/4", False, 0.75),
        ("1/0", False, None),
        ("12,5", True, 12.5),
        ("1,234", True, 1234),
        ("1,234", False, 1.234),
        ("0,125", True, 0.125),
        ("1.234,5", True, 1234.5),
        ("1,234.5", True, 1234.5),
        ("1,234,567", False, 1_234_567),
        ("1 234", True, 1234),
        (".5", False, 0.5),
    ],
)
def test_numbers_are_read_as_their_writers_meant_them(text: str, grouped: bool, expected: float | None):
    assert number(text, grouped=grouped) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("published", "kcal"),
    [
        ("143 kcal", 143),
        ("143 calories", 143),
        ("508cals", 508),
        ("186Kcal", 186),
        ("590 kcal energie", 590),
        ("599 kJ", 143.164),
        ("599 kJ (143 kcal)", 143),
        ("143 kcal / 599 kJ", 143),
        ("1,234 kcal", 1234),
        ("87,424 calories", 87_424),
        ("611.87", 611.87),
        ("7031.58 g", 7031.58),
        (["143 kcal", "599 kJ"], 143),
        ("\uff11\uff14\uff13 キロカロリー", 143),
        (143, 143),
        (float("nan"), None),
        (10**400, None),
        (True, None),
        ("a lot", None),
        ("-5 kcal", None),
        ("9" * 5000, 999_999_999_999_999),
        ("15 %", None),
        (None, None),
        ({}, None),
    ],
)
def test_energy_is_kilocalories_whatever_the_site_calls_them(published: object, kcal: float | None):
    assert energy_kcal(published) == pytest.approx(kcal)


@pytest.mark.parametrize(
    ("published", "grams"),
    [
        ("12 g", 12),
        ("1.2g", 1.2),
        ("12,5 g", 12.5),
        ("23,891 g", 23.891),
        ("4 1/2", 4.5),
        ("4½ g", 4.5),
        ("½ g", 0.5),
        ("1\u20442 g", 0.5),
        ("<1 g", 1),
        ("&lt;1 g", 1),
        ("0.5 Gramm", 0.5),
        ("27 g vet", 27),
        ("25 grams fat", 25),
        ("5g fat (2g saturated fat)", 5),
        ("629 mg", 0.629),
        ("4 %", None),
        ("3 cups", None),
        ("", None),
        (7.5, 7.5),
    ],
)
def test_masses_are_grams_whatever_the_site_calls_them(published: object, grams: float | None):
    assert mass(published, "g") == pytest.approx(grams)


@pytest.mark.parametrize(
    ("published", "milligrams"),
    [
        ("629 mg", 629),
        ("1,234 mg", 1234),
        ("0.9 g", 900),
        ("1.27 g", 1270),
        ("436 milligrams sodium", 436),
        ("800 µg", 0.8),
        ("1086.5", 1086.5),
        (363, 363),
        ("0", 0),
        ("1.2", None),
    ],
)
def test_sodium_is_milligrams_and_a_small_number_without_a_unit_is_nothing(published: object, milligrams: float | None):
    assert mass(published, "mg") == pytest.approx(milligrams)


@pytest.mark.parametrize(
    ("yields", "size", "expected"),
    [
        ("4 servings", "", 4),
        ("4-6 servings", "", 5),
        ("4 to 6 generous portions", "", 5),
        ("Serves 8", "", 8),
        ("Servings: 3", "", 3),
        ("für 4 Personen", "", 4),
        ("4人分", "", 4),
        ("39 cookies", "", 39),
        ("2 dozen cookies", "", 24),
        ("Makes 24 cookies, 12 servings", "", 12),
        ("1 loaf (12 slices)", "1 slice", 12),
        ("8 slices of cake", "", 8),
        ("4", "", 4),
        ("4 cups", "1/4 cup", 16),
        ("14 cups", "1 cup", 14),
        ("1 loaf", "1 loaf |", 1),
        ("1 cake", "1 slice (148g)", None),
        ("16 pies", "1 serving", None),
        ("1 (9x13) pan", "", None),
        ("2 cups", "2 tablespoons", None),
        ("a feast", "", None),
        ("0 servings", "", None),
        ("999999 servings", "", None),
        ("1/0 servings", "", None),
    ],
)
def test_a_yield_is_servings_where_it_can_be_counted(yields: str, size: str, expected: float | None):
    assert servings(yields, size) == expected


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("PT1H30M", 90),
        ("P0DT0H25M", 25),
        ("P0Y0M0DT0H35M0.000S", 35),
        ("PT90M", 90),
        ("pt20m", 20),
        ("P1DT1H", 1500),
        ("PT0M", 0),
        ("25", 25),
        ("1 hour 20 minutes", 80),
        ("1 Std. 20 Min.", 80),
        ("1h30", 90),
        ("45min", 45),
        ("1½ hours", 90),
        (10080, 10080),
        (12.4, 12),
        (["PT5M"], 5),
        ("-PT5M", None),
        ("PT", None),
        ("P9999Y", None),
        (-3, None),
        (10**400, None),
        (True, None),
        ("overnight", None),
        ("", None),
    ],
)
def test_durations_are_whole_minutes(published: object, expected: int | None):
    assert minutes(published) == expected


def test_a_label_that_adds_up_is_taken_as_published():
    label = read_label({**GOOD, "fiberContent": "9 g", "sodiumContent": "0.2 g"}, None, field="nutrition", servings=4)
    assert label.findings == ()
    assert label.per_serving is not None
    assert label.per_serving.model_dump(exclude_none=True) == {
        "kcal": 300,
        "protein_g": 20,
        "carbs_g": 40,
        "fat_g": 6,
        "fiber_g": 9,
        "sodium_mg": 200,
    }


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_label_without_one_of_the_four_is_not_taken(name: str):
    label = read_label({k: v for k, v in GOOD.items() if k != name}, None, field="nutrition", servings=4)
    assert label.per_serving is None
    ((field, reason),) = label.findings
    assert (field, reason.split(" no ")[0]) == ("nutrition", "has")


def test_no_label_is_no_finding():
    assert read_label(None, None, field="nutrition", servings=4) == (None, ())
    assert read_label({"@type": "NutritionInformation"}, None, field="nutrition", servings=4) == (None, ())


def test_energy_far_from_the_macros_is_not_believed_and_the_finding_shows_the_numbers():
    label = read_label({**GOOD, "calories": "187 kcal"}, None, field="nutrition", servings=4)
    assert label.per_serving is None
    ((_, reason),) = label.findings
    assert reason == "says 187 kcal, but 20 g protein, 40 g carbohydrate and 6 g fat give 294 kcal"


@pytest.mark.parametrize(
    ("kcal", "fiber", "believed"),
    [
        (294 * (1 + ENERGY_TOLERANCE), 0, True),
        (294 * (1 + ENERGY_TOLERANCE) + 1, 0, False),
        (210, 0, False),
        (210, 6, True),
    ],
)
def test_fibre_may_count_two_kilocalories_less(kcal: float, fiber: float, believed: bool):
    label = read_label({**GOOD, "calories": kcal, "fiberContent": fiber}, None, field="nutrition", servings=4)
    assert (label.per_serving is not None) is believed


def test_little_energy_may_be_forty_kilocalories_off():
    facts = {"calories": 49, "proteinContent": 1, "carbohydrateContent": 2, "fatContent": 0}
    assert read_label(facts, None, field="nutrition", servings=1).per_serving is not None
    assert read_label({**facts, "calories": 53}, None, field="nutrition", servings=1).per_serving is None


def test_small_calories_become_kilocalories_and_are_reported():
    facts = {"calories": "87,424 calories", "proteinContent": "3 g", "carbohydrateContent": "14 g", "fatContent": "2 g"}
    label = read_label(facts, None, field="nutrition", servings=4)
    assert label.per_serving is not None
    assert label.per_serving.kcal == pytest.approx(87.424)
    assert label.findings == (("nutrition", "87424 calories are small calories: 87.424 kcal"),)


def test_a_cocktail_whose_energy_is_alcohol_does_not_pass_as_small_calories():
    facts = {"calories": "300 kcal", "proteinContent": 0, "carbohydrateContent": 5, "fatContent": 0}
    assert read_label(facts, None, field="nutrition", servings=1).per_serving is None


def test_no_serving_has_more_than_five_thousand_kilocalories():
    facts = {"calories": 5400, "proteinContent": 0, "carbohydrateContent": 0, "fatContent": 600}
    label = read_label(facts, None, field="nutrition", servings=1)
    assert label.per_serving is None
    assert label.findings == (("nutrition", "says 5400 kcal a serving, above 5000"),)


def test_zeros_everywhere_are_a_placeholder():
    assert read_label(dict.fromkeys(GOOD, "0"), None, field="nutrition", servings=1).per_serving is None


@pytest.mark.parametrize("size", ["100 g", "per 100g", "pro 100 ml", "100 Gramm"])
def test_values_per_hundred_grams_are_taken_only_where_servings_are_unknown(size: str):
    facts = {**GOOD, "servingSize": size}
    known, unknown = (read_label(facts, None, field="nutrition", servings=n) for n in (4, None))
    assert known.per_serving is None
    assert unknown.per_serving is not None
    assert known.findings[0][0] == unknown.findings[0][0] == "nutrition.servingSize"


def test_a_serving_that_weighs_a_hundred_grams_is_a_serving():
    assert read_label({**GOOD, "servingSize": "1 slice (100 g)"}, None, field="nutrition", servings=4).findings == ()


def test_plain_numbers_stand_in_where_texts_fail():
    numbers = {"kcal": 300.0, "protein_g": 20.0, "carbs_g": 40.0, "fat_g": 6.0}
    label = read_label({**GOOD, "fatContent": "some", "sugarContent": "3 g"}, numbers, field="nutrients", servings=4)
    assert label.per_serving is not None
    assert (label.per_serving.fat_g, label.per_serving.sugar_g) == (6, 3)
    assert [field for field, _ in label.findings] == ["nutrients.fatContent", "nutrients"]
    assert read_label(None, numbers, field="nutrients", servings=4).findings == ()
    assert read_label("tasty", numbers, field="nutrients", servings=4).per_serving is not None


@pytest.mark.parametrize(("name", "amount"), [("proteinContent", 1e300), ("fiberContent", 1e8), ("fatContent", -1)])
def test_an_amount_beyond_any_serving_is_not_understood(name: str, amount: float):
    label = read_label({**GOOD, name: amount}, None, field="nutrition", servings=4)
    assert (label.per_serving is None) is (name in GOOD)
    assert label.findings[0] == (f"nutrition.{name}", f"{amount} cannot be read as 0 to 2000 grams")


def test_a_part_larger_than_its_whole_is_left_out_alone():
    facts = {**GOOD, "saturatedFatContent": "14 g", "sugarContent": "41 g", "sodiumContent": "602.54 g"}
    label = read_label(facts, None, field="nutrition", servings=4)
    assert label.per_serving is not None
    assert (label.per_serving.saturated_fat_g, label.per_serving.sugar_g, label.per_serving.sodium_mg) == (
        None,
        41,
        None,
    )
    assert [field for field, _ in label.findings] == ["nutrition.sodiumContent", "nutrition.saturated_fat_g"]
