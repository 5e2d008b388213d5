"""Topic `shopping`: what is in the basket already."""

from datetime import date

from pydantic import Field

from .base import Event


class ItemTicked(Event, topic="shopping", stream="shopping/{week}"):
    """An item of the week's list was put into the basket."""

    examples = [{"week": "2026-11-23", "item": "red lentils"}]

    week: date
    item: str = Field(min_length=1, max_length=2_000)


class ItemUnticked(Event, topic="shopping", stream="shopping/{week}"):
    """It was put back."""

    examples = [{"week": "2026-11-23", "item": "carrots"}]

    week: date
    item: str = Field(min_length=1, max_length=2_000)
