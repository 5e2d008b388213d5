"""Bringing in reference foods: FoodData Central's zips and compact lines, and what is wrong with them."""

import csv
import gzip
import io
import json
import zipfile
from typing import Any

import pytest

from meal_assets.domain.nutrition import FoodIndex, Portion, to_json
from meal_assets.errors import Invalid, Permanent
from meal_assets.foods.starter import starter_foods
from meal_assets.foods.usda import read_compact, read_usda, read_zip
from tests.shared_data import shared_data

LENTILS: dict[str, Any] = {
    "ndb_no": "16144",
    "description": "Lentils,  pink or red, raw",
    "group": "Legumes",
    "fdc_id": 174284,
    "refuse_pct": 0.0,
    "per_100g": {
        "energ_kcal": 358,
        "protein": 23.91,
        "lipid_tot": 2.17,
        "carbohydrt": 63.1,
        "fiber_td": 10.8,
        "sodium": 7,
    },
    "portions": [{"amount": 0.5, "unit": "cup", "grams": 96.0}, {"amount": 1, "unit": "oz", "grams": 28.35}],
}
TABLES: dict[str, list[dict[str, object]]] = {
    "food": [
        {"fdc_id": 1, "data_type": "sr_legacy_food", "description": "Lentils, raw", "food_category_id": 16},
        {"fdc_id": 2, "data_type": "branded_food", "description": "ACME LENTILS", "food_category_id": ""},
        {"fdc_id": 3, "data_type": "foundation_food", "description": "Air", "food_category_id": ""},
    ],
    "nutrient": [
        {"id": 1008, "name": "Energy", "unit_name": "KCAL", "nutrient_nbr": "208"},
        {"id": 2047, "name": "Energy (Atwater)", "unit_name": "KCAL", "nutrient_nbr": "957"},
        {"id": 1003, "name": "Protein", "unit_name": "G", "nutrient_nbr": "203"},
        {"id": 1005, "name": "Carbohydrate", "unit_name": "G", "nutrient_nbr": "205"},
        {"id": 1004, "name": "Fat", "unit_name": "G", "nutrient_nbr": "204"},
        {"id": 1093, "name": "Sodium", "unit_name": "MG", "nutrient_nbr": "307"},
    ],
    "food_nutrient": [
        {"fdc_id": 1, "nutrient_id": 2047, "amount": 352},
        {"fdc_id": 1, "nutrient_id": 1008, "amount": 358},
        {"fdc_id": 1, "nutrient_id": 1003, "amount": 24},
        {"fdc_id": 1, "nutrient_id": 1005, "amount": 63},
        {"fdc_id": 1, "nutrient_id": 1004, "amount": 2},
        {"fdc_id": 1, "nutrient_id": 1093, "amount": 7},
        {"fdc_id": 2, "nutrient_id": 1008, "amount": 1},
    ],
    "food_category": [{"id": 16, "code": 1600, "description": "Legumes and Legume Products"}],
    "measure_unit": [{"id": 1000, "name": "cup"}, {"id": 9999, "name": "undetermined"}],
    "food_portion": [
        {"fdc_id": 1, "amount": 2, "measure_unit_id": 1000, "modifier": "", "gram_weight": 384},
        {"fdc_id": 1, "amount": 1, "measure_unit_id": 9999, "modifier": "tbsp", "gram_weight": 12},
        {"fdc_id": 1, "amount": 1, "measure_unit_id": 9999, "modifier": "tsp", "gram_weight": ""},
    ],
}


def lines(*rows: Any) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def zipped(tables: dict[str, list[dict[str, object]]], folder: str = "FoodData_Central_csv_2026/") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, rows in tables.items():
            text = io.StringIO()
            writer = csv.DictWriter(text, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
            archive.writestr(f"{folder}{name}.csv", text.getvalue())
    return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_compact_lines_become_foods_with_their_portions(pack: Any) -> None:
    (food,) = read_usda(pack(lines(LENTILS, ""))).foods
    assert (food.food, food.description, food.group) == ("174284", "Lentils, pink or red, raw", "Legumes")
    assert (food.per_100g.kcal, food.per_100g.fiber_g, food.per_100g.sugar_g) == (358, 10.8, None)
    assert food.portions == (Portion("cup", 192),)


def test_a_food_without_a_number_of_its_own_keeps_its_older_one() -> None:
    (food,) = read_compact(lines({**LENTILS, "fdc_id": None})).foods
    assert food.food == "ndb:16144"


@pytest.mark.parametrize(
    "bad",
    [
        "{not json",
        "[" * 100_000,
        "null",
        '"text"',
        {},
        {**LENTILS, "per_100g": {"energ_kcal": 1}},
        {**LENTILS, "per_100g": {**LENTILS["per_100g"], "protein": -1}},
    ],
    ids=["not JSON", "too deep", "null", "a text", "empty", "no macros", "negative"],
)
def test_a_bad_line_is_left_out_with_its_number_and_the_others_come_in(bad: Any) -> None:
    read = read_usda(lines(LENTILS, bad))
    assert (len(read.foods), read.rejected, read.findings[0][0]) == (1, 1, "line 2")


@pytest.mark.parametrize("folder", ["", "FoodData_Central_csv_2026/"])
def test_a_zip_of_tables_becomes_foods_without_brands_and_without_what_has_no_figures(folder: str) -> None:
    read = read_usda(zipped(TABLES, folder))
    (food,) = read.foods
    assert (food.food, food.description, food.group) == ("1", "Lentils, raw", "Legumes and Legume Products")
    assert (food.per_100g.kcal, food.per_100g.carbs_g, food.per_100g.sodium_mg) == (358, 63, 7)
    assert food.portions == (Portion("cup", 192), Portion("tbsp", 12))
    assert [where for where, _ in read.findings] == ["food 3"]


def test_energy_by_atwater_factors_stands_in_where_there_is_no_other() -> None:
    tables = {**TABLES, "food_nutrient": [r for r in TABLES["food_nutrient"] if r["nutrient_id"] != 1008]}
    assert read_zip(zipped(tables)).foods[0].per_100g.kcal == 352


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04nothing of the kind", "not a whole zip"),
        (zipped({"pictures": [{"a": 1}]}), "has no food.csv"),
        (lines("{}"), "holds no food"),
        (b"", "holds no food"),
    ],
    ids=["torn zip", "another zip", "no food", "empty"],
)
def test_a_file_that_holds_no_foods_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read_usda(content)


def test_a_file_in_another_encoding_is_refused() -> None:
    with pytest.raises(Permanent, match="not UTF-8"):
        read_usda("Crème".encode("latin-1"))


@pytest.mark.slow
def test_the_whole_of_usda_comes_in_and_agrees_with_what_ships() -> None:
    read = read_usda(shared_data("usda-sr28.jsonl.gz").read_bytes())
    assert (len(read.foods), read.rejected) == (8_789, 0)
    by_id = {food.food: food for food in read.foods}
    for shipped in starter_foods().foods:
        assert by_id[shipped.food].per_100g == shipped.per_100g, to_json(shipped)
    match = FoodIndex(read.foods).find("tomatillos")
    assert match is not None
    assert match.food.description == "Tomatillos, raw"
