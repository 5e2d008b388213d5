"""The control loop's view of a day."""

from datetime import date, timedelta

from meal_assets.contracts import Event
from meal_assets.contracts.reconciliation import AdjustmentSuggested, DayReconciled, DeviationAlerted
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.reconciliation import ReconciledDay, Reconciliation, reconciled_days, streaks

from .said import append, like

DAY = date(2026, 11, 23)


def days(store: EventStore, *events: Event) -> list[ReconciledDay]:
    append(store, *events)
    catch_up(Reconciliation(), store)
    with store.database.transaction() as db:
        return reconciled_days(db, "home", DAY, DAY)


def test_a_day_has_its_result_its_alerts_and_its_suggestions(store: EventStore) -> None:
    (day,) = days(
        store,
        like(DayReconciled),
        like(DeviationAlerted),
        like(DeviationAlerted, nutrient="kcal", level="warning"),
        like(AdjustmentSuggested),
    )
    assert (day.person, day.day, day.days, day.within_tolerance) == ("ada", DAY, 1, False)
    assert day.eaten == DayReconciled.examples[0]["eaten"]
    assert day.deviation == DayReconciled.examples[0]["deviation"]
    assert day.alerts == {"protein_g": "critical", "kcal": "warning"}
    assert [s["recipe"] for s in day.suggestions] == ["lentil-soup"]


def test_a_second_result_replaces_the_first_and_keeps_what_was_alerted(store: EventStore) -> None:
    days(store, like(DayReconciled), like(DeviationAlerted), like(AdjustmentSuggested))
    macros = {"kcal": 2400, "protein_g": 170, "carbs_g": 240, "fat_g": 60}
    (day,) = days(store, like(DayReconciled, eaten=macros))
    assert day.eaten == macros
    assert day.alerts == {"protein_g": "critical"}
    assert len(day.suggestions) == 1


def test_a_day_back_within_tolerance_has_no_suggestions_left(store: EventStore) -> None:
    days(store, like(DayReconciled), like(AdjustmentSuggested))
    (day,) = days(store, like(DayReconciled, within_tolerance=True))
    assert day.suggestions == []


def test_what_a_result_was_made_of_stands_in_the_event_and_not_in_the_row(store: EventStore) -> None:
    (day,) = days(store, DayReconciled.model_validate(DayReconciled.examples[1] | {"day": str(DAY)}))
    assert (day.days, day.tolerance_pct, day.on_target) == (2, 10, True)


def test_days_in_a_row_are_counted_to_the_day_or_the_one_before(store: EventStore) -> None:
    target = DayReconciled.examples[0]["target"]
    on = {"eaten": target, "target": target}
    off = {name: 0.7 * amount for name, amount in target.items()}
    days(
        store,
        *(like(DayReconciled, day=str(DAY - timedelta(days=back)), **on) for back in (1, 2, 4)),
        like(DayReconciled, day=str(DAY - timedelta(days=1)), person="ben", target=target, eaten=off),
    )
    with store.database.transaction() as db:
        assert streaks(db, "home", DAY) == {"ada": 2, "ben": 0}
        assert streaks(db, "home", DAY - timedelta(days=1)) == {"ada": 2, "ben": 0}
        assert streaks(db, "home", DAY + timedelta(days=1)) == {}


def test_a_day_of_which_only_an_alert_is_known_is_not_shown(store: EventStore) -> None:
    assert days(store, like(DeviationAlerted)) == []
