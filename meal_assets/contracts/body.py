"""Topic `body`: what the scale says."""

from datetime import date

from pydantic import Field

from .base import Event
from .values import PersonId


class WeightRecorded(Event, topic="body", stream="body/{person}"):
    """A weigh-in. A later one for the same day replaces it."""

    examples = [
        {"person": "ada", "day": "2026-11-22", "weight_kg": 64.2},
        {"person": "ada", "day": "2026-11-23", "weight_kg": 63.9, "fat_pct": 24.5},
        {"person": "ada", "day": "2026-11-20", "weight_kg": 64.4},
    ]

    person: PersonId
    day: date
    weight_kg: float = Field(ge=20, le=400)
    fat_pct: float | None = Field(default=None, gt=0, lt=100)
