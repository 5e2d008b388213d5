"""Topic `notification_request`: what a person is to be told.

It stands apart from `notification` so that the graph has no cycle.
"""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from .base import Event, Value
from .values import Energy, PersonId

Kind = Literal["weekly_plan", "shopping_list", "weekly_report", "daily_summary", "deviation", "energy_goal", "check"]
Period = Field(pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)*$")
"""A day, or the Monday of a week; of a deviation, the day and the nutrient; of a check, the day, what was checked, and
`well` when it holds again."""
OPERATOR = "operator"
"""Who is told of checks: whoever has this name, and the household where nobody has."""
STREAM = "notification/{person}/{kind}/{period}"


class Picture(Value):
    """What to draw beside the text: energy day by day, as eaten and as it should be."""

    title: str = Field(min_length=1, max_length=200)
    unit: str = Field(max_length=64)
    eaten: dict[date, Energy] = Field(max_length=31)
    target: dict[date, Energy] = Field(default={}, max_length=31)


class NotificationRequested(Event, topic="notification_request", stream=STREAM, version=4):
    """A person is to be told something: once for each kind and period."""

    examples = [
        {
            "person": "ada",
            "kind": "deviation",
            "period": "2026-11-23.protein_g",
            "title": "Protein was 22 % below your target",
            "text": "On 23 November 2026, over the days of the week before it.",
        },
        {
            "person": "operator",
            "kind": "check",
            "period": "2026-11-23.dead_letters.no_open_dead_letters",
            "title": "Warning: dead_letters, no open dead letters",
            "text": "Does not hold: Nothing waits for somebody to retry or discard it.",
        },
        {
            "person": "ada",
            "kind": "weekly_report",
            "period": "2026-11-23",
            "title": "How your week of 23 November 2026 went",
            "text": "You logged 1 of 7 days.",
            "picture": {
                "title": "Week of 23 November 2026",
                "unit": "kcal a day",
                "eaten": {"2026-11-23": 1855},
                "target": {"2026-11-23": 2000},
            },
        },
    ]

    person: PersonId
    kind: Kind
    period: str = Period
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(max_length=8_000)
    picture: Picture | None = None
    """Goes along where the address takes attachments."""

    @classmethod
    def from_v1(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Had fewer kinds."""
        return payload

    @classmethod
    def from_v2(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Had no shopping list."""
        return payload

    @classmethod
    def from_v3(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """Had no energy goal."""
        return payload
