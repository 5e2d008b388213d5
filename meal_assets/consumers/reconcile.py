"""Hold each closed day against its targets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from meal_assets.contracts import Event
from meal_assets.contracts.diary import DayClosed, DiaryDayObserved, MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, DeviationAlerted
from meal_assets.contracts.values import Macros
from meal_assets.domain import diary
from meal_assets.domain.reconciliation import WINDOW_DAYS, reconcile_day
from meal_assets.domain.rest_of_day import Dish
from meal_assets.domain.targets import targets
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said
from .problem import dishes_for

Diaries = Mapping[date, Sequence[Recorded]]


class Reconcile(Consumer):
    """Compares a day with its targets when it is closed, and again when it or a day of its average changes."""

    listens_to = (DayClosed, DiaryDayObserved, MealLogged, MealLogCorrected, MealLogRetracted)
    says = (DayReconciled, DeviationAlerted, AdjustmentSuggested)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        event = recorded.event
        assert isinstance(event, DayClosed | DiaryDayObserved | MealLogged | MealLogCorrected | MealLogRetracted)
        diaries = self._diaries(event.person, event.day, recorded, log)
        if _closed_total(diaries[event.day]) is None:
            return
        for new in self._of_the_day(event.person, event.day, diaries, recorded, log):
            yield Said(new)
        for day in sorted(diaries):
            if day > event.day and _closed_total(diaries[day]) is not None:
                for new in self._of_a_later_day(event.person, day, diaries, recorded, log):
                    yield Said(new)

    def _of_the_day(
        self, person: str, day: date, diaries: Diaries, recorded: Recorded, log: EventStore
    ) -> Sequence[Event]:
        stream = f"{recorded.household}/profile/{person}"
        profile = log.read_person(stream, recorded.household, person, until=recorded.position)
        stands = targets([r.event for r in profile], on=day)
        if stands is None:
            return []
        before = self._said_before(person, day, diaries, recorded, log)
        dishes = [
            Dish(d.recipe, d.title, d.per_serving, d.cost, d.meals)
            for d in dishes_for(person, day, recorded.household, recorded.position, log)
        ]
        eaten, versions = _window(day, diaries)
        version = profile[-1].stream_version
        return reconcile_day(person, day, eaten, stands, before, dishes, versions=versions, goals_version=version)

    def _of_a_later_day(
        self, person: str, day: date, diaries: Diaries, recorded: Recorded, log: EventStore
    ) -> Sequence[Event]:
        """What a late entry changes of a day whose average holds it, by the targets that the day was held against."""
        before = self._said_before(person, day, diaries, recorded, log)
        last = next((e for e in reversed(before) if isinstance(e, DayReconciled)), None)
        stream = f"{recorded.household}/profile/{person}"
        profile = log.read_person(stream, recorded.household, person, until=recorded.position)
        stands = targets([r.event for r in profile], on=day)
        if last is None or stands is None:
            return []
        held = replace(stands, macros=last.target, tolerance_pct=last.tolerance_pct)
        eaten, versions = _window(day, diaries)
        return reconcile_day(person, day, eaten, held, before, [], versions=versions, goals_version=last.goals_version)

    def _diaries(self, person: str, day: date, recorded: Recorded, log: EventStore) -> Diaries:
        """The days whose averages hold this one, and those that are in them, as they stood."""
        days = [day + timedelta(days=n) for n in range(1 - WINDOW_DAYS, WINDOW_DAYS)]
        told = log.read_days(
            self.listens_to, days, household=recorded.household, person=person, until=recorded.position
        )
        found: dict[date, list[Recorded]] = {each: [] for each in days}
        for one in told:
            found[one.event.day].append(one)  # type: ignore[attr-defined]  # each of these is of a day
        return found

    def _said_before(
        self, person: str, day: date, diaries: Diaries, recorded: Recorded, log: EventStore
    ) -> list[Event]:
        """What was said of a day because of earlier events: a first attempt at this one does not count."""
        stream = f"{recorded.household}/reconciliation/{person}/{day}"
        said = log.read_person(stream, recorded.household, person)
        earlier = {r.event_id for told in diaries.values() for r in told} - {recorded.event_id}
        return [r.event for r in said if r.causation_id in earlier]


def _window(day: date, diaries: Diaries) -> tuple[dict[date, Macros], dict[date, int]]:
    """Totals and versions of the days of the week ending at `day` whose diary is complete and not empty."""
    window = [day - timedelta(days=back) for back in range(WINDOW_DAYS)]
    totals = {each: total for each in window if (total := _closed_total(diaries[each])) is not None}
    return totals, {each: diaries[each][-1].stream_version for each in totals}


def _closed_total(told: Sequence[Recorded]) -> Macros | None:
    history = [r.event for r in told]
    return diary.day_total(history) if diary.is_closed(history) and not diary.is_empty(history) else None
