"""Made-up recipes whose macronutrients go together as in real ones: 22 kinds of dish over 92 foods.

foods.tsv: what 100 g hold, typical of USDA's. dishes.tsv: the meals of a kind (B, L, D, S), how often it comes,
minutes, and its parts as "role least-most probability" in grams a serving. The same seed gives the same library.
"""

import csv
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from meal_assets.contracts.values import Meal, Nutrients
from meal_assets.domain.plan import Dish

MEALS: dict[str, Meal] = {"B": "breakfast", "L": "lunch", "D": "dinner", "S": "snack"}
Part = tuple[str, int, int, float]
"""Role of the food, least and most grams a serving, and how likely it is in the dish."""


class Template(NamedTuple):
    """A kind of dish: its meals, how often it comes, minutes, what it is made of, its name."""

    meals: str
    weight: float
    minutes: tuple[int, int]
    parts: tuple[Part, ...]
    name: str


MOST_G = {"soy sauce": 15, "pesto": 35, "curry paste": 35, "coconut milk": 120, "dark chocolate": 25}
TIMES = {"potato": 3.0, "sweet potato": 3.0, "lentils dry": 0.5, "coconut milk": 1.5}
"""As much of it as of others with its role."""
LEAST_KCAL = 60


def _rows(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


@cache
def _foods() -> dict[str, list[tuple[str, list[float]]]]:
    """Role -> foods with kcal, protein, carbohydrates, fat, fibre, sodium (mg) and sugar of 100 g."""
    found: dict[str, list[tuple[str, list[float]]]] = {}
    for row in _rows("foods.tsv"):
        found.setdefault(row["role"], []).append((row["food"], [float(v) for v in list(row.values())[1:8]]))
    return found


@cache
def _templates() -> list[Template]:
    found = []
    for row in _rows("dishes.tsv"):
        parts = []
        for part in row["parts"].split(","):
            role, grams, *likely = part.split()
            least, most = map(int, grams.split("-"))
            parts.append((role, least, most, float(likely[0]) if likely else 1.0))
        quickest, slowest = map(int, row["minutes"].split("-"))
        found.append(Template(row["meals"], float(row["weight"]), (quickest, slowest), tuple(parts), row["name"]))
    return found


def library(size: int, seed: int = 1, dislike: float = 5.0) -> list[Dish]:
    """So many dishes; a dish that nobody likes costs `dislike`, most about a third of it."""
    random = Random(seed)
    weights = [t.weight for t in _templates()]
    dishes: list[Dish] = []
    while len(dishes) < size:
        (template,) = random.choices(_templates(), weights)
        amounts: dict[str, tuple[float, list[float]]] = {}
        for role, least, most, likely in template.parts:
            if random.random() < likely:
                food, per_100_g = random.choice(_foods()[role])
                grams = min(TIMES.get(food, 1.0) * random.uniform(least, most), MOST_G.get(food, 1_000))
                amounts.setdefault(food, (grams, per_100_g))
        held = [sum(g * per[n] / 100 for g, per in amounts.values()) for n in range(7)]
        if held[0] < LEAST_KCAL:
            continue
        salt_mg = random.uniform(0, 400 if set("LD") & set(template.meals) else 80)
        kcal, protein, carbs, fat, fiber, sodium, sugar = (round(x, 1) for x in held)
        number = len(dishes)
        dishes.append(
            Dish(
                f"dish-{number:05}",
                f"{template.name}: {', '.join(amounts)}",
                frozenset(MEALS[m] for m in template.meals),
                Nutrients(
                    kcal=kcal, protein_g=protein, carbs_g=carbs, fat_g=fat,
                    fiber_g=fiber, sodium_mg=sodium + round(salt_mg, 1), sugar_g=sugar,
                ),
                random.randint(*template.minutes),
                cost=round(dislike * (1 - random.betavariate(4, 2.5)), 2),
            )
        )  # fmt: skip
    return dishes
