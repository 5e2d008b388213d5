"""Hold each closed day against its targets."""

from collections.abc import Iterator
from datetime import date, timedelta

from meal_assets.contracts.diary import DayClosed, DiaryDayObserved, MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, DeviationAlerted
from meal_assets.contracts.values import Macros
from meal_assets.domain import diary
from meal_assets.domain.candidates import usable
from meal_assets.domain.reconciliation import WINDOW_DAYS, Dish, reconcile_day
from meal_assets.domain.targets import targets
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .library import computed_at, recipes_at


class Reconcile(Consumer):
    """Compares a day with its targets when it is closed, and again when a closed day is changed."""

    listens_to = (DayClosed, DiaryDayObserved, MealLogged, MealLogCorrected, MealLogRetracted)
    says = (DayReconciled, DeviationAlerted, AdjustmentSuggested)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        event = recorded.event
        assert isinstance(event, DayClosed | DiaryDayObserved | MealLogged | MealLogCorrected | MealLogRetracted)
        if self._closed_total(event.person, event.day, recorded, log) is None:
            return
        eaten = self._closed_days(event.person, event.day, recorded, log)
        stream = f"{recorded.household}/profile/{event.person}"
        profile = log.read_person(stream, recorded.household, event.person, until=recorded.position)
        stands = targets([r.event for r in profile], on=event.day)
        if stands is None:
            return
        stream = f"{recorded.household}/reconciliation/{event.person}/{event.day}"
        said = log.read_person(stream, recorded.household, event.person)
        before = [r.event for r in said if r.causation_id != recorded.event_id]
        looks, _ = usable(
            recipes_at(recorded, log),
            computed_at(recorded, log),
            dict.fromkeys(stands.exclude, "excluded"),
            dict.fromkeys(stands.diets, "a diet"),
        )
        recipes = [look.recipe for look in looks]
        dishes = [Dish(r.recipe, r.title, r.per_serving) for r in recipes if r.per_serving is not None]
        for new in reconcile_day(event.person, event.day, eaten, stands, before, dishes):
            yield Said(new)

    def _closed_days(self, person: str, day: date, recorded: Recorded, log: EventStore) -> dict[date, Macros]:
        """Totals of the days of the week ending at `day` whose diary is complete and not empty."""
        window = [day - timedelta(days=back) for back in range(WINDOW_DAYS)]
        totals = {each: self._closed_total(person, each, recorded, log) for each in window}
        return {each: total for each, total in totals.items() if total is not None}

    def _closed_total(self, person: str, day: date, recorded: Recorded, log: EventStore) -> Macros | None:
        stream = f"{recorded.household}/diary/{person}/{day}"
        history = [r.event for r in log.read_person(stream, recorded.household, person, until=recorded.position)]
        return diary.day_total(history) if diary.is_closed(history) and not diary.is_empty(history) else None
