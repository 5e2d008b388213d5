"""Sets of reference foods in the database: rows under the hash of their content, so that a set never changes."""

from collections.abc import Sequence

from meal_assets.domain.nutrition import Food, FoodSet, from_json, to_json
from meal_assets.errors import Permanent
from meal_assets.event_store import Connection, Database


def keep_foods(db: Connection, foods: FoodSet) -> None:
    """Write the rows of the set, once."""
    if db.execute("SELECT FROM log.foods WHERE food_set = %s LIMIT 1", (foods.sha256,)).rowcount:
        return
    with db.cursor().copy("COPY log.foods (food_set, food, description, told) FROM STDIN") as copy:
        for food in foods.foods:
            copy.write_row((foods.sha256, food.food, food.description, to_json(food)))


def kept_foods(database: Database, food_set: str) -> tuple[Food, ...]:
    """The foods of a set by id. Raises `Permanent` when they are not kept here."""
    with database.transaction() as db:
        rows = db.execute("SELECT told FROM log.foods WHERE food_set = %s", (food_set,)).fetchall()
    if not rows:
        raise Permanent(f"the foods {food_set} are not kept here: import their file again")
    return FoodSet.of(from_json(told) for (told,) in rows).foods


def newest(database: Database, food: str, food_sets: Sequence[str]) -> Food | None:
    """The food with this id out of the last of these sets that has it."""
    with database.transaction() as db:
        row = db.execute(
            "SELECT told FROM log.foods WHERE food = %s AND food_set = ANY(%s)"
            " ORDER BY array_position(%s::text[], food_set) DESC LIMIT 1",
            (food, list(food_sets), list(food_sets)),
        ).fetchone()
    return from_json(row[0]) if row else None
