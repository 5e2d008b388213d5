"""What to buy for a week."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.domain.shopping import Serving, servings_of, shopping_list
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

Week = tuple[str, date]


class ShoppingList(ReadModel):
    """Ingredients of all planned portions, added up by food and unit, with what is in the basket already."""

    # An item can be a recipe's whole line, longer than an index entry may be: `item_key` stands for it.

    listens_to = (PlanGenerated, RecipeFetched, ItemTicked, ItemUnticked)
    tables = {
        "shopping_list": """
            household text, week date, item text, unit text, quantity double precision, meals jsonb NOT NULL,
            item_key text GENERATED ALWAYS AS (md5(item)) STORED, PRIMARY KEY (household, week, item_key, unit)""",
        "shopping_list_ticks": """
            household text, week date, item text,
            item_key text GENERATED ALWAYS AS (md5(item)) STORED, PRIMARY KEY (household, week, item_key)""",
        "shopping_list_meals": """
            household text, week date, recipe text, title text NOT NULL, servings numeric NOT NULL,
            PRIMARY KEY (household, week, recipe)""",
        "shopping_list_recipes": """
            household text, recipe text, makes numeric NOT NULL, ingredients jsonb NOT NULL,
            PRIMARY KEY (household, recipe)""",
    }
    made_of = {
        "item": ("RecipeFetched.ingredients",),
        "unit": ("RecipeFetched.ingredients",),
        "quantity": ("RecipeFetched.ingredients", "RecipeFetched.servings", "PlanGenerated.meals"),
    }
    shows = "SELECT week, item, quantity, unit, meals FROM shopping_list ORDER BY week DESC, item"

    def fold(self, batch: Batch) -> None:
        self._take_recipes(batch)
        weeks = self._weeks_cooking_what_changed(batch)
        for recorded in batch.events:
            match recorded.event:
                case PlanGenerated() as plan:
                    self._take_plan(batch, recorded.household, plan)
                    weeks.add((recorded.household, plan.week))
                case ItemTicked() as ticked:
                    batch.db.execute(
                        "INSERT INTO shopping_list_ticks VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                        (recorded.household, ticked.week, ticked.item),
                    )
                case ItemUnticked() as ticked:
                    batch.db.execute(
                        "DELETE FROM shopping_list_ticks WHERE household = %s AND week = %s AND item = %s",
                        (recorded.household, ticked.week, ticked.item),
                    )
        for week in sorted(weeks):
            self._write(batch, week)

    def _take_recipes(self, batch: Batch) -> None:
        batch.db.execute(
            sql.SQL("""
                INSERT INTO shopping_list_recipes
                SELECT DISTINCT ON (household, recipe) household, recipe, coalesce(servings, 1), ingredients
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE
                SET makes = excluded.makes, ingredients = excluded.ingredients
            """).format(batch.rows(RecipeFetched))
        )

    def _weeks_cooking_what_changed(self, batch: Batch) -> set[Week]:
        rows: Any = batch.db.execute(
            sql.SQL(
                "SELECT DISTINCT household, week FROM shopping_list_meals JOIN {} AS fetched USING (household, recipe)"
            ).format(batch.rows(RecipeFetched))
        )
        return set(rows)

    def _take_plan(self, batch: Batch, household: str, plan: PlanGenerated) -> None:
        batch.db.execute("DELETE FROM shopping_list_meals WHERE household = %s AND week = %s", (household, plan.week))
        with batch.db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO shopping_list_meals AS m VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (household, week, recipe) DO UPDATE SET servings = m.servings + excluded.servings",
                [(household, plan.week, m.recipe, m.title, servings_of(m.portions)) for m in plan.meals],
            )

    def _write(self, batch: Batch, week: Week) -> None:
        rows: Any = batch.db.execute(
            "SELECT m.title, m.servings::float, r.makes::float, r.ingredients"
            " FROM shopping_list_meals m JOIN shopping_list_recipes r USING (household, recipe)"
            " WHERE m.household = %s AND m.week = %s ORDER BY m.recipe",
            week,
        ).fetchall()
        servings = [
            Serving(title, amount, makes, tuple(Ingredient.model_validate(i) for i in ingredients))
            for title, amount, makes, ingredients in rows
        ]
        batch.db.execute("DELETE FROM shopping_list WHERE household = %s AND week = %s", week)
        with batch.db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO shopping_list VALUES (%s, %s, %s, %s, %s, %s)",
                [(*week, i.item, i.unit, i.quantity, Jsonb(list(i.meals))) for i in shopping_list(servings)],
            )


@dataclass(frozen=True, slots=True)
class ListItem:
    """A line of the list, with the dishes it is for."""

    item: str
    quantity: float | None
    unit: str
    meals: tuple[str, ...]
    ticked: bool


def items_of(db: Connection, household: str, week: date) -> list[ListItem]:
    """The week's list by name; what is in the basket already comes last."""
    rows = db.execute(
        "SELECT l.item, quantity, unit, meals, t.item IS NOT NULL AS ticked FROM read.shopping_list l"
        " LEFT JOIN read.shopping_list_ticks t USING (household, week, item)"
        " WHERE household = %s AND week = %s ORDER BY ticked, lower(l.item), unit",
        (household, week),
    )
    return [ListItem(item, quantity, unit, tuple(meals), ticked) for item, quantity, unit, meals, ticked in rows]
