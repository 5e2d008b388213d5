"""Topic `recipe`: what a recipe says, each time it says something new."""

from typing import Literal

from pydantic import Field

from .base import Event, Value
from .values import Amount, Nutrients, RecipeId

MAX_FINDINGS = 1_000
"""A batch reports at most this many rows; its counts stay complete."""


class Ingredient(Value):
    """One line as written; quantity, unit and food only where the source gave them apart."""

    line: str = Field(min_length=1, max_length=2_000)
    quantity: Amount | None = None
    unit: str | None = Field(default=None, max_length=64)
    food: str | None = Field(default=None, max_length=255)


class RecipeFetched(Event, topic="recipe", stream="recipe/{recipe}", outcome="working", stays=True):
    """A recipe's whole content; said only when its content hash changed."""

    examples = [
        {
            "recipe": "overnight-oats",
            "title": "Overnight oats with blueberries",
            "servings": 2,
            "yields": "2 bowls",
            "prep_minutes": 10,
            "total_minutes": 10,
            "categories": ["Breakfast"],
            "ingredients": [
                {"line": "100 g rolled oats", "quantity": 100, "unit": "g", "food": "rolled oats"},
                {"line": "salt to taste"},
            ],
            "instructions": ["Stir.", "Leave overnight."],
            "per_serving": {"kcal": 362, "protein_g": 15.5, "carbs_g": 52, "fat_g": 9.5, "fiber_g": 7},
            "content_hash": "cd" * 32,
        },
        {
            "recipe": "lentil-soup",
            "title": "Lentil soup",
            "servings": 4,
            "ingredients": [
                {"line": "300 g red lentils", "quantity": 300, "unit": "g", "food": "red lentils"},
                {"line": "0.5 kg carrots", "quantity": 0.5, "unit": "kg", "food": "carrots"},
            ],
            "per_serving": {"kcal": 300, "protein_g": 20, "carbs_g": 40, "fat_g": 5},
            "content_hash": "ef" * 32,
        },
        {
            "recipe": "shakshuka",
            "title": "Shakshuka",
            "source_url": "https://kitchen.example/shakshuka",
            "site": "kitchen.example",
            "author": "Noa",
            "language": "en",
            "image_url": "https://kitchen.example/shakshuka.jpg",
            "servings": 2,
            "prep_minutes": 10,
            "cook_minutes": 20,
            "categories": ["Breakfast"],
            "cuisines": ["Maghrebi"],
            "keywords": ["eggs", "one pan"],
            "ingredients": [{"line": "4 eggs", "quantity": 4, "unit": "piece", "food": "eggs"}],
            "instructions": ["Simmer the tomatoes.", "Poach the eggs in them."],
            "per_serving": {
                **{"kcal": 320, "protein_g": 18, "carbs_g": 20, "fat_g": 18.5},
                **{"fiber_g": 5, "sugar_g": 12, "saturated_fat_g": 4.5, "sodium_mg": 480},
            },
            "content_hash": "0a" * 32,
        },
    ]

    recipe: RecipeId
    title: str = Field(min_length=1, max_length=500)
    source_url: str | None = Field(default=None, max_length=2_000)
    site: str | None = Field(default=None, max_length=255)
    author: str | None = Field(default=None, max_length=500)
    language: str | None = Field(default=None, max_length=35)
    image_url: str | None = Field(default=None, max_length=2_000)
    servings: float | None = Field(default=None, gt=0, le=10_000)
    yields: str | None = Field(default=None, max_length=255)
    prep_minutes: int | None = Field(default=None, ge=0, le=100_000)
    cook_minutes: int | None = Field(default=None, ge=0, le=100_000)
    total_minutes: int | None = Field(default=None, ge=0, le=100_000)
    categories: tuple[str, ...] = ()
    cuisines: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = Field(min_length=1, max_length=500)
    instructions: tuple[str, ...] = ()
    per_serving: Nutrients | None = None
    """As the source published it; None when it did not, or in a way that cannot be believed."""
    content_hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class Finding(Value):
    """What was not understood in a row or entry: it is left out when `skipped`, else it went in without the field."""

    line: int = Field(ge=1)
    entry: str | None = Field(default=None, max_length=255)
    """What the recipe is called in an archive; then `line` is its how-manieth entry."""
    field: str
    reason: str
    skipped: bool


class RecipesFetched(Event, topic="recipe", stream="recipe_request/{sha256}", stays=True):
    """The batch is complete: read = fetched + unchanged + rejected."""

    examples = [
        {
            "sha256": "ab" * 32,
            "read": 4,
            "fetched": 1,
            "unchanged": 1,
            "rejected": 2,
            "findings": [
                {"line": 3, "field": "title", "reason": "is missing", "skipped": True},
                {"line": 4, "entry": "soup.json", "field": "ingredients", "reason": "has no line", "skipped": True},
            ],
        }
    ]

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    read: int = Field(ge=0)
    fetched: int = Field(ge=0)
    unchanged: int = Field(ge=0)
    rejected: int = Field(ge=0)
    findings: tuple[Finding, ...] = Field(default=(), max_length=MAX_FINDINGS)


class RecipeRemoved(Event, topic="recipe", stream="recipe/{recipe}", outcome="working", stays=True):
    """A recipe is gone where it came from; what was planned and eaten of it stays."""

    examples = [{"recipe": "tofu-bowl", "reason": "deleted"}, {"recipe": "lentil-soup", "reason": "private"}]

    recipe: RecipeId
    reason: Literal["deleted", "private"]
    """`private`: somebody there keeps it to themselves now."""


class LeftOut(Value):
    """A recipe of a service that could not be read, and why."""

    recipe: RecipeId
    field: str
    reason: str


class RecipesSynced(Event, topic="recipe", stream="recipe_request/{source}"):
    """A service's recipes are in line: of `listed` ones that it has, `fetched` said something new."""

    examples = [
        {"source": "tandoor", "full": True, "listed": 448, "fetched": 446, "removed": 0,
         "rejected": 2, "left_out": [{"recipe": "tandoor-7", "field": "ingredients", "reason": "has no line"}]},
        {"source": "tandoor", "full": False, "listed": 447, "fetched": 2, "removed": 1, "rejected": 0},
    ]  # fmt: skip

    source: Literal["tandoor"]
    full: bool
    listed: int = Field(ge=0)
    fetched: int = Field(ge=0)
    removed: int = Field(ge=0)
    rejected: int = Field(ge=0)
    left_out: tuple[LeftOut, ...] = Field(default=(), max_length=MAX_FINDINGS)


class Note(Value):
    """What was not understood of a recipe: it came in without."""

    field: str
    reason: str


class RecipePageRead(Event, topic="recipe", stream="recipe_request/{page}", stays=True):
    """What came of a web page that was asked for: its recipe and what was not understood, or why there is none."""

    examples = [
        {"page": "ab" * 16, "result": "new", "recipe": "shakshuka-0a0a0a0a"},
        {"page": "ab" * 16, "result": "unchanged", "recipe": "shakshuka-0a0a0a0a",
         "findings": [{"field": "recipeYield", "reason": "'some' does not say how many servings"}]},
        {"page": "cd" * 16, "result": "left_out", "reason": "https://kitchen.example/soup answered with HTTP 404"},
    ]  # fmt: skip

    page: str = Field(pattern=r"^[0-9a-f]{32}$")
    result: Literal["new", "unchanged", "left_out"]
    recipe: RecipeId | None = None
    reason: str | None = Field(default=None, max_length=4_000)
    findings: tuple[Note, ...] = Field(default=(), max_length=MAX_FINDINGS)
