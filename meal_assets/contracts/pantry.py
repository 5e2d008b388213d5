"""Topic `pantry`: what is at home already."""

from datetime import date

from pydantic import Field

from .base import Event
from .nutrition import FoodId
from .values import Amount

PANTRY_KEY = r"^[a-z0-9][a-z0-9-]{0,127}$"


class PantryItemStocked(Event, topic="pantry", stream="pantry/{key}", stays=True):
    """Something came into the house: so much of a unit (g, ml, piece or a word of its own)."""

    examples = [
        {
            "key": "carrot",
            "item": "carrots",
            "quantity": 6,
            "unit": "piece",
            "food": "170393",
            "grams": 366,
            "expires": "2026-11-30",
        },
        {"key": "salmon-fillet", "item": "salmon fillets", "quantity": 400, "unit": "g", "grams": 400, "frozen": True},
    ]

    key: str = Field(pattern=PANTRY_KEY)
    """What the item is known by, however it is spelled."""
    item: str = Field(min_length=1, max_length=255)
    quantity: Amount
    unit: str = Field(max_length=64)
    food: FoodId | None = Field(default=None, max_length=64)
    grams: Amount | None = None
    """What all of it weighs, where the food itself tells."""
    expires: date | None = None
    """The last day on which it is good."""
    frozen: bool = False


class PantryItemUsed(Event, topic="pantry", stream="pantry/{key}", stays=True):
    """So much of it was used or thrown away: of what expires first."""

    examples = [{"key": "carrot", "item": "carrots", "quantity": 2, "unit": "piece"}]

    key: str = Field(pattern=PANTRY_KEY)
    item: str = Field(min_length=1, max_length=255)
    quantity: Amount
    unit: str = Field(max_length=64)
