"""The newest plan of a week and what was asked for: the pair that a week is planned anew, or explained, from."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar
from uuid import UUID

from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.errors import Invalid


class Happened(Protocol):
    """An event with what it followed from."""

    @property
    def event(self) -> Event: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def causation_id(self) -> UUID | None: ...


One = TypeVar("One", bound=Happened)


def newest_plan(history: Sequence[One], week: date) -> tuple[One, PlanRequested, PlanGenerated]:
    """Of a week's stream: the request in its envelope, the request, and the plan. Raises `Invalid` where nothing is."""
    planned = next((h for h in reversed(history) if isinstance(h.event, PlanGenerated)), None)
    asked = planned and next((h for h in history if h.event_id == planned.causation_id), None)
    if planned and asked and isinstance(planned.event, PlanGenerated) and isinstance(asked.event, PlanRequested):
        return asked, asked.event, planned.event
    raise Invalid("week", f"nothing is planned for the week of {week}: `meals plan {week}` first")
