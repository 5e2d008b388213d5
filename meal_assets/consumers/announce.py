"""Say what people are to be told."""

from collections.abc import Iterator
from datetime import timedelta

from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.reconciliation import DayReconciled, DeviationAlerted
from meal_assets.domain.notifications import of_day, of_deviation, of_energy_goal, of_list, of_week
from meal_assets.domain.publication import list_of
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .library import last_said, recipes_of, weighed

AGAIN_DAYS = 7
"""A deviation that lasts is told again after so many days."""


class Announce(Consumer):
    """Tells each person who has an address, once each: a new week, what to buy for an accepted one, a closed day, a
    critical deviation (again after a week), a goal that fits better."""

    listens_to = (PlanGenerated, PlanAccepted, DayReconciled, DeviationAlerted, EnergyGoalSuggested)
    says = (NotificationRequested,)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        for wanted in _wanted(recorded, log):
            if self.outside.address_of(wanted.person, recorded.household) is None:
                continue
            said = log.read_stream(wanted.stream_in(recorded.household))
            if all(r.causation_id == recorded.event_id for r in said if isinstance(r.event, NotificationRequested)):
                yield Said(wanted, key=wanted.person)


def _wanted(recorded: Recorded, log: EventStore) -> list[NotificationRequested]:
    match recorded.event:
        case PlanGenerated() as plan:
            return of_week(plan)
        case PlanAccepted():
            return _list(recorded, log)
        case DayReconciled() as day:
            return [of_day(day)]
        case DeviationAlerted(level="critical") as alert:
            return [] if _told_lately(alert, recorded, log) else [of_deviation(alert)]
        case EnergyGoalSuggested() as suggested:
            return [of_energy_goal(suggested)]
    return []


def _told_lately(alert: DeviationAlerted, recorded: Recorded, log: EventStore) -> bool:
    """Whether the person was told within a week that this nutrient is as far off, to the same side."""
    days = [alert.day - timedelta(days=back) for back in range(1, AGAIN_DAYS)]
    told = log.read_days(
        (DeviationAlerted,), days, household=recorded.household, person=alert.person, until=recorded.position
    )
    same = [
        e
        for e in (r.event for r in told)
        if isinstance(e, DeviationAlerted)
        and (e.nutrient, e.level) == (alert.nutrient, alert.level)
        and e.deviation_pct * alert.deviation_pct > 0
    ]
    return any(log.read_stream(of_deviation(e).stream_in(recorded.household), recorded.position) for e in same)


def _list(accepted: Recorded, log: EventStore) -> list[NotificationRequested]:
    """What to buy for the week as it stood when it was accepted."""
    planned = last_said(log, accepted.stream, PlanGenerated, accepted.position)
    if planned is None:
        return []
    recipes = recipes_of(planned[1], accepted.household, log, accepted.position)
    lines = list_of(planned[1], recipes, weighed(log, accepted.household, recipes, accepted.position))
    return of_list(planned[1], [entry.line for entry in lines.values()])
