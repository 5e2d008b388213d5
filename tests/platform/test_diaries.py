"""FatSecret diaries as partitions of Dagster: ranges in one run, put off by a used-up budget, refreshed by the hour."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from definitions import defs
from meal_assets.clients.breaker import Breaker
from meal_assets.clients.fatsecret_answers import NAME, day_number
from meal_assets.contracts.diary import DiaryDayObserved
from meal_assets.event_store import EventStore
from meal_assets.event_store.connections import Connections
from meal_assets.fakes.fatsecret import FakeFatSecret
from meal_assets.platform.diaries import diary_sync, refreshing
from meal_assets.platform.keys import FATSECRET_DIARY, topic_key
from meal_assets.platform.resources import Log
from tests.remotes import fatsecret, no_pauses

__all__ = ["fatsecret", "no_pauses"]

BERLIN = "Europe/Berlin"
LAST = date(2026, 11, 27)
FIRST = LAST - timedelta(days=89)


@pytest.fixture(autouse=True)
def settings(fatsecret: FakeFatSecret, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run finds in its environment."""
    monkeypatch.setenv("MEALS_FATSECRET_KEY", fatsecret.service.key)
    monkeypatch.setenv("MEALS_FATSECRET_SECRET", fatsecret.service.secret)
    monkeypatch.setenv("MEALS_FATSECRET_URL", fatsecret.url)
    monkeypatch.setenv("MEALS_FATSECRET_CALLS_A_SECOND", "1000")
    monkeypatch.setenv("MEALS_TIME_ZONE", BERLIN)


@pytest.fixture
def ada(fatsecret: FakeFatSecret, store: EventStore) -> str:
    """Somebody who is connected and ate on each of the ninety days."""
    token, secret = fatsecret.service.connect()
    Connections(store.database, "home", NAME).keep("ada", (token, secret))
    for n in range(90):
        fatsecret.service.eat(token, day_number(FIRST) + n, "33691", 50 + n)
    return token


def run(instance: dg.DagsterInstance, first: date, last: date) -> dg.ExecuteInProcessResult:
    """A run as a backfill of the range launches it."""
    tags = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)}
    return dg.materialize(
        [diary_sync(BERLIN)], resources={"log": Log()}, instance=instance, tags=tags, raise_on_error=False
    )


def days_there(instance: dg.DagsterInstance) -> list[str]:
    return sorted(instance.get_materialized_partitions(FATSECRET_DIARY))


def every_day() -> list[str]:
    return [str(FIRST + timedelta(days=n)) for n in range(90)]


def next_day(store: EventStore, fatsecret: FakeFatSecret) -> None:
    with store.database.transaction() as db:
        db.execute("UPDATE log.remotes SET day = day - 1")
    Breaker(store.database, NAME).reset()
    fatsecret.service.calls = 0


def ticked(instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest | dg.SkipReason:
    """What the hourly schedule does at that moment."""
    schedule = refreshing([diary_sync(BERLIN)], BERLIN)
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        resources={"log": Log()},
        repository_def=defs.get_repository_def(),
    ) as context:
        data = schedule.evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else dg.SkipReason(data.skip_message)


def test_ninety_days_are_backfilled_in_one_run_and_again_without_a_word(
    instance: dg.DagsterInstance, store: EventStore, fatsecret: FakeFatSecret, ada: str
) -> None:
    assert run(instance, FIRST, LAST).success
    assert days_there(instance) == every_day()
    assert store.head() == 90
    assert fatsecret.service.calls <= 97
    assert run(instance, FIRST, LAST).success
    assert store.head() == 90
    (newest,) = instance.fetch_materializations(FATSECRET_DIARY, limit=1).records
    assert newest.asset_materialization is not None
    assert newest.asset_materialization.metadata["changed"].value == 0


