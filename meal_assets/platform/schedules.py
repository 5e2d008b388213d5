"""What happens by the clock, in the household's time zone."""

from datetime import date, timedelta

import dagster as dg

from meal_assets.commands.profile import persons_of
from meal_assets.commands.shopping import lists_in_tandoor
from meal_assets.contracts.notification_request import OPERATOR
from meal_assets.contracts.plan import PlanGenerated
from meal_assets.settings import Settings

from .alerts import alerts
from .jobs import (
    Job,
    Week,
    compare_some_days,
    keep_dagster_small,
    plan_week,
    read_shopping_ticks,
    rebuild_and_compare,
    reconcile_day,
    report_week,
    sync_recipes,
    tell_of_checks,
)
from .resources import Log

ON, OFF = dg.DefaultScheduleStatus.RUNNING, dg.DefaultScheduleStatus.STOPPED
BY_THE_CLOCK: tuple[tuple[str, Job, str, dg.DefaultScheduleStatus, str], ...] = (
    ("nightly_comparison", compare_some_days, "0 3 * * *", ON, "Every night 03:00: a sample of days, summed up anew."),
    ("weekly_comparison", rebuild_and_compare, "30 3 * * 0", ON, "Sunday 03:30: the chain, and all models built anew."),
    ("nightly_retention", keep_dagster_small, "0 4 * * *", ON, "Every night 04:00: old runs and reports go."),
    ("weekly_report", report_week, "0 21 * * 0", ON, "Sunday 21:00: tells each person how their week went."),
    (
        "evening_reconciliation",
        reconcile_day,
        "0 20 * * *",
        OFF,
        "20:00: closes the day's diaries. Turn it on where nobody says `meals log NAME --close`.",
    ),
)


def all_schedules(zone: str) -> list[dg.ScheduleDefinition]:
    """Every schedule, in this IANA time zone. Off is what would say something in a person's name."""

    @dg.schedule(
        job=plan_week,
        cron_schedule="0 6 * * 5",
        execution_timezone=zone,
        default_status=ON,
        description="Friday 06:00: a plan for next week, unless it has one or nobody has a profile.",
    )
    def weekly_plan(context: dg.ScheduleEvaluationContext, log: Log) -> dg.RunRequest | dg.SkipReason:
        settings, today = Settings(), context.scheduled_execution_time.date()
        week = today + timedelta(days=7 - today.weekday())
        if not persons_of(log.store, settings.household):
            return dg.SkipReason("nobody has a profile yet: `meals profile NAME` or `meals goals NAME`")
        if has_plan(log, settings.household, week):
            return dg.SkipReason(f"the week of {week} has a plan")
        config = dg.RunConfig(ops={"ask_for_a_week": Week(week=str(week))})
        return dg.RunRequest(run_key=f"{settings.household}/{week}", run_config=config)

    @dg.schedule(
        job=sync_recipes,
        cron_schedule="0 */2 * * *",
        execution_timezone=zone,
        default_status=ON,
        description="Every two hours: the recipes of the household's Tandoor, where one is set.",
    )
    def recipes_every_two_hours(log: Log) -> dg.RunRequest | dg.SkipReason:
        if not log.outside.knows_tandoor:
            return dg.SkipReason("no Tandoor is set: MEALS_TANDOOR_URL and MEALS_TANDOOR_TOKEN")
        return dg.RunRequest()

    @dg.schedule(
        job=read_shopping_ticks,
        cron_schedule="*/15 * * * *",
        execution_timezone=zone,
        default_status=ON,
        description="Every quarter of an hour: what was ticked in Tandoor's shopping list, while one of ours is there.",
    )
    def ticks_every_quarter_hour(log: Log) -> dg.RunRequest | dg.SkipReason:
        settings = Settings()
        if not lists_in_tandoor(log.store, log.outside, settings.household, settings.today()):
            return dg.SkipReason("no list of this week or a later one is in a Tandoor: `meals accept` publishes it")
        return dg.RunRequest()

    @dg.schedule(
        job=tell_of_checks,
        cron_schedule="*/5 * * * *",
        execution_timezone=zone,
        default_status=ON,
        description="Every five minutes: whether a check does not hold, or holds again, that the operator should know.",
    )
    def checks_every_five_minutes(context: dg.ScheduleEvaluationContext, log: Log) -> dg.RunRequest | dg.SkipReason:
        settings = Settings()
        if log.outside.address_of(OPERATOR, settings.household) is None:
            return dg.SkipReason(f"nobody is to be told: name {OPERATOR} or {settings.household} in MEALS_NOTIFY_URLS")
        found = alerts(context.instance, log.store, settings.household, settings.today())
        if not found:
            return dg.SkipReason("there is nothing new to tell")
        return dg.RunRequest(run_config={"ops": {"tell_the_operator": {"config": {"checks": [a.name for a in found]}}}})

    return [
        weekly_plan,
        recipes_every_two_hours,
        ticks_every_quarter_hour,
        checks_every_five_minutes,
        *(
            dg.ScheduleDefinition(
                name=name,
                job=job,
                cron_schedule=cron,
                execution_timezone=zone,
                default_status=status,
                description=description,
            )
            for name, job, cron, status, description in BY_THE_CLOCK
        ),
    ]


def has_plan(log: Log, household: str, week: date) -> bool:
    stream = log.store.read_stream(f"{household}/plan/{week}")
    return any(isinstance(r.event, PlanGenerated) for r in stream)
