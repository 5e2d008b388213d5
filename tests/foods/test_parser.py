"""Reading ingredient lines: without a network, and as people mean them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.labelled import accuracy, labelled
from meal_assets.domain.nutrition.reading import Measure, Reading
from meal_assets.foods.parser import MAX_LINE, TAGGER, read_lines
from tests.shared_data import shared_data

OFFLINE = """
import socket, urllib.request

def refuse(*_, **__):
    raise AssertionError("the network was asked")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = urllib.request.urlopen = refuse
import nltk.downloader
nltk.downloader.Downloader.download = refuse
from meal_assets.foods.parser import read_lines
(reading,) = read_lines(["2 cups rolled oats"])
assert reading.names == ("rolled oats",), reading
"""


def read(line: str) -> Reading:
    (reading,) = read_lines([line])
    return reading


def measures(line: str) -> list[tuple[float, float, str]]:
    return [(m.low, m.high, m.unit) for m in read(line).measures]


def test_nothing_is_fetched_to_read_a_line(tmp_path: object) -> None:
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run([sys.executable, "-c", OFFLINE], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SHARED = """
import pathlib, sys
from meal_assets.foods import parser
parser.TAGGER = pathlib.Path(sys.argv[1])
(reading,) = parser.read_lines(["2 cups rolled oats"])
assert reading.names == ("rolled oats",), reading
"""


def test_a_line_is_read_where_the_whole_group_may_write_what_is_installed(tmp_path: Path) -> None:
    installed = shutil.copytree(TAGGER, tmp_path / "tagger")
    for path in (installed, *installed.rglob("*")):
        path.chmod(path.stat().st_mode | 0o020)
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", SHARED, str(installed)]
    done = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_parser_is_not_imported_before_a_line_is_read() -> None:
    script = "import sys, meal_assets.foods.parser; assert not {'nltk', 'ingredient_parser', 'pint'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_warnings_stay_as_the_program_set_them() -> None:
    script = (
        "import warnings\nfrom meal_assets.foods.parser import read_lines\nbefore = list(warnings.filters)\n"
        "list(read_lines(['1 egg']))\nassert warnings.filters == before"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("3-4 cloves garlic, minced", [(3, 4, "cloves")]),
        ("▢ 2 eggs", [(2, 2, "")]),
        ("half an onion", [(0.5, 0.5, "")]),
        ("4 dozen clams", [(48, 48, "")]),
        ("a dozen eggs", [(12, 12, "")]),
        ("Scant ½ cup sugar", [(0.5, 0.5, "cups")]),
        ("1 14- ounce can of coconut milk", [(1, 1, "can"), (14, 14, "ounces")]),
        ("salt and pepper to taste", []),
    ],
)
def test_amounts_are_read_as_people_write_them(line: str, found: list[tuple[float, float, str]]) -> None:
    assert measures(line) == found


def test_an_amount_in_two_parts_is_one_sum() -> None:
    assert [(m.low, m.unit, m.join) for m in read("1 cup plus 2 tablespoons flour").measures] == [
        (1, "cup", ""),
        (2, "tablespoons", "+"),
    ]


def test_what_each_piece_weighs_is_told_from_what_all_weigh() -> None:
    assert [m.each for m in read("4 chicken breasts (about 6 oz each)").measures] == [False, True]
    assert [m.each for m in read("1 cup (120 g) flour").measures] == [False, False]


def test_alternatives_are_told_from_parts() -> None:
    assert (read("1/2 cup butter or margarine").names, read("1/2 cup butter or margarine").all_names) == (
        ("butter", "margarine"),
        False,
    )
    assert read("salt and pepper").all_names


@pytest.mark.parametrize(
    "line", ["", " ", "½", "(", "1/0 cup", "🥕🥕", "x" * 10_000, "1 " * 5_000, "大さじ2", "\u200b"]
)
def test_no_line_stops_the_reader(line: str) -> None:
    assert isinstance(read(line), Reading)


def test_a_story_is_read_to_its_limit_only() -> None:
    assert read("1 cup sugar, " + "well stirred " * 1_000).measures == read("1 cup sugar").measures
    assert len(read("1 cup sugar, " + "well stirred " * 1_000).preparation) <= MAX_LINE


def test_the_middle_of_a_range_is_meant() -> None:
    assert Measure(low=3, high=4).middle == 3.5


@pytest.mark.slow
def test_quantity_and_unit_are_right_on_97_of_100_labelled_sentences() -> None:
    labels = labelled(shared_data("ingredients-labelled.csv.gz"))
    assert accuracy(labels, read_lines(label.line for label in labels)) >= 0.97
