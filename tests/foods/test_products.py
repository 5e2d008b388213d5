"""Packaged products of Open Food Facts: its own error tags count, and so do our checks."""

import json
from typing import Any

import pytest

from meal_assets.domain.nutrition import Portion
from meal_assets.errors import Invalid
from meal_assets.foods.products import food_of_barcode, read_products
from tests.shared_data import shared_data

SPREAD: dict[str, Any] = {
    "code": "0000101209159",
    "product_name": "Hazelnut  spread",
    "brands": "Acme",
    "serving_quantity": "15",
    "product_quantity": "350",
    "categories_tags": "en:spreads,en:sweet-spreads",
    "nutriments": {
        "energy-kcal_100g": "617",
        "proteins_100g": "8",
        "fat_100g": "48",
        "carbohydrates_100g": "36",
        "sugars_100g": "32",
        "salt_100g": "0.1",
    },
}


def lines(*rows: Any) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def holding(**changes: str | None) -> dict[str, Any]:
    """The spread with other values of 100 g."""
    told = {**SPREAD["nutriments"], **{f"{name}_100g": value for name, value in changes.items()}}
    return {**SPREAD, "nutriments": told}


def test_a_product_becomes_a_food_by_its_barcode() -> None:
    (food,) = read_products(lines(SPREAD)).foods
    assert (food.food, food.description, food.source) == ("off:0000101209159", "Hazelnut spread, Acme", "openfoodfacts")
    assert (food.per_100g.kcal, food.per_100g.sugar_g, food.per_100g.sodium_mg) == (617, 32, pytest.approx(39.3))
    assert food.portions == (Portion("serving", 15), Portion("package", 350))


def test_kilojoules_stand_in_for_missing_kilocalories() -> None:
    joules = {**SPREAD, "nutriments": {**SPREAD["nutriments"], "energy-kcal_100g": None, "energy-kj_100g": "2582"}}
    assert read_products(lines(joules)).foods[0].per_100g.kcal == pytest.approx(617, abs=0.5)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({**SPREAD, "data_quality_errors_tags": "en:nutrition-value-total-over-105"}, "says en:nutrition"),
        ({**SPREAD, "data_quality_errors_tags": ["en:energy-value-in-kcal-does-not-match"]}, "says en:energy"),
        ({**SPREAD, "nutriments": {}}, "are missing"),
        (holding(fat=None), "has no fat_g"),
        (holding(proteins="80"), "kcal"),
        ({**SPREAD, "product_name": " "}, "product_name"),
        ({**SPREAD, "code": "12"}, "barcode"),
        ("{", "is no product"),
        ("7", "is no product"),
    ],
    ids=["total", "energy", "nothing", "no fat", "4/4/9", "no name", "no barcode", "not JSON", "a number"],
)
def test_what_is_wrong_is_left_out_with_line_and_reason(bad: Any, reason: str) -> None:
    read = read_products(lines(SPREAD, bad))
    assert (len(read.foods), read.rejected) == (1, 1)
    where, why = read.findings[0]
    assert where == "line 2"
    assert reason in why


def test_an_error_that_is_not_about_nutrition_keeps_nobody_out() -> None:
    harmless = {**SPREAD, "data_quality_errors_tags": "en:detected-category-from-name"}
    assert len(read_products(lines(harmless)).foods) == 1


def test_of_a_product_that_is_there_twice_the_last_counts() -> None:
    (food,) = read_products(lines(SPREAD, {**SPREAD, "product_name": "New"})).foods
    assert food.description == "New, Acme"


def test_a_file_without_any_product_is_refused() -> None:
    with pytest.raises(Invalid, match="no product with believable nutrition"):
        read_products(lines({**SPREAD, "nutriments": {}}))


@pytest.mark.parametrize("code", ["0000101209159", "101209159", "0 000101-209159"])
def test_one_barcode_is_written_many_ways(code: str) -> None:
    assert food_of_barcode(code) == "off:0000101209159"


@pytest.mark.parametrize("code", ["", "12", "abc", "123456789012345"])
def test_what_is_no_barcode_is_refused(code: str) -> None:
    with pytest.raises(Invalid, match="barcode"):
        food_of_barcode(code)


@pytest.mark.slow
def test_real_products_come_in_only_where_nobody_doubts_them() -> None:
    file = shared_data("openfoodfacts.jsonl.gz")
    read = read_products(file.read_bytes())
    assert len(read.foods) + read.rejected == 500
    assert 70 < len(read.foods) <= 94
    assert all(f.per_100g.kcal <= 1000 for f in read.foods)
