"""Topic `notification`: whether what a person is to be told got out.

What becomes of it never makes the command that led to it fail.
"""

from typing import Any

from pydantic import Field

from .base import Event
from .notification_request import STREAM, Kind, Period
from .values import PersonId


class NotificationSent(Event, topic="notification", stream=STREAM, version=4):
    """It was handed over; `by`: the kind of address, as mailto."""

    examples = [{"person": "ada", "kind": "deviation", "period": "2026-11-23.protein_g", "by": "mailto"}]

    person: PersonId
    kind: Kind
    period: str = Period
    by: str = Field(max_length=64)

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


class NotificationFailed(Event, topic="notification", stream=STREAM, version=4):
    """It was not sent, or nobody knows whether it was; it is not tried again."""

    examples = [{"person": "ada", "kind": "weekly_plan", "period": "2026-11-23", "reason": "no address is set for ada"}]

    person: PersonId
    kind: Kind
    period: str = Period
    reason: str = Field(max_length=500)

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
