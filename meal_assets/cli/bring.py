"""`meals import`: bringing in what lies in files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from meal_assets.foods.usda import ReadFoods
    from meal_assets.imports.rows import BadRow

imports = typer.Typer(help="Bring in recipes, foods, a diary or weigh-ins from a file.", no_args_is_help=True)
SHOWN = 20
"""Bad rows printed; the others are counted."""

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The file to read.")]


def add_to(app: typer.Typer) -> None:
    app.add_typer(imports, name="import")


@imports.command()
def recipes(file: File) -> None:
    """Recipes: JSON lines (one a line, .gz too) of schema.org Recipe, or of the starter library's shape.

    A recipe that cannot be read is reported with its line and skipped. The same file again says nothing new.
    """
    from meal_assets.commands.recipes import request_recipes
    from meal_assets.contracts.recipe import RecipesFetched
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Permanent

    from .session import console, session

    with session() as s:
        accepted = request_recipes(s.store, file.name, file.read_bytes(), s.origin())
        s.settle(f"Reading {file.name}")
        followed = s.store.read_correlation(accepted.correlation_id)
        for letter in (r.event for r in followed if isinstance(r.event, DeadLettered)):
            raise Permanent(f"{file.name} could not be read: {letter.error}")
        for done in (r.event for r in followed if isinstance(r.event, RecipesFetched)):
            if accepted.events == 0:
                console.print(f"{file.name} was imported before: nothing new. What it gave then:")
            console.print(
                f"{done.read:,} read: {done.fetched:,} new or changed,"
                f" {done.unchanged:,} unchanged, {done.rejected:,} left out"
            )
            _print_findings([(f.line, f.field, f.reason, f.skipped) for f in done.findings])


@imports.command()
def diary(file: File) -> None:
    """A diary: CSV (.gz too) with person, date, meal, food, kcal, protein_g, carbs_g, fat_g and more.

    Each day of the file is logged and closed, so that it is reconciled. The same file again says nothing new.
    """
    from meal_assets.imports.diary import import_diary

    from .session import console, progress, session

    with session() as s:
        with progress() as bar:
            task = bar.add_task(f"Reading {file.name}", total=None)
            done = import_diary(
                s.store, file.read_bytes(), s.origin(), lambda n, of: bar.update(task, completed=n, total=of)
            )
        s.settle("Adding up")
        console.print(f"{done.read:,} read, {done.events:,} events appended, {len(done.bad):,} rows left out")
        _print_bad(done.bad)


@imports.command()
def weights(file: File) -> None:
    """Weigh-ins: CSV (.gz too) with person, date, weight_kg (or weight_lb), and fat_pct where known."""
    from meal_assets.imports.weights import import_weights

    from .session import console, progress, session

    with session() as s:
        with progress() as bar:
            task = bar.add_task(f"Reading {file.name}", total=None)
            done = import_weights(
                s.store, file.read_bytes(), s.origin(), lambda n, of: bar.update(task, completed=n, total=of)
            )
        s.settle("Smoothing")
        console.print(f"{done.read:,} read, {done.events:,} events appended, {len(done.bad):,} rows left out")
        _print_bad(done.bad)


@imports.command()
def usda(file: File) -> None:
    """Reference foods: a CSV zip of USDA FoodData Central (not the branded one), or JSON lines (.gz too).

    Recipes without believable nutrition are computed again with them. The same foods again say nothing new.
    """
    from meal_assets.foods.usda import read_usda

    _bring_foods("usda", file, read_usda)


@imports.command()
def products(file: File) -> None:
    """Packaged products: JSON lines (.gz too) of Open Food Facts, a product a line.

    A product that Open Food Facts itself finds wrong, or without energy and macronutrients, is left out.
    """
    from meal_assets.foods.products import read_products

    _bring_foods("openfoodfacts", file, read_products)


def _bring_foods(source: Literal["usda", "openfoodfacts"], file: Path, read: "Callable[[bytes], ReadFoods]") -> None:
    from meal_assets.commands.foods import import_foods

    from .session import console, progress, session

    with session() as s:
        with progress() as bar:
            bar.add_task(f"Reading {file.name}", total=None)
            foods = read(file.read_bytes())
            accepted = import_foods(s.store, source, file.name, foods, s.origin())
        s.settle("Computing recipes")
        new = "brought in" if accepted.events else "known already: nothing new"
        console.print(f"{len(foods.foods):,} foods {new}, {foods.rejected:,} left out")
        for where, why in foods.findings[:SHOWN]:
            console.print(f"  {where}, {why} ([red]left out[/])", highlight=False)
        if foods.rejected > SHOWN:
            console.print(f"  … and {foods.rejected - SHOWN:,} more")


def _print_bad(bad: "list[BadRow]") -> None:
    _print_findings([(b.line, b.field, b.reason, True) for b in bad])


def _print_findings(findings: list[tuple[int, str, str, bool]]) -> None:
    from .session import console

    for line, field, reason, skipped in findings[:SHOWN]:
        what = "[red]left out[/]" if skipped else "[yellow]in without it[/]"
        console.print(f"  line {line}, {field}: {reason} ({what})", highlight=False)
    if len(findings) > SHOWN:
        console.print(f"  … and {len(findings) - SHOWN:,} more")
