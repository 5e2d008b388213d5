"""What to buy for a week."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from meal_assets.contracts.kitchen import IngredientsWeighed, KnownFood
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.recipe import Ingredient, RecipeFetched
from meal_assets.contracts.shopping import ItemTicked, ItemUnticked
from meal_assets.domain.prep import batches
from meal_assets.domain.shopping import Item, Serving, Use, shopping_list
from meal_assets.event_store import Connection
from meal_assets.event_store.batch import Batch

from .base import ReadModel

Week = tuple[str, date]


class ShoppingList(ReadModel):
    """Ingredients of all planned portions, added up by food over units, with what is in the basket already.

    A recipe's lines are foods once they were weighed as they stand; before, only what its source told apart is.
    """

    # An item can be a recipe's whole line, longer than an index entry may be: `item_key` stands for it.

    version = 2
    listens_to = (PlanGenerated, RecipeFetched, IngredientsWeighed, ItemTicked, ItemUnticked)
    tables = {
        "shopping_list": """
            household text, week date, item text, unit text, quantity double precision, meals jsonb NOT NULL,
            grams double precision, uses jsonb NOT NULL, names jsonb NOT NULL, food jsonb,
            item_key text GENERATED ALWAYS AS (md5(item)) STORED, PRIMARY KEY (household, week, item_key, unit)""",
        "shopping_list_ticks": """
            household text, week date, item text,
            item_key text GENERATED ALWAYS AS (md5(item)) STORED, PRIMARY KEY (household, week, item_key)""",
        "shopping_list_meals": """
            household text, week date, day date, meal text, recipe text, title text NOT NULL,
            servings numeric NOT NULL, PRIMARY KEY (household, week, day, meal, recipe)""",
        "shopping_list_recipes": """
            household text, recipe text, makes numeric NOT NULL, ingredients jsonb NOT NULL,
            content_hash text NOT NULL, PRIMARY KEY (household, recipe)""",
        "shopping_list_weighed": """
            household text, recipe text, told jsonb NOT NULL, PRIMARY KEY (household, recipe)""",
    }
    made_of = {
        "item": ("RecipeFetched.ingredients", "IngredientsWeighed.wanted"),
        "unit": ("RecipeFetched.ingredients", "IngredientsWeighed.wanted"),
        "quantity": (
            *("RecipeFetched.ingredients", "RecipeFetched.servings"),
            *("IngredientsWeighed.wanted", "PlanGenerated.meals"),
        ),
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
                case IngredientsWeighed() as told:
                    batch.db.execute(
                        "INSERT INTO shopping_list_weighed VALUES (%s, %s, %s)"
                        " ON CONFLICT (household, recipe) DO UPDATE SET told = excluded.told",
                        (recorded.household, told.recipe, Jsonb(told.model_dump(mode="json"))),
                    )
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
                SELECT DISTINCT ON (household, recipe)
                       household, recipe, coalesce(servings, 1), ingredients, content_hash
                FROM {} AS fetched ORDER BY household, recipe, position DESC
                ON CONFLICT (household, recipe) DO UPDATE
                SET makes = excluded.makes, ingredients = excluded.ingredients, content_hash = excluded.content_hash
            """).format(batch.rows(RecipeFetched))
        )

    def _weeks_cooking_what_changed(self, batch: Batch) -> set[Week]:
        found: set[Week] = set()
        for kind in (RecipeFetched, IngredientsWeighed):
            rows: Any = batch.db.execute(
                sql.SQL(
                    "SELECT DISTINCT household, week FROM shopping_list_meals JOIN {} AS told USING (household, recipe)"
                ).format(batch.rows(kind))
            )
            found.update(rows)
        return found

    def _take_plan(self, batch: Batch, household: str, plan: PlanGenerated) -> None:
        batch.db.execute("DELETE FROM shopping_list_meals WHERE household = %s AND week = %s", (household, plan.week))
        with batch.db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO shopping_list_meals VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [(household, plan.week, b.day, b.meal, b.recipe, b.title, b.servings) for b in batches(plan.meals)],
            )

    def _write(self, batch: Batch, week: Week) -> None:
        rows: Any = batch.db.execute(
            "SELECT m.title, m.servings::float, r.makes::float, r.ingredients, m.recipe, m.day,"
            " CASE WHEN w.told->>'content_hash' = r.content_hash THEN w.told END"
            " FROM shopping_list_meals m JOIN shopping_list_recipes r USING (household, recipe)"
            " LEFT JOIN shopping_list_weighed w USING (household, recipe)"
            " WHERE m.household = %s AND m.week = %s ORDER BY m.recipe, m.day, m.meal",
            week,
        ).fetchall()
        servings = [
            Serving(
                title,
                amount,
                makes,
                tuple(Ingredient.model_validate(i) for i in ingredients),
                IngredientsWeighed.model_validate(told) if told else None,
                recipe,
                day,
            )
            for title, amount, makes, ingredients, recipe, day, told in rows
        ]
        batch.db.execute("DELETE FROM shopping_list WHERE household = %s AND week = %s", week)
        with batch.db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO shopping_list (household, week, item, unit, quantity, meals, grams, uses, names, food)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [(*week, *_row(item)) for item in shopping_list(servings)],
            )


def _row(item: Item) -> Iterable[Any]:
    uses = [[use.title, use.quantity, use.recipe, str(use.day)] for use in item.uses]
    food = item.food and Jsonb(item.food.model_dump(mode="json"))
    return (
        *(item.item, item.unit, item.quantity, Jsonb(list(item.meals)), item.grams),
        *(Jsonb(uses), Jsonb(list(item.names)), food),
    )


@dataclass(frozen=True, slots=True)
class ListItem:
    """A line of the list, and whether it is in the basket."""

    needed: Item
    ticked: bool

    @property
    def item(self) -> str:
        return self.needed.item


def items_of(db: Connection, household: str, week: date) -> list[ListItem]:
    """What the week needs, by name; what is in the basket already comes last."""
    rows: Any = db.execute(
        "SELECT l.item, quantity, unit, uses, names, food, grams, t.item IS NOT NULL AS ticked"
        " FROM read.shopping_list l"
        " LEFT JOIN read.shopping_list_ticks t USING (household, week, item)"
        " WHERE household = %s AND week = %s ORDER BY ticked, lower(l.item), unit",
        (household, week),
    )
    return [
        ListItem(
            Item(
                item,
                quantity,
                unit,
                tuple(Use(title, amount, recipe, date.fromisoformat(day)) for title, amount, recipe, day in uses),
                tuple(names),
                KnownFood.model_validate(food) if food else None,
                grams,
            ),
            ticked,
        )
        for item, quantity, unit, uses, names, food, grams, ticked in rows
    ]
