"""The suggested goal becomes the goal by itself, for whom that is wanted."""

from collections.abc import Iterator

from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.profile import GoalSet
from meal_assets.domain.energy_goal import accept
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .library import is_on

FLAG = "goals.automatic"


class AcceptEnergyGoal(Consumer):
    """Where the flag `goals.automatic` is on for the person: sets the goal that was suggested."""

    listens_to = (EnergyGoalSuggested,)
    says = (GoalSet,)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        suggested = recorded.event
        assert isinstance(suggested, EnergyGoalSuggested)
        if not is_on(log, FLAG, recorded.household, suggested.person):
            return
        stream = f"{recorded.household}/profile/{suggested.person}"
        history = log.read_person(stream, recorded.household, suggested.person, until=recorded.position)
        try:
            said = accept([r.event for r in history], suggested)
        except Invalid:
            return  # somebody set another goal in the meantime: that one holds
        for goal in said:
            yield Said(goal)
