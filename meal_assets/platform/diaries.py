"""The FatSecret diaries of the household as an asset with a partition a day, and the schedule that keeps it fresh."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from meal_assets.clients.breaker import states
from meal_assets.clients.fatsecret_answers import NAME
from meal_assets.commands.fatsecret import REFRESHED, read_left_over, sync_diaries
from meal_assets.errors import MealAssetsError
from meal_assets.event_store import Origin
from meal_assets.event_store.connections import Connections
from meal_assets.settings import Settings

from .assets import LAYER, OWNERS, days_in
from .keys import FATSECRET_DIARY, FATSECRET_SAYS, GROUPS
from .resources import Log
from .sources import code_references

ACTOR = "dagster"


def diary_sync(zone: str) -> dg.AssetsDefinition:
    """Materializing a day reads it; its partitions are the days of this IANA time zone."""

    @dg.asset(
        key=FATSECRET_DIARY,
        group_name=GROUPS["sync"],
        kinds={"python"},
        owners=OWNERS,
        tags={LAYER: "sync"},
        partitions_def=days_in(zone),
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,  # a day is reported when it is through, and one that is left over is not
        description="The FatSecret diaries of all who are connected (`meals connect fatsecret NAME`), day by day: a day"
        " is said only when it changed. A range is read in one run, the newest day first, as far as the calls of the"
        " day go; what is left over is read by the next hourly run when there are calls again.",
        metadata=code_references(sync_diaries, FATSECRET_SAYS, "operating.md"),
    )
    def fatsecret_diary(context: dg.AssetExecutionContext, log: Log) -> Iterator[dg.Output[None]]:
        days = [date.fromisoformat(key) for key in context.partition_keys]
        origin, read, changed = Origin(Settings().household, ACTOR), 0, 0
        asked = sync_diaries(log.store, log.outside, origin, min(days), max(days))
        try:
            for reading in (asked, read_left_over(log.store, log.outside, origin)):
                for done in reading:
                    read, changed = read + 1, changed + len(done.changed)
                    said = {"changed": dg.MetadataValue.int(len(done.changed))}
                    context.log_event(dg.AssetMaterialization(FATSECRET_DIARY, partition=str(done.day), metadata=said))
        except MealAssetsError as error:
            raise dg.Failure(
                f"{read:,} days read, {changed:,} of them new or changed. {error}", allow_retries=False
            ) from error
        finally:
            stands = {one.remote: str(one) for one in states(log.store.database) if one.remote == NAME}
            context.log_event(dg.AssetObservation(FATSECRET_DIARY, metadata=stands))
        context.log.info(f"{read:,} days read, {changed:,} of them new or changed.")
        yield from ()

    return fatsecret_diary


def refreshing(assets: list[dg.AssetsDefinition], zone: str) -> dg.ScheduleDefinition:
    """Every hour the last days, and what is left over of longer ranges."""

    @dg.schedule(
        target=assets,
        cron_schedule="20 * * * *",
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every hour, where somebody is connected: the last {REFRESHED.days} days of FatSecret's diaries,"
        " and what is left over of longer ranges.",
    )
    def fatsecret_every_hour(context: dg.ScheduleEvaluationContext, log: Log) -> dg.RunRequest | dg.SkipReason:
        if why := reason_to_wait(log, Settings().household):
            return dg.SkipReason(why)
        last = context.scheduled_execution_time.date()
        first = last - REFRESHED + timedelta(days=1)
        return dg.RunRequest(
            tags={
                "dagster/asset_partition_range_start": str(first),
                "dagster/asset_partition_range_end": str(last),
            }
        )

    return fatsecret_every_hour


def reason_to_wait(log: Log, household: str) -> str | None:
    """Why nothing can be read now: nobody is connected, no key, the calls of the day are used up, FatSecret is down."""
    connected = Connections(log.store.database, household, NAME).all()
    if not any(c.refused is None for c in connected):
        told = "; ".join(c.refused or "" for c in connected)
        return told or "nobody is connected: `meals connect fatsecret NAME`"
    if not log.outside.knows_fatsecret:
        return "no key to FatSecret is set: MEALS_FATSECRET_KEY and MEALS_FATSECRET_SECRET"
    now = datetime.now(UTC)
    for remote in states(log.store.database):
        if remote.remote == NAME and remote.retry_at is not None and remote.retry_at > now:
            return f"{NAME} is left alone until {remote.retry_at.astimezone():%Y-%m-%d %H:%M}: {remote.reason}"
        if remote.remote == NAME and remote.used_today >= log.outside.fatsecret_calls_a_day:
            return f"the {log.outside.fatsecret_calls_a_day:,} calls a day of {NAME} are used up"
    return None
