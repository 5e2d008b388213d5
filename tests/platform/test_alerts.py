"""A check that does not hold is told to the operator, once a day, and once more when it holds again."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from definitions import defs
from meal_assets.clients.outside import Outside
from meal_assets.commands.dead_letters import discard
from meal_assets.commands.flags import pause
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.system import DeadLettered
from meal_assets.event_store import EventStore, Origin
from meal_assets.platform import alerts as told
from meal_assets.platform.checks import EQUALS_REBUILD
from meal_assets.platform.keys import key_of
from meal_assets.platform.resources import Log
from meal_assets.platform.schedules import all_schedules
from meal_assets.read_models.weight_trend import WeightTrend
from meal_assets.settings import Settings
from meal_assets.subscriptions import flag_of, fold_all
from tests.read_models.said import append, like

MAIL = '{"home": "mailto://127.0.0.1?to=home@example.org"}'
TODAY = date(2026, 11, 28)
LETTERS = "dead_letters.no_open_dead_letters"


@pytest.fixture(autouse=True)
def household_has_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEALS_NOTIFY_URLS", MAIL)


@pytest.fixture
def instance(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One that a schedule may open anew."""
    monkeypatch.setenv("MEALS_DATABASE_URL", database_url)
    storage = {"custom": {"module": "meal_assets.platform.storage", "class": "Storage", "config": {}}}
    with dg.instance_for_test(overrides={"storage": storage}, temp_dir=str(tmp_path)) as instance:
        yield instance


def asked(store: EventStore) -> list[NotificationRequested]:
    return [r.event for r in store.read(types=(NotificationRequested,)) if isinstance(r.event, NotificationRequested)]


Day = Callable[[date], list[str]]


@pytest.fixture
def on(instance: dg.DagsterInstance, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> Day:
    """The operator's day: the clock comes by three times, and what was asked for on it is seen."""

    def live(day: date) -> list[str]:
        monkeypatch.setattr(Settings, "today", lambda _: day)
        before = len(asked(store))
        for _ in range(3):
            assert fold_all(store) == []
            schedule = next(s for s in all_schedules("UTC") if s.name == "checks_every_five_minutes")
            with dg.build_schedule_context(instance=instance, resources={"log": Log()}) as context:
                wanted = schedule(context)
                if isinstance(wanted, dg.RunRequest):
                    job = defs.resolve_job_def("tell_of_checks")
                    assert job.execute_in_process(run_config=wanted.run_config, instance=instance).success
        return [e.period for e in asked(store)[before:]]

    return live


def letter(store: EventStore) -> DeadLettered:
    said = like(DeadLettered)
    append(store, said)
    assert isinstance(said, DeadLettered)
    return said


def test_an_open_letter_is_told_once_a_day_and_once_when_it_is_gone(store: EventStore, on: Day, origin: Origin) -> None:
    assert on(TODAY) == []
    said = letter(store)
    assert on(TODAY) == [f"{TODAY}.{LETTERS}"]
    assert on(TODAY) == []
    tomorrow = TODAY + timedelta(days=1)
    assert on(tomorrow) == [f"{tomorrow}.{LETTERS}"]
    discard(store, said.consumer, said.position, "looked at", origin)
    assert on(tomorrow) == [f"{tomorrow}.{LETTERS}.well"]
    assert on(tomorrow + timedelta(days=1)) == []
    first, *_, well = asked(store)
    assert (first.person, first.kind) == ("operator", "check")
    assert first.title == "Warning: dead_letters, no open dead letters"
    assert "open: 1" in first.text
    assert well.title == "Well again: dead_letters, no open dead letters"


def test_where_nobody_has_an_address_nobody_is_told(
    store: EventStore, on: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter(store)
    monkeypatch.setenv("MEALS_NOTIFY_URLS", '{"ada": "mailto://127.0.0.1"}')
    assert on(TODAY) == []


def test_a_model_that_stands_still_is_told_though_nothing_reports_it_and_one_at_work_is_not(
    instance: dg.DagsterInstance, store: EventStore, origin: Origin, on: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, like(WeightRecorded))
    assert fold_all(store) == []
    pause(store, flag_of(WeightTrend), origin)
    append(store, like(WeightRecorded, weight_kg=61.0))
    assert on(TODAY) == []
    monkeypatch.setattr(told, "LASTING_SECONDS", 0.0)
    assert f"{TODAY}.weight_trend.is_current" in on(TODAY)
    key = dg.AssetCheckKey(key_of(WeightTrend), "is_current")
    (shown,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert shown.status.value == "FAILED"


@pytest.mark.parametrize("severity", [dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR])
def test_what_the_night_found_is_told_until_a_later_night_finds_nothing(
    instance: dg.DagsterInstance, store: EventStore, on: Day, severity: dg.AssetCheckSeverity
) -> None:
    def night(*, passed: bool) -> None:
        rows = dg.MetadataValue.json([{"title": "what ada ate"}])
        evaluation = dg.AssetCheckEvaluation(
            asset_key=key_of(WeightTrend), check_name=EQUALS_REBUILD, passed=passed, severity=severity,
            metadata={"different": 3, "sample": rows},
        )  # fmt: skip
        instance.report_runless_asset_event(evaluation)

    night(passed=False)
    period = f"{TODAY}.weight_trend.{EQUALS_REBUILD}"
    assert on(TODAY) == [period]
    night(passed=True)
    assert on(TODAY) == [f"{period}.well"]
    failed, _ = asked(store)
    assert failed.title.startswith("Error" if severity == dg.AssetCheckSeverity.ERROR else "Warning")
    assert "different: 3" in failed.text
    assert "ada" not in failed.text


def test_the_job_looks_at_what_the_schedule_found_and_at_nothing_else(
    instance: dg.DagsterInstance, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settings, "today", lambda _: TODAY)
    letter(store)
    assert fold_all(store) == []
    schedule = next(s for s in all_schedules("UTC") if s.name == "checks_every_five_minutes")
    with dg.build_schedule_context(instance=instance, resources={"log": Log()}) as context:
        wanted = schedule(context)
    assert isinstance(wanted, dg.RunRequest)
    failed = dg.AssetCheckEvaluation(asset_key=key_of(WeightTrend), check_name=EQUALS_REBUILD, passed=False)
    instance.report_runless_asset_event(failed)  # meanwhile: the next look finds it
    job = defs.resolve_job_def("tell_of_checks")
    assert job.execute_in_process(run_config=wanted.run_config, instance=instance).success
    assert [e.period for e in asked(store)] == [f"{TODAY}.{LETTERS}"]
    assert job.execute_in_process(instance=instance).success
    assert [e.period for e in asked(store)][1:] == [f"{TODAY}.weight_trend.{EQUALS_REBUILD}"]


def test_an_address_of_the_operators_own_goes_before_that_of_the_household() -> None:
    urls = {"home": SecretStr("mailto://home"), "operator": SecretStr("mailto://operator")}
    assert Outside(notify_urls=urls).address_of("operator", "home") == urls["operator"]
