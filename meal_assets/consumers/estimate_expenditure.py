"""What a person spends in a day, as weight and diary tell it, and a goal that fits it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from meal_assets.contracts import Event
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, DiaryDayObserved, MealLogCorrected, MealLogged, MealLogRetracted
from meal_assets.contracts.expenditure import EnergyGoalSuggested, ExpenditureEstimated
from meal_assets.contracts.profile import ProfileSet
from meal_assets.domain import diary
from meal_assets.domain.energy_goal import suggest
from meal_assets.domain.expenditure import WINDOW_DAYS, DiaryDay, counted, estimates, first_weight, prior_of, resting
from meal_assets.domain.targets import targets
from meal_assets.event_store import EventStore, Recorded

from .base import Consumer, Said

DIARY = (MealLogged, MealLogCorrected, MealLogRetracted, DiaryDayObserved, DayClosed)
FRESH_DAYS = 7
"""A weigh-in or a diary of longer ago says what was so then, and suggests nothing for now."""


class EstimateExpenditure(Consumer):
    """Estimates a person's expenditure at each weigh-in and closed day, and suggests another goal where it is sure.

    What is corrected later in a day before is taken in by the next weigh-in or closed day.
    """

    listens_to = (WeightRecorded, DayClosed)
    says = (ExpenditureEstimated, EnergyGoalSuggested)

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:
        event = recorded.event
        assert isinstance(event, WeightRecorded | DayClosed)
        days = [event.day - timedelta(days=back) for back in range(WINDOW_DAYS)]
        read = log.read_days(
            (WeightRecorded, *DIARY), days, household=recorded.household, person=event.person, until=recorded.position
        )
        told = [r.event for r in read]
        weights = {e.day: e.weight_kg for e in told if isinstance(e, WeightRecorded)}
        if not weights:
            return
        stream = f"{recorded.household}/profile/{event.person}"
        history = [r.event for r in log.read_person(stream, recorded.household, event.person, recorded.position)]
        profile = next((e for e in reversed(history) if isinstance(e, ProfileSet)), None)
        fats = {e.day: e.fat_pct for e in told if isinstance(e, WeightRecorded) and e.fat_pct is not None}
        fat_pct = fats[max(fats)] if fats else None
        since = min(weights)
        prior = prior_of(profile, first_weight(weights), fat_pct, since)
        intake = counted(_diary_days(told, since), prior.kcal, event.day)
        *_, now = estimates(weights, intake, prior, event.day)
        estimate = ExpenditureEstimated(
            person=event.person,
            day=event.day,
            weight_kg=round(now.weight_kg, 3),
            intake_kcal=intake.get(event.day),
            expenditure_kcal=round(now.kcal, 1),
            low_kcal=round(now.low_kcal, 1),
            high_kcal=round(now.high_kcal, 1),
            since=since,
            weigh_ins=len(weights),
            intake_days=len(intake),
            prior_kcal=round(prior.kcal, 1),
            prior_source=prior.source,
        )
        yield Said(estimate, key="estimate")
        holds = targets(history, on=event.day)
        if holds is None or (recorded.recorded_at.date() - event.day).days > FRESH_DAYS:
            return
        rest = resting(profile, now.weight_kg, fat_pct, event.day)
        suggested = suggest(
            estimate, profile, holds.macros, rest, _suggested_before(recorded, event.person, log), recorded.position
        )
        if suggested is not None:
            yield Said(suggested, key="goal")


def _diary_days(told: Sequence[Event], since: date) -> dict[date, DiaryDay]:
    """Each day from `since` on that has a diary."""
    days: dict[date, list[Event]] = {}
    for event in told:
        if isinstance(event, DIARY) and event.day >= since:
            days.setdefault(event.day, []).append(event)
    return {
        day: DiaryDay(diary.day_total(history).kcal, diary.is_closed(history))
        for day, history in days.items()
        if not diary.is_empty(history)
    }


def _suggested_before(recorded: Recorded, person: str, log: EventStore) -> list[EnergyGoalSuggested]:
    """What was suggested of the log up to here: a replay must not see what was said later."""
    said = log.read_person(f"{recorded.household}/energy_goal/{person}", recorded.household, person)
    return [
        r.event for r in said if isinstance(r.event, EnergyGoalSuggested) and r.event.log_position < recorded.position
    ]
