"""The week as a grid."""

from datetime import date

from meal_assets.contracts.plan import PlanGenerated, PlanRejected
from meal_assets.event_store import EventStore
from meal_assets.read_models import catch_up
from meal_assets.read_models.week_plan import PlannedWeek, WeekPlan, planned_week

from .said import WEEK, append, like


def planned(store: EventStore) -> PlannedWeek | None:
    catch_up(WeekPlan(), store)
    with store.database.transaction() as db:
        return planned_week(db, "home", WEEK)


def meals(*days_and_meals: tuple[str, str]) -> list[dict[str, object]]:
    one, *_ = PlanGenerated.examples[0]["meals"]
    return [{**one, "day": day, "meal": meal} for day, meal in days_and_meals]


def test_a_week_nobody_asked_for_is_none(store: EventStore) -> None:
    assert planned(store) is None


def test_the_cells_come_by_day_and_in_the_order_of_the_day(store: EventStore) -> None:
    slots = [("2026-11-24", "snack"), ("2026-11-24", "breakfast"), ("2026-11-23", "dinner"), ("2026-11-24", "lunch")]
    append(store, like(PlanGenerated, meals=meals(*slots)))
    week = planned(store)
    assert week is not None
    assert [(c.day.day, c.meal) for c in week.cells] == [
        (23, "dinner"),
        (24, "breakfast"),
        (24, "lunch"),
        (24, "snack"),
    ]
    assert week.cells[0].portions == {"ada": 1.5, "ben": 2}
    (day,) = week.days
    assert (day.person, day.planned, day.target) == ("ada", (1990, 128, 214, 69), (2000, 130, 210, 70))
    assert (week.state, week.considered, week.left_out) == ("planned", 64, {"no published nutrition": 3})


def test_the_newest_plan_replaces_the_one_before(store: EventStore) -> None:
    append(store, like(PlanGenerated, meals=meals(("2026-11-23", "lunch"), ("2026-11-24", "lunch"))))
    planned(store)
    append(store, like(PlanGenerated, meals=meals(("2026-11-25", "dinner"))))
    week = planned(store)
    assert week is not None
    assert [(c.day, c.meal) for c in week.cells] == [(date(2026, 11, 25), "dinner")]


def test_a_rejected_request_is_told_and_leaves_the_plan_standing(store: EventStore) -> None:
    append(store, like(PlanGenerated))
    before = planned(store)
    append(store, like(PlanRejected, week=str(WEEK)))
    after = planned(store)
    assert before is not None
    assert after is not None
    assert (after.cells, after.days) == (before.cells, before.days)
    assert (before.state, after.state, after.proof) == ("planned", "rejected", None)
    assert [rule for rule, _ in after.conflicts] == ["protein of ada"]


def test_a_plan_after_a_rejection_has_no_conflicts_left(store: EventStore) -> None:
    append(store, like(PlanRejected, week=str(WEEK)), like(PlanGenerated))
    week = planned(store)
    assert week is not None
    assert (week.state, week.conflicts) == ("planned", ())
    assert week.proof == PlanGenerated.examples[0]["proof"]
