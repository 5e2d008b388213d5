"""Asking for a week, and accepting it."""

from collections.abc import Sequence
from datetime import date

from meal_assets.contracts import Event
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested, PlanRules
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin

from .base import Accepted, command
from .profile import persons_of


def request_plan(
    store: EventStore, week: date, origin: Origin, *, persons: Sequence[str] = (), rules: PlanRules, seed: int = 0
) -> Accepted:
    """Ask for a plan of the week, for everybody of the household when nobody is named.

    Raises `Invalid` when the household is empty.
    """
    eaters = tuple(persons) or tuple(persons_of(store, origin.household))
    if not eaters:
        raise Invalid("persons", "nobody has a profile yet: `meals profile NAME` or `meals goals NAME` first")
    event = PlanRequested(week=week, persons=eaters, rules=rules, seed=seed)
    appended = store.append(event.stream_in(origin.household), [event], origin=origin)
    return Accepted(origin.correlation_id, appended.last, 1)


def accept_plan(store: EventStore, week: date, origin: Origin) -> Accepted:
    """Cook the week as it is planned. Said again, what is missing where it is published is published again.

    Raises `Invalid` when there is no plan.
    """
    event = PlanAccepted(week=week)

    def decide(history: list[Event]) -> list[Event]:
        if not any(isinstance(e, PlanGenerated) for e in history):
            raise Invalid("week", f"nothing is planned for the week of {week}: `meals plan {week}` first")
        return [event]

    return command(store, event.stream_in(origin.household), decide, origin)
