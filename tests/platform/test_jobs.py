"""What the launchpad and the clock start does what its form says."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import psycopg
import pytest
import typer

from definitions import defs
from meal_assets.cli.app import app
from meal_assets.commands.diary import log_meals
from meal_assets.commands.flags import set_flag
from meal_assets.commands.profile import set_profile
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.diary import DayClosed, MealLogged
from meal_assets.contracts.expenditure import ExpenditureEstimated
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.contracts.plan_request import PlanRequested
from meal_assets.contracts.profile import GoalSet
from meal_assets.contracts.publication import ListPublished
from meal_assets.contracts.reconciliation import DayReconciled
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.contracts.system import FlagSet, PersonForgotten
from meal_assets.domain.publication import SHOPPING_FLAG
from meal_assets.event_store import EventStore, Origin
from meal_assets.fakes.tandoor import FakeTandoor
from meal_assets.platform.assets import read_model
from meal_assets.platform.jobs import JOBS, REPORTED, monday_of
from meal_assets.platform.keys import key_of
from meal_assets.platform.reports import report
from meal_assets.platform.resources import Log
from meal_assets.platform.schedules import all_schedules
from meal_assets.read_models import catch_up
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.read_models.flags import Flags
from meal_assets.read_models.week_plan import WeekPlan
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.settings import Settings
from meal_assets.subscriptions import fold_all

FRIDAY = datetime(2026, 11, 27, 6, tzinfo=ZoneInfo("Europe/Berlin"))


def run(name: str, instance: dg.DagsterInstance, raises: bool = True, **config: object) -> dg.ExecuteInProcessResult:
    """The job as the launchpad starts it: its config as YAML would give it."""
    job = defs.resolve_job_def(name)
    (op,) = [node.name for node in job.nodes]
    given = {"ops": {op: {"config": config}}} if config else {}
    return job.execute_in_process(run_config=given, instance=instance, raise_on_error=raises)


def joins(store: EventStore, origin: Origin, person: str) -> None:
    set_profile(store, GoalSet.model_validate(GoalSet.examples[0] | {"person": person}), origin)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_every_job_says_what_it_is_for(job: dg.JobDefinition) -> None:
    assert job.description


def test_a_week_is_asked_for_as_the_form_says(instance: dg.DagsterInstance, store: EventStore, origin: Origin) -> None:
    joins(store, origin, "ada")
    run("plan_week", instance, week="2026-12-02", exclude=["peanut"], max_minutes=30)
    (asked,) = [r.event for r in store.read(types=(PlanRequested,))]
    assert isinstance(asked, PlanRequested)
    assert (asked.week, asked.persons, asked.rules.exclude, asked.rules.max_minutes) == (
        date(2026, 11, 30),
        ("ada",),
        ("peanut",),
        30,
    )


def test_the_diaries_of_a_day_are_closed_once(instance: dg.DagsterInstance, store: EventStore, origin: Origin) -> None:
    for person in ("ada", "ben"):
        joins(store, origin, person)
    meal = MealLogged.model_validate(MealLogged.examples[0])
    log_meals(store, meal.person, meal.day, [meal], origin)
    for _ in range(2):
        run("reconcile_day", instance, day=str(meal.day))
    assert [r.event.person for r in store.read(types=(DayClosed,)) if isinstance(r.event, DayClosed)] == ["ada"]


def test_models_are_built_anew(instance: dg.DagsterInstance, history: int, store: EventStore) -> None:
    catch_up(WeightTrend(), store)
    with store.database.transaction() as db:
        db.execute("DELETE FROM read.weight_trend")
    run("rebuild_read_models", instance, models=["weight_trend"])
    with store.database.transaction() as db:
        assert db.execute("SELECT count(*) FROM read.weight_trend").fetchone() == (1,)


def test_a_name_that_is_none_is_refused_with_those_there_are(instance: dg.DagsterInstance) -> None:
    result = run("rebuild_read_models", instance, raises=False, models=["nonsense"])
    assert not result.success
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    assert "weight_trend" in str(failed.event_specific_data.error)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("job", "config", "field"),
    [
        ("plan_week", {"week": "30.11.2026"}, "week"),
        ("reconcile_day", {"day": "yesterday"}, "day"),
        ("report_week", {"week": "2026-13-01"}, "week"),
        ("tell_of_checks", {"checks": ["nonsense"]}, "checks"),
        ("replay_consumer", {"consumer": "nonsense"}, "consumer"),
    ],
)
def test_what_a_form_cannot_mean_is_refused_with_the_field_and_what_it_takes(
    job: str, config: dict[str, object], field: str, instance: dg.DagsterInstance, store: EventStore
) -> None:
    result = run(job, instance, raises=False, **config)
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    told = str(failed.event_specific_data.error)  # type: ignore[union-attr]
    assert f"Invalid: {field}: " in told
    assert "write it as 2026-11-30" in told or "is none of" in told
    assert store.head() == 0


def test_a_consumer_handles_again_without_a_word(instance: dg.DagsterInstance, history: int, store: EventStore) -> None:
    result = run("replay_consumer", instance, consumer="reconcile")
    assert result.success
    assert store.head() == history


def test_a_person_is_forgotten_only_when_the_form_names_them_twice(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    joins(store, origin, "ada")
    for confirm in ("", "Ada", "ben"):
        assert not run("forget_person", instance, raises=False, person="ada", confirm=confirm).success
    assert store.read(types=(PersonForgotten,)) == []
    assert run("forget_person", instance, person="ada", confirm="ada").success
    (forgotten,) = store.read(types=(PersonForgotten,))
    assert forgotten.event == PersonForgotten(person="ada")
    assert forgotten.actor == "dagster"


def test_each_person_is_told_once_how_their_week_went(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEALS_NOTIFY_URLS", '{"ada": "mailto://x", "eve": "mailto://y"}')
    for person in ("ada", "ben", "eve"):
        joins(store, origin, person)
    meal = MealLogged.model_validate(MealLogged.examples[0] | {"person": "ada", "day": "2026-11-24"})
    log_meals(store, "ada", meal.day, [meal], origin)
    for day, kg in ((date(2026, 11, 20), 65.0), (date(2026, 11, 28), 64.0)):
        weighed = WeightRecorded(person="ada", day=day, weight_kg=kg)
        store.append(weighed.stream_in("home"), [weighed], origin=origin)
    shown = DayReconciled.examples[0]
    for day, eaten in (("2026-11-22", 0.5), ("2026-11-23", 1), ("2026-11-24", 1), ("2026-11-28", 1), ("2026-11-29", 1)):
        closed = DayReconciled.model_validate(
            shown | {"day": day, "eaten": {name: eaten * amount for name, amount in shown["target"].items()}}
        )
        store.append(closed.stream_in("home"), [closed], origin=origin)
    told = ExpenditureEstimated.model_validate(
        ExpenditureEstimated.examples[0] | {"person": "ada", "day": "2026-11-28"}
    )
    store.append(told.stream_in("home"), [told], origin=origin)
    for model in REPORTED:
        catch_up(model(), store)
    for _ in range(2):
        assert run("report_week", instance, week="2026-11-27").success
    (asked,) = [r.event for r in store.read(types=(NotificationRequested,))]
    assert isinstance(asked, NotificationRequested)
    assert (asked.person, asked.kind, asked.period) == ("ada", "weekly_report", "2026-11-23")
    goal, kcal = GoalSet.examples[0], meal.nutrition.kcal
    assert asked.text.splitlines()[:2] == [
        "You logged 1 of 7 days. A day, on average:",
        f"  Energy: {kcal:,.0f} kcal of {goal['kcal']:,.0f} kcal ({100 * kcal / goal['kcal'] - 100:+.0f} %)",
    ]
    assert "Within your targets: 4 of 4 closed days, 2 in a row." in asked.text
    assert "To change: 1,550 kcal more energy a day" in asked.text
    assert (
        f"You spend about {told.expenditure_kcal:,.0f} kcal a day,"
        f" between {told.low_kcal:,.0f} and {told.high_kcal:,.0f}."
    ) in asked.text
    assert asked.picture is not None
    assert asked.picture.eaten == {date(2026, 11, 24): kcal}
    assert asked.picture.target == {date(2026, 11, 24): goal["kcal"]}
    assert "Weight: 64.3 kg, -0.7 kg in the week." in asked.text
    assert f"Tuesday, 24 November 2026: energy {kcal:,.0f} kcal, protein" in asked.text


def test_the_week_is_told_on_its_last_evening() -> None:
    weekly = next(s for s in all_schedules("Europe/Berlin") if s.name == "weekly_report")
    assert (weekly.cron_schedule, weekly.execution_timezone) == ("0 21 * * 0", "Europe/Berlin")


def test_a_log_that_was_changed_fails_its_walk(
    instance: dg.DagsterInstance, history: int, superuser: psycopg.Connection[tuple[object, ...]]
) -> None:
    assert run("verify_log", instance).success
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
    superuser.execute("UPDATE log.events SET actor = 'somebody else' WHERE position = 3")
    result = run("verify_log", instance, raises=False)
    assert not result.success
    (failed,) = [e for e in result.all_events if e.is_step_failure]
    said = re.findall(r"`meals ([a-z-]+) ([a-z-]+)`", str(failed.event_specific_data.error))  # type: ignore[union-attr]
    assert said
    for command, sub in said:
        assert sub in typer.main.get_command(app).commands[command].commands  # type: ignore[attr-defined]


def test_dagster_forgets_what_is_old_but_the_newest_report(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    store: EventStore,
    origin: Origin,
    superuser: psycopg.Connection[tuple[object, ...]],
) -> None:
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.instance_for_test(
        overrides={"storage": {"custom": {"module": "meal_assets.platform.storage", "class": "Storage", "config": {}}}},
        temp_dir=str(tmp_path),
    ) as instance:
        for n in range(3):
            weighed = WeightRecorded(person="ada", day=date(2026, 11, 1 + n), weight_kg=60 + n)
            store.append(weighed.stream_in("home"), [weighed], origin=origin)
            fold_all(store)
            report(instance, store)
        old = run("verify_log", instance)
        model, whole = read_model(WeekPlan), key_of(WeekPlan)
        days, daily = read_model(DailyNutrition), key_of(DailyNutrition)
        for _ in range(2):
            dg.materialize([model], resources={"log": Log()}, instance=instance)
        for day in ("2026-11-01", "2026-11-02"):
            dg.materialize([days], resources={"log": Log()}, instance=instance, partition_key=day)
        key = dg.AssetKey(["read_model", "weight_trend"])
        assert len(instance.fetch_materializations(key, limit=10).records) == 3
        for _ in range(2):  # as the daemon writes it whenever an asset gets late, or is in time again
            superuser.execute(
                "INSERT INTO dagster.event_logs (run_id, event, dagster_event_type, timestamp, asset_key)"
                " SELECT '', event, 'FRESHNESS_STATE_CHANGE', timestamp, asset_key FROM dagster.event_logs"
                " WHERE run_id = '' AND asset_key IS NOT NULL ORDER BY id LIMIT 1"
            )
        long_ago = datetime.now(UTC) - timedelta(days=100)
        with superuser.transaction():
            db = superuser
            db.execute("UPDATE dagster.event_logs SET timestamp = %s", (long_ago.replace(tzinfo=None),))
            db.execute("UPDATE dagster.asset_event_tags SET event_timestamp = %s", (long_ago.replace(tzinfo=None),))
            db.execute("UPDATE dagster.runs SET create_timestamp = %s", (long_ago.replace(tzinfo=None),))
            db.execute("UPDATE log.outbox SET reported_at = %s", (long_ago,))
        kept = run("keep_dagster_small", instance, days=30)
        assert [r.run_id for r in instance.get_runs()] == [kept.run_id]
        assert old.run_id != kept.run_id
        assert len(instance.fetch_materializations(whole, limit=10).records) == 1
        assert instance.get_materialized_partitions(daily) == {"2026-11-01", "2026-11-02"}
        assert instance.get_latest_data_version_record(whole) is not None
        (newest,) = instance.fetch_materializations(key, limit=10).records
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.metadata["to_position"].value == 3
        changes = "SELECT count(*) FROM dagster.event_logs WHERE dagster_event_type = 'FRESHNESS_STATE_CHANGE'"
        assert superuser.execute(changes).fetchone() == (1,)
        left = superuser.execute("SELECT event_id FROM dagster.asset_event_tags").fetchall()
        there = superuser.execute("SELECT id FROM dagster.event_logs").fetchall()
        assert {*left} <= {*there}
        assert left
        with store.database.transaction() as db:
            assert db.execute("SELECT count(*) FROM log.outbox").fetchone() == (0,)


def test_next_week_is_planned_on_friday_unless_it_is(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin
) -> None:
    weekly = next(s for s in all_schedules("Europe/Berlin") if s.name == "weekly_plan")
    assert (weekly.cron_schedule, weekly.execution_timezone) == ("0 6 * * 5", "Europe/Berlin")

    def tick() -> object:
        given = {"instance": instance, "scheduled_execution_time": FRIDAY, "resources": {"log": Log()}}
        with dg.build_schedule_context(**given) as context:
            return weekly(context)

    assert isinstance(tick(), dg.SkipReason)
    joins(store, origin, "ada")
    asked = tick()
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "home/2026-11-30"
    assert asked.run_config["ops"]["ask_for_a_week"]["config"]["week"] == "2026-11-30"
    plan = PlanGenerated.model_validate(PlanGenerated.examples[0] | {"week": "2026-11-30", "meals": [], "days": []})
    store.append(plan.stream_in("home"), [plan], origin=origin)
    assert isinstance(tick(), dg.SkipReason)


def test_ticks_in_tandoor_are_read_while_a_list_is_there(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarterly = next(s for s in all_schedules("UTC") if s.name == "ticks_every_quarter_hour")

    def due() -> object:
        with dg.build_schedule_context(instance=instance, resources={"log": Log()}) as context:
            return quarterly(context)

    with FakeTandoor() as fake:
        monkeypatch.setenv("MEALS_TANDOOR_URL", fake.url)
        monkeypatch.setenv("MEALS_TANDOOR_TOKEN", fake.space.token)
        set_flag(store, FlagSet(flag=SHOPPING_FLAG, value="on"), origin)
        catch_up(Flags(), store)
        assert isinstance(due(), dg.SkipReason)
        number = fake.space.shopping.new({"food": {"name": "Salt"}}).body["id"]
        week = monday_of(str(Settings().today()), Settings())
        items = [{"item": "Salt", "unit": "", "entry": number}]
        published = ListPublished.model_validate({"service": "tandoor", "week": week, "items": items})
        store.append(published.stream_in("home"), [published], origin=origin)
        assert isinstance(due(), dg.RunRequest)
        fake.space.shopping.change(number, {"checked": True})
        run("read_shopping_ticks", instance)
    assert [r.event for r in store.read(types=(ItemTicked,))] == [ItemTicked(week=week, item="Salt")]


def test_schedules_that_speak_for_a_person_are_off() -> None:
    status = {s.name: s.default_status for s in all_schedules("UTC")}
    assert {name for name, is_on in status.items() if is_on == dg.DefaultScheduleStatus.STOPPED} == {
        "evening_reconciliation"
    }


def test_the_day_is_that_of_the_household(monkeypatch: pytest.MonkeyPatch) -> None:
    days = {}
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):  # 25 hours apart: never the same day
        monkeypatch.setenv("MEALS_TIME_ZONE", zone)
        days[zone] = Settings().today()
    assert len(set(days.values())) == 2
    assert monday_of("2026-12-06", Settings()) == date(2026, 11, 30)
    monkeypatch.setenv("MEALS_TIME_ZONE", "Mars/Olympus")
    with pytest.raises(ValueError, match="IANA"):
        Settings()
