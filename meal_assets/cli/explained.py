"""How a recipe's figures came about, and foods, as people look at them on a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.domain.nutrition import Computed, Food, Part, nutrients_of

FIGURES = (("kcal", "kcal"), ("protein_g", "protein g"), ("carbs_g", "carbs g"), ("fat_g", "fat g"))


def explained_table(recipe: RecipeFetched, done: Computed) -> Table:
    """A row for each food of each line."""
    table = Table(title=f"{recipe.title} ({recipe.recipe})", title_justify="left", show_lines=True)
    for name in ("line", "read as", "grams", "food", "next best"):
        table.add_column(name, justify="right" if name == "grams" else "left")
    table.add_column("kcal", justify="right")
    for part in done.parts:
        table.add_row(*_cells(part))
    return table


def per_serving_table(recipe: RecipeFetched, done: Computed) -> Table:
    """A serving as computed beside what is published."""
    makes = f" (makes {recipe.servings:g})" if recipe.servings else ""
    table = Table(title=f"A serving{makes}", title_justify="left")
    table.add_column("")
    for _, name in FIGURES:
        table.add_column(name, justify="right")
    for told, holds in (("computed", done.per_serving), ("published", recipe.per_serving)):
        figures = [f"{getattr(holds, field):,.1f}" for field, _ in FIGURES] if holds else ["–"] * len(FIGURES)
        table.add_row(told, *figures)
    return table


def foods_table(foods: Sequence[Food]) -> Table:
    """Foods with what 100 g of them hold."""
    table = Table("food", "description", "group")
    for _, name in FIGURES:
        table.add_column(name, justify="right")
    for food in foods:
        figures = [f"{getattr(food.per_100g, field):,.1f}" for field, _ in FIGURES]
        table.add_row(food.food, Text(food.description), food.group, *figures)
    return table


def _cells(part: Part) -> list[Text]:
    match = part.match
    if match is None:
        style = "dim" if part.aside else "yellow"
        return [Text(part.text), Text(part.name), Text(""), Text(part.rule, style=style), Text(""), Text("")]
    why = f"{match.by}, {match.score:.2f}" if not part.corrected else match.by
    food = Text.assemble(match.food.description, "\n", (f"{match.food.food} · {why}", "dim"))
    second = Text(f"{match.second.description}, {match.second_score:.2f}" if match.second else "", style="dim")
    grams = Text.assemble(f"{part.grams:,.0f} g\n", (part.rule, "dim"))
    kcal = nutrients_of(match.food, part.grams)["kcal"] or 0.0
    return [Text(part.text), Text(part.name), grams, food, second, Text(f"{kcal:,.0f}")]
