"""Makes the starter foods: figures out of USDA SR28, names out of starter_foods.txt.

`python -m making.starter_foods usda-sr28.jsonl.gz`. A line of the text is a USDA description, then what recipes call
the food (`~` before what it only stands in for), then what a piece, a bunch or a can of it weighs in grams.
"""

import sys
from dataclasses import replace
from pathlib import Path

from meal_assets.domain.nutrition.foods import Food, FoodSet, Portion, to_json
from meal_assets.foods.starter import starter_file
from meal_assets.foods.usda import read_compact

NAMES = Path(__file__).with_name("starter_foods.txt")
MAX_PORTIONS = 4


def named(food: Food, names: str, weights: str) -> Food:
    called = [name.strip() for name in names.split(",")]
    own = [weight.strip().split("=") for weight in weights.split(";") if weight.strip()]
    portions = (*(Portion(unit, float(grams)) for unit, grams in own), *food.portions)
    return replace(
        food,
        names=tuple(name for name in called if not name.startswith("~")),
        like=tuple(name[1:] for name in called if name.startswith("~")),
        portions=portions[: MAX_PORTIONS + len(own)],
    )


def main(file: Path) -> None:
    known: dict[str, Food] = {}
    for food in read_compact(file.read_bytes()).foods:
        known.setdefault(food.description, food)
    foods = []
    for line in NAMES.read_text(encoding="utf-8").splitlines():
        description, names, *weights = (part.strip() for part in line.split(" | "))
        foods.append(named(known[description], names, "".join(weights)))
    starter_file().write_text("".join(f"{to_json(f)}\n" for f in FoodSet.of(foods).foods), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
