"""Topic `notification`: what a person is to be told, and whether it got out.

What becomes of it never makes the command that led to it fail.
"""

from typing import Literal

from pydantic import Field

from .base import Event
from .values import PersonId

Kind = Literal["weekly_plan", "daily_summary", "deviation"]
Period = Field(pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z_]+)?$")
"""A day, or the Monday of a week; of a deviation, the day and the nutrient."""
STREAM = "notification/{person}/{kind}/{period}"


class NotificationRequested(Event, topic="notification", stream=STREAM):
    """A person is to be told something: once for each kind and period."""

    examples = [
        {
            "person": "ada",
            "kind": "deviation",
            "period": "2026-11-23.protein_g",
            "title": "Protein was 22 % below your target",
            "text": "On 23 November 2026, over the days of the week before it.",
        }
    ]

    person: PersonId
    kind: Kind
    period: str = Period
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(max_length=8_000)


class NotificationSent(Event, topic="notification", stream=STREAM):
    """It was handed over; `by`: the kind of address, as mailto."""

    examples = [{"person": "ada", "kind": "deviation", "period": "2026-11-23.protein_g", "by": "mailto"}]

    person: PersonId
    kind: Kind
    period: str = Period
    by: str = Field(max_length=64)


class NotificationFailed(Event, topic="notification", stream=STREAM):
    """It was not sent, or nobody knows whether it was; it is not tried again."""

    examples = [{"person": "ada", "kind": "weekly_plan", "period": "2026-11-23", "reason": "no address is set for ada"}]

    person: PersonId
    kind: Kind
    period: str = Period
    reason: str = Field(max_length=500)