def test_a_range_that_the_budget_ends_in_the_middle_is_finished_by_a_later_run(
    instance: dg.DagsterInstance, store: EventStore, fatsecret: FakeFatSecret, ada: str
) -> None:
    fatsecret.service.limit = 60
    failed = run(instance, FIRST, LAST)
    assert not failed.success
    told = str(failed.failure_data_for_node("sync__fatsecret_diary"))
    assert "used up" in told
    assert ada not in told
    (seen,) = instance.fetch_observations(FATSECRET_DIARY, limit=1).records
    assert seen.asset_observation is not None
    assert str(seen.asset_observation.metadata["fatsecret"].value).startswith("left alone until")
    there = days_there(instance)
    assert there == every_day()[-len(there) :]
    assert 50 < len(there) == store.head() < 60
    assert isinstance(ticked(instance, datetime.now(UTC)), dg.SkipReason)
    next_day(store, fatsecret)
    assert isinstance(ticked(instance, datetime.now(UTC)), dg.RunRequest)
    assert run(instance, LAST - timedelta(days=6), LAST).success
    assert days_there(instance) == every_day()
    assert store.head() == 90


def test_the_last_seven_days_of_the_household_are_refreshed_by_the_hour_where_somebody_is_connected(
    instance: dg.DagsterInstance, store: EventStore, fatsecret: FakeFatSecret
) -> None:
    midnight = datetime(2026, 11, 28, 0, 20, tzinfo=ZoneInfo(BERLIN))
    skipped = ticked(instance, midnight)
    assert isinstance(skipped, dg.SkipReason)
    assert "meals connect fatsecret" in (skipped.skip_message or "")
    Connections(store.database, "home", NAME).keep("ada", fatsecret.service.connect())
    asked = ticked(instance, midnight)
    assert isinstance(asked, dg.RunRequest)
    assert {asked.tags[f"dagster/asset_partition_range_{end}"] for end in ("start", "end")} == {
        "2026-11-22",
        "2026-11-28",
    }
    Connections(store.database, "home", NAME).refuse("ada", "revoked there: connect again")
    assert "connect again" in (ticked(instance, midnight).skip_message or "")  # type: ignore[union-attr]


def test_no_run_is_started_that_would_find_no_key_to_fatsecret(
    instance: dg.DagsterInstance, fatsecret: FakeFatSecret, ada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEALS_FATSECRET_KEY")
    assert "MEALS_FATSECRET_KEY" in (ticked(instance, datetime.now(UTC)).skip_message or "")  # type: ignore[union-attr]


def test_a_revoked_token_fails_the_run_with_what_to_do(
    instance: dg.DagsterInstance, fatsecret: FakeFatSecret, ada: str
) -> None:
    fatsecret.service.accounts.clear()
    told = str(run(instance, LAST, LAST).failure_data_for_node("sync__fatsecret_diary"))
    assert "meals connect fatsecret ada" in told
    assert days_there(instance) == []


def test_no_secret_is_in_what_dagster_keeps_of_a_run(
    instance: dg.DagsterInstance, store: EventStore, fatsecret: FakeFatSecret, ada: str
) -> None:
    result = run(instance, LAST - timedelta(days=2), LAST)
    fatsecret.service.accounts.clear()
    failed = run(instance, LAST, LAST)
    secrets = (
        *Connections(store.database, "home", NAME).secrets("ada"),
        fatsecret.service.secret,
        fatsecret.service.key,
    )
    for each in (result, failed):
        kept = [str(log) for log in instance.all_logs(each.run_id)]
        kept += [str(instance.get_run_by_id(each.run_id).run_config), str(instance.get_run_by_id(each.run_id).tags)]  # type: ignore[union-attr]
        assert not [secret for secret in secrets if any(secret in text for text in kept)]


def test_the_graph_shows_whose_topic_it_writes(store: EventStore) -> None:
    graph = defs.resolve_asset_graph()
    assert graph.get(topic_key("diary")).parent_keys >= {FATSECRET_DIARY}
    partitions = graph.get(FATSECRET_DIARY).partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert store.read(types=[DiaryDayObserved]) == []
