"""Say what people are to be told."""

from collections.abc import Iterator

from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.reconciliation import DayReconciled, DeviationAlerted
from meal_assets.domain.notifications import of_day, of_deviation, of_energy_goal, of_week
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said


class Announce(Consumer):
    """Tells who has an address of a new week, a closed day, a critical deviation and a goal that fits: once each."""

    listens_to = (PlanGenerated, DayReconciled, DeviationAlerted, EnergyGoalSuggested)
    says = (NotificationRequested,)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        for wanted in _wanted(recorded):
            if self.outside.address_of(wanted.person, recorded.household) is None:
                continue
            said = log.read_stream(wanted.stream_in(recorded.household))
            if all(r.causation_id == recorded.event_id for r in said if isinstance(r.event, NotificationRequested)):
                yield Said(wanted, key=wanted.person)


def _wanted(recorded: Recorded) -> list[NotificationRequested]:
    match recorded.event:
        case PlanGenerated() as plan:
            return of_week(plan)
        case DayReconciled() as day:
            return [of_day(day)]
        case DeviationAlerted(level="critical") as alert:
            return [of_deviation(alert)]
        case EnergyGoalSuggested() as suggested:
            return [of_energy_goal(suggested)]
    return []
