"""A reference food: what 100 g of it hold, what its household portions weigh, and what recipes call it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from meal_assets.contracts.values import Nutrients

NUTRIENTS = tuple(Nutrients.model_fields)


@dataclass(frozen=True, slots=True)
class Portion:
    """How many grams one of a unit weighs; the unit as its source writes it: `cup, chopped`, `medium`."""

    unit: str
    grams: float


@dataclass(frozen=True, slots=True)
class Food:
    """`food` is its id: a FoodData Central number, `ndb:` and an NDB number where it has none, or `off:` and a barcode.

    `names` are what recipes call this very food, `like` what is near enough where nothing nearer is known.
    `refuse_pct` of a food as bought is bone, peel, stone; `brand` where one maker's product is meant.
    """

    food: str
    description: str
    group: str
    per_100g: Nutrients
    portions: tuple[Portion, ...] = ()
    refuse_pct: float = 0.0
    names: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    brand: bool = False

    @property
    def source(self) -> str:
        """`usda` or `openfoodfacts`."""
        return "openfoodfacts" if self.food.startswith("off:") else "usda"


def to_json(food: Food) -> str:
    """One line of canonical JSON: the same food is always the same text."""
    row: dict[str, Any] = {
        "food": food.food,
        "description": food.description,
        "group": food.group,
        "per_100g": [_short(getattr(food.per_100g, n)) for n in NUTRIENTS],
    }
    if food.portions:
        row["portions"] = [[p.unit, _short(p.grams)] for p in food.portions]
    row |= {k: v for k in ("refuse_pct", "names", "like", "brand") if (v := getattr(food, k))}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _short(number: float | None) -> float | None:
    """3.0 as 3: a third of a file is such zeros."""
    return int(number) if number is not None and number == int(number) else number


def from_json(line: str) -> Food:
    """The food of one line. Raises ValueError, KeyError or TypeError for anything else."""
    row = json.loads(line)
    return Food(
        food=row["food"],
        description=row["description"],
        group=row["group"],
        per_100g=Nutrients(**dict(zip(NUTRIENTS, row["per_100g"], strict=True))),
        portions=tuple(Portion(unit, float(grams)) for unit, grams in row.get("portions", ())),
        refuse_pct=row.get("refuse_pct", 0.0),
        names=tuple(row.get("names", ())),
        like=tuple(row.get("like", ())),
        brand=row.get("brand", False),
    )


@dataclass(frozen=True, slots=True)
class FoodSet:
    """Foods by id, and the hash that stands for exactly these."""

    foods: tuple[Food, ...]
    sha256: str = field(default="")

    @classmethod
    def of(cls, foods: Iterable[Food]) -> "FoodSet":
        """The foods by id, of several with one id the last, with the hash of their canonical lines."""
        by_id = {food.food: food for food in foods}
        ordered = tuple(by_id[food] for food in sorted(by_id))
        return cls(ordered, sha256("".join(f"{to_json(f)}\n" for f in ordered).encode()).hexdigest())
