"""A recipe nobody published figures for, on the command line: computed, explained, corrected, eaten by barcode."""

import json
from pathlib import Path

import pytest

from tests.shared_data import shared_data

from .conftest import Meals

pytestmark = pytest.mark.slow

SOUP = {
    "id": "lentil-soup",
    "title": "Lentil soup",
    "yields": "4 servings",
    "ingredients": ["300 g red lentils", "2 large carrots, diced", "100 g unicorn dust", "salt to taste"],
}
SPREAD = {
    "code": "0000101209159",
    "product_name": "Hazelnut spread",
    "nutriments": {"energy-kcal_100g": "617", "proteins_100g": "8", "fat_100g": "48", "carbohydrates_100g": "36"},
}


def test_a_recipe_is_computed_explained_and_mended(meals: Meals, tmp_path: Path) -> None:
    file = tmp_path / "soup.jsonl"
    file.write_text(json.dumps(SOUP))
    assert meals("import", "recipes", str(file)).returncode == 0
    shown = meals("nutrition", "explain", "lentil-soup").stdout
    assert "Lentils, pink or red, raw" in shown
    assert "no food is near enough" in shown
    assert "too little to plan with" in shown
    assert "174284" in meals("nutrition", "foods", "red", "lentils").stdout
    assert "1 recipe came out otherwise" in meals("nutrition", "correct", "unicorn dust", "174284").stdout
    assert "stands already" in meals("nutrition", "correct", "unicorn dust", "174284").stdout
    assert "enough to plan with" in meals("nutrition", "explain", "lentil-soup").stdout
    assert "computed" in meals("as-of", "9", "recipe_nutrition").stdout


def test_a_product_is_eaten_by_its_barcode(meals: Meals, tmp_path: Path) -> None:
    file = tmp_path / "pantry.jsonl"
    file.write_text(f"{json.dumps(SPREAD)}\n{json.dumps({**SPREAD, 'nutriments': {}})}\n")
    brought = meals("import", "products", str(file)).stdout
    assert "1 foods brought in, 1 left out" in brought
    assert "line 2" in brought
    assert "123 kcal" in meals("log", "ada", "snack", "--barcode", "101209159", "--grams", "20").stdout
    for command, hint in (
        (("log", "ada", "snack", "--barcode", "101209159"), "--grams"),
        (("log", "ada", "snack", "--barcode", "4006381333931"), "no food known here"),
        (("nutrition", "explain", "cake"), "not in the library"),
        (("nutrition", "correct", "cake", "7"), "meals nutrition foods"),
        (("import", "usda", str(file)), "holds no food"),
    ):
        done = meals(*command)
        assert done.returncode == 1, command
        assert hint in done.stderr, done.stderr


def test_all_of_usda_comes_in_once(meals: Meals) -> None:
    file = str(shared_data("usda-sr28.jsonl.gz"))
    assert "8,789 foods brought in, 0 left out" in meals("import", "usda", file).stdout
    assert "nothing new" in meals("import", "usda", file).stdout
    assert "Tomatillos, raw" in meals("nutrition", "foods", "tomatillo").stdout
