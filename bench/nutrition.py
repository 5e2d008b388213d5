"""Recipes whose publishers tell what a serving holds, computed from their ingredients: how far off, and how fast.

The peer is what recipe sites publish; nothing here or in the product was fitted to it. A recipe counts when its
macros agree with 4/4/9 (`atwater_ok`).
"""

import gzip
import json
import statistics
import sys
import time
from collections.abc import Iterable
from itertools import chain

from rich.console import Console
from rich.table import Table

from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.values import MACROS
from meal_assets.domain.nutrition import Computed, FoodIndex, Reading, compute, read_apart
from meal_assets.domain.recipes import read_recipe
from meal_assets.errors import Invalid
from meal_assets.foods.parser import read_lines
from meal_assets.foods.starter import starter_foods
from meal_assets.foods.usda import read_usda
from tests.shared_data import FOLDER

from .figures import Figure
from .labelled import labelled

KCAL_AIM, COVERAGE_AIM, COVERED = 0.15, 0.80, 0.9
LINES, SECONDS, CORES = 13_509, 60, 2


def run() -> list[Figure]:
    files = [FOLDER / n for n in ("recipes-real.jsonl.gz", "usda-sr28.jsonl.gz", "ingredients-labelled.csv.gz")]
    if missing := [f for f in files if not f.exists()]:
        print(f"no real data at {missing[0]}", file=sys.stderr)
        return []
    recipes = list(read_recipes(files[0].read_bytes()))
    list(read_lines(["1 cup flour"]))  # imports the parser
    began = time.process_time()
    named = {f.food: f for f in starter_foods().foods}
    index = FoodIndex([named.get(f.food, f) for f in read_usda(files[1].read_bytes()).foods])
    every = [i.line for r, _ in recipes for i in r.ingredients] + [label.line for label in labelled(files[2])]
    unique = list(dict.fromkeys(every))
    readings = dict(zip(unique, read_lines(unique), strict=True))
    for line in every:
        compute([readings[line]], 1, index)
    seconds = time.process_time() - began
    done = [(r, macros, _computed(r, readings, index)) for r, macros in recipes if macros]
    _show(done)
    covered = sum(c.coverage >= COVERED for _, _, c in done) / len(done)
    rate = len(every) / seconds
    least = LINES / SECONDS / CORES
    return [
        *(_error(done, name) for name in MACROS),
        Figure(
            "nutrition, recipes understood",
            covered * 100,
            f"% with coverage ≥ {COVERED}",
            f"≥ {COVERAGE_AIM:.0%}",
            covered >= COVERAGE_AIM,
        ),
        Figure(
            "nutrition, parsed and matched",
            rate,
            "lines/s of a core",
            f"≥ {least:.0f}: {LINES:,} in {SECONDS} s on {CORES}",
            rate >= least,
        ),
    ]


def read_recipes(content: bytes) -> Iterable[tuple[RecipeFetched, dict[str, float] | None]]:
    for line in gzip.decompress(content).decode().splitlines():
        row = json.loads(line)
        try:
            event = read_recipe(row).event
        except Invalid:
            continue
        yield event, row["macros"] if row.get("macros") and row.get("atwater_ok") else None


def _computed(recipe: RecipeFetched, readings: dict[str, Reading], index: FoodIndex) -> Computed:
    def read(ingredient: Ingredient) -> Reading:
        return read_apart(ingredient) or readings[ingredient.line]

    return compute([read(i) for i in recipe.ingredients], recipe.servings, index)


Done = list[tuple[RecipeFetched, dict[str, float], Computed]]


def _errors(done: Done, name: str, least: float = COVERED) -> tuple[list[float], list[float]]:
    """Relative and absolute errors of the recipes that were understood."""
    pairs = [
        (getattr(c.per_serving, name), macros[name])
        for _, macros, c in done
        if c.per_serving is not None and c.coverage >= least
    ]
    return [abs(ours - told) / told for ours, told in pairs if told], [abs(ours - told) for ours, told in pairs]


def _error(done: Done, name: str) -> Figure:
    median = statistics.median(_errors(done, name)[0])
    aim, holds = (f"≤ {KCAL_AIM:.0%}", median <= KCAL_AIM) if name == "kcal" else ("", True)
    return Figure(f"nutrition, median error of {name}", median * 100, "%", aim, holds)


def _show(done: Done) -> None:
    table = Table("", "recipes", *chain.from_iterable((f"{n}, %", f"{n}, absolute") for n in MACROS))
    for told, least in ((f"coverage ≥ {COVERED}", COVERED), ("any coverage", 0.0)):
        errors = [_errors(done, name, least) for name in MACROS]
        cells = chain.from_iterable((f"{statistics.median(r):.1%}", f"{statistics.median(a):.1f}") for r, a in errors)
        table.add_row(told, str(len(errors[0][1])), *cells)
    Console(file=sys.stderr).print(table)
