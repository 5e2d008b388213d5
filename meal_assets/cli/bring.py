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
    """Recipes: JSON lines (.gz too), exports of Tandoor, Mealie or Paprika, saved pages, a recipe written as text.

    JSON is schema.org's Recipe or our own shape; a text has a line Ingredients above these, and one above the steps.
    A recipe that cannot be read is reported with its line or name and skipped. The same file again says nothing new.
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
            _print_findings([(f.entry or f"line {f.line}", f.field, f.reason, f.skipped) for f in done.findings])


@imports.command()
def recipe(
    page: Annotated[str, typer.Argument(metavar="URL|FILE", help="The page's address, or the file it was saved as.")],
) -> None:
    """The recipe on a web page: by its address, or as a file (.html, or .json with JSON-LD).

    Pages are read from the open internet only. The same page again says nothing new, unless its recipe has changed.

    Example: meals import recipe https://kitchen.example/shakshuka
    """
    from meal_assets.commands.recipes import request_page
    from meal_assets.contracts.recipe import RecipePageRead
    from meal_assets.contracts.system import DeadLettered
    from meal_assets.errors import Invalid, Permanent, Unavailable

    from .session import console, session

    if "://" not in page:
        if not Path(page).is_file():
            raise Invalid("URL|FILE", f"there is no file {page}; the address of a page begins with https://")
        recipes(Path(page))
        return
    with session() as s:
        accepted, secret = request_page(s.store, page, s.origin())
        if secret:
            console.print(f"Asked for without what may be secret in the address: {', '.join(secret)}.", highlight=False)
        s.settle("Reading the page")
        followed = [r.event for r in s.store.read_correlation(accepted.correlation_id, accepted.position - 1)]
        for letter in (e for e in followed if isinstance(e, DeadLettered)):
            raise Permanent(f"the page could not be read: {letter.error}")
        done = next((e for e in followed if isinstance(e, RecipePageRead)), None)
        if done is None:
            raise Unavailable("the page was not read yet: ask for it again, or let `meals up` try it")
        if done.result == "left_out":
            raise Permanent(f"no recipe came of it. {done.reason}")
        known = "came in" if done.result == "new" else "is as it was: nothing new"
        console.print(f"{done.recipe} {known}", highlight=False)
        for note in done.findings[:SHOWN]:
            console.print(f"  {note.field}: {note.reason} ([yellow]in without it[/])", highlight=False)


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
    _print_findings([(f"line {b.line}", b.field, b.reason, True) for b in bad])


def _print_findings(findings: list[tuple[str, str, str, bool]]) -> None:
    from rich.markup import escape

    from .session import console

    for where, field, reason, skipped in findings[:SHOWN]:
        what = "[red]left out[/]" if skipped else "[yellow]in without it[/]"
        console.print(f"  {escape(where)}, {escape(field)}: {escape(reason)} ({what})", highlight=False)
    if len(findings) > SHOWN:
        console.print(f"  … and {len(findings) - SHOWN:,} more")
