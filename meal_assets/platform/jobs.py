"""What an engineer starts from the launchpad: each with a form that has defaults and says what its fields mean."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from meal_assets.charts import data_uri
from meal_assets.commands import forgetting
from meal_assets.commands.diary import close_day
from meal_assets.commands.notifications import request_notification
from meal_assets.commands.plan import request_plan
from meal_assets.commands.profile import persons_of
from meal_assets.commands.recipes import request_sync
from meal_assets.commands.shopping import read_ticks
from meal_assets.consumers import CONSUMERS
from meal_assets.consumers.base import replay
from meal_assets.consumers.library import drawn
from meal_assets.contracts.plan_request import PlanRules
from meal_assets.contracts.values import MACROS, Macros
from meal_assets.domain.notifications import WeekEaten, of_week_eaten
from meal_assets.domain.targets import DEFAULT_TOLERANCE_PCT
from meal_assets.errors import Invalid
from meal_assets.event_store import Connection, Origin
from meal_assets.read_models import READ_MODELS, rebuild, wait_until
from meal_assets.read_models.daily_nutrition import DailyNutrition, days_eaten
from meal_assets.read_models.energy_balance import EnergyBalance, newest_balance
from meal_assets.read_models.reconciliation import Reconciliation, reconciled_days, streaks
from meal_assets.read_models.targets import Targets, household_targets
from meal_assets.read_models.weight_trend import WeightTrend, newest_trend
from meal_assets.settings import Settings

from .alerts import NAMED, alerts
from .checks import NIGHTLY, WEEKLY
from .findings import chain, difference_of
from .resources import Log
from .retention import forget_runs, forget_told

Job = dg.JobDefinition | UnresolvedAssetJobDefinition
HOUSEHOLD = Field(default="", description="Household; that of the settings when empty.")
ACTOR = "dagster"
PATIENCE_SECONDS = 60.0
"""How long a report waits for the read models that it reads."""
REPORTED = (DailyNutrition, Targets, WeightTrend, Reconciliation, EnergyBalance)


class Week(dg.Config):
    """Which week to plan, and for whom."""

    household: str = HOUSEHOLD
    week: str = Field(default="", description="Any day of the week, YYYY-MM-DD; next week when empty.")
    persons: list[str] = Field(default=[], description="Who eats; everybody of the household when empty.")
    exclude: list[str] = Field(default=[], description="Words no dish may carry, as peanut.")
    max_minutes: int = Field(default=0, ge=0, description="No dish that takes longer, in minutes; 0: any.")
    kcal_tolerance_pct: float = Field(default=5, gt=0, description="How far a day's energy may be off, in percent.")
    macro_tolerance_pct: float = Field(default=10, gt=0, description="The same for protein, carbohydrates and fat.")
    seed: int = Field(default=0, ge=0, description="Another number breaks ties another way.")


@dg.op
def ask_for_a_week(context: dg.OpExecutionContext, config: Week, log: Log) -> None:
    settings = Settings()
    monday = monday_of(config.week, settings)
    rules = PlanRules(
        exclude=tuple(config.exclude),
        max_minutes=config.max_minutes or None,
        kcal_tolerance_pct=config.kcal_tolerance_pct,
        macro_tolerance_pct=config.macro_tolerance_pct,
    )
    origin = Origin(config.household or settings.household, ACTOR)
    said = request_plan(log.store, monday, origin, persons=config.persons, rules=rules, seed=config.seed)
    context.log.info(f"Asked at position {said.position} for the week of {monday}: generate_plan answers.")
    context.add_output_metadata(
        {"week": str(monday), "position": said.position, "correlation": str(said.correlation_id)}
    )


@dg.job(description="Asks for a week of meals; the plan appears in week_plan a moment later.")
def plan_week() -> None:
    ask_for_a_week()


class Day(dg.Config):
    """Whose diary is complete, and on which day."""

    household: str = HOUSEHOLD
    day: str = Field(default="", description="YYYY-MM-DD; today when empty.")
    persons: list[str] = Field(default=[], description="Whose diary; everybody of the household when empty.")


@dg.op
def close_diaries(context: dg.OpExecutionContext, config: Day, log: Log) -> None:
    settings = Settings()
    origin = Origin(config.household or settings.household, ACTOR)
    day = day_of(config.day, "day") if config.day else settings.today()
    for person in config.persons or persons_of(log.store, origin.household):
        try:
            said = close_day(log.store, person, day, origin)
        except Invalid as error:  # nothing was logged: there is nothing to hold against a target
            context.log.info(f"{person}, {day}: {error}")
        else:
            context.log.info(f"{person}, {day}: {'closed' if said.events else 'was closed already'}")


@dg.job(description="Says that the day's diaries are complete; reconcile then holds them against the targets.")
def reconcile_day() -> None:
    close_diaries()


class Report(dg.Config):
    """Whose week, and which."""

    household: str = HOUSEHOLD
    week: str = Field(default="", description="Any day of the week, YYYY-MM-DD; this week when empty.")
    persons: list[str] = Field(default=[], description="Who is told; everybody who has an address when empty.")


@dg.op
def tell_of_the_week(context: dg.OpExecutionContext, config: Report, log: Log) -> None:
    settings = Settings()
    origin = Origin(config.household or settings.household, ACTOR)
    week = monday_of(config.week or str(settings.today()), settings)
    shown: dict[str, dg.MarkdownMetadataValue] = {}
    for model in REPORTED:
        wait_until(log.store, model, log.store.head(), PATIENCE_SECONDS)
    for person in config.persons or persons_of(log.store, origin.household):
        if log.outside.address_of(person, origin.household) is None:
            context.log.info(f"{person} has no address: MEALS_NOTIFY_URLS")
            continue
        with log.store.database.transaction() as db:
            eaten = week_eaten(db, origin.household, person, week)
        if eaten.days:
            wanted = of_week_eaten(eaten)
            said = request_notification(log.store, wanted, origin)
            context.log.info(f"{person}: asked at position {said.position}, deliver sends it.")
            if wanted.picture is not None:
                shown[person] = dg.MetadataValue.md(f"![{person}]({data_uri(drawn(wanted.picture))})")
        else:
            context.log.info(f"{person} logged nothing in the week of {week}.")
    context.add_output_metadata(shown)


@dg.job(description="Tells each person how their week went beside their targets.")
def report_week() -> None:
    tell_of_the_week()


class Sync(dg.Config):
    """Whose recipes to bring in line."""

    household: str = HOUSEHOLD
    full: bool = Field(default=False, description="Read every recipe, also where nothing says that it changed.")


@dg.op
def ask_for_recipes(context: dg.OpExecutionContext, config: Sync, log: Log) -> None:
    origin = Origin(config.household or Settings().household, ACTOR)
    said = request_sync(log.store, log.outside, origin, full=config.full)
    if said is None:
        context.log.info("Tandoor lists nothing that is new.")
    else:
        context.log.info(f"Asked at position {said.position}: sync_tandoor reads what changed.")
        context.add_output_metadata({"position": said.position, "correlation": str(said.correlation_id)})


@dg.job(description="Brings the recipes in line with the household's Tandoor (MEALS_TANDOOR_URL).")
def sync_recipes() -> None:
    ask_for_recipes()


class Ticks(dg.Config):
    """Whose list."""

    household: str = HOUSEHOLD


@dg.op
def read_what_was_ticked(context: dg.OpExecutionContext, config: Ticks, log: Log) -> None:
    settings = Settings()
    origin = Origin(config.household or settings.household, ACTOR)
    items = read_ticks(log.store, log.outside, origin, settings.today())
    context.log.info(f"{len(items):,} items were ticked in Tandoor's list, or put back.")
    context.add_output_metadata({"items": len(items)})


@dg.job(description="Ticks of people in Tandoor's shopping list become ticks here, where that list is published.")
def read_shopping_ticks() -> None:
    read_what_was_ticked()


class Models(dg.Config):
    """What to build anew."""

    models: list[str] = Field(default=[], description=f"All when empty; of {', '.join(READ_MODELS)}.")


@dg.op
def build_anew(context: dg.OpExecutionContext, config: Models, log: Log) -> None:
    for name in known(config.models, READ_MODELS, "models") or READ_MODELS:
        done = rebuild(READ_MODELS[name](), log.store)
        rate = done.events / max(done.seconds, 1e-9)
        context.log.info(
            f"{name}: {done.events:,} events in {done.seconds:.2f} s ({rate:,.0f}/s), {done.difference.rows:,} rows,"
            f" {done.difference.differing:,} of them other than before"
        )
        context.log_event(
            dg.AssetObservation(
                dg.AssetKey(["read_model", name]), metadata=difference_of(done.difference, position=done.position)
            )
        )


@dg.job(description="Builds read models anew from the whole log beside the live ones, compares, and exchanges them.")
def rebuild_read_models() -> None:
    build_anew()


class Stretch(dg.Config):
    """What to handle again."""

    consumer: str = Field(description=f"One of {', '.join(CONSUMERS)}.")
    after: int = Field(default=0, ge=0, description="The position after which to begin; 0: from the beginning.")
    until: int = Field(default=0, ge=0, description="The last position; 0: the newest.")
    say: bool = Field(default=False, description="Append what the log does not have yet.")
    act: bool = Field(default=False, description="Do again what was done outside, with the same keys.")


@dg.op
def handle_again(context: dg.OpExecutionContext, config: Stretch, log: Log) -> None:
    (name,) = known([config.consumer], CONSUMERS, "consumer")
    consumer, until = CONSUMERS[name](log.outside), config.until or None
    found = replay(consumer, log.store, config.after, until, say=config.say, act=config.act)
    for difference in found:
        context.log.info(str(difference))
    context.add_output_metadata({"differences": len(found)})


@dg.job(description="Hands a consumer events of the past again, and shows what it would say now that it did not then.")
def replay_consumer() -> None:
    handle_again()


@dg.op
def walk_the_chain(context: dg.OpExecutionContext, log: Log) -> None:
    finding = chain(log.store)
    context.add_output_metadata(finding.metadata)
    if not finding.passed:
        raise dg.Failure(
            "the log is not what was appended: `meals events verify` says where. Keep this database as it is, and"
            " compare it with a backup",
            metadata=finding.metadata,
            allow_retries=False,
        )
    context.log.info(f"The chain is whole: {finding.metadata['events']:,} events.")


@dg.job(description="Walks the log's chain: every event as it was appended, in its place, and none missing.")
def verify_log() -> None:
    walk_the_chain()


class Checks(dg.Config):
    """Which checks to look at."""

    checks: list[str] = Field(default=[], description="As weight_trend.is_current; all when empty.")


@dg.op
def tell_the_operator(context: dg.OpExecutionContext, config: Checks, log: Log) -> None:
    settings = Settings()
    origin = Origin(settings.household, ACTOR)
    only = known(config.checks, NAMED, "checks")
    for alert in alerts(context.instance, log.store, settings.household, settings.today(), only):
        context.instance.report_runless_asset_event(alert.evaluation())
        said = request_notification(log.store, alert.wanted, origin)
        context.log.info(f"{alert.wanted.title}: asked at position {said.position}, deliver sends it.")


@dg.job(description="Tells the operator of checks that do not hold, once a day each, and when they hold again.")
def tell_of_checks() -> None:
    tell_the_operator()


class Forgotten(dg.Config):
    """Who is to be forgotten, said twice."""

    household: str = HOUSEHOLD
    person: str = Field(description="Short id of the person.")
    confirm: str = Field(description="The same id again: what they wrote becomes unreadable, and nothing can undo it.")


@dg.op
def remove_the_key(context: dg.OpExecutionContext, config: Forgotten, log: Log) -> None:
    if config.confirm != config.person:
        raise Invalid("confirm", f"{config.confirm!r} does not repeat {config.person!r}: nobody was forgotten")
    said = forgetting.forget_person(log.store, config.person, Origin(config.household or Settings().household, ACTOR))
    context.log.info(
        f"{config.person} is forgotten at position {said.position}. Backups made before hold what they held."
    )


@dg.job(description="Forgets a person: the key to what they wrote goes, and with it what read models know of them.")
def forget_person() -> None:
    remove_the_key()


class Keep(dg.Config):
    """How long Dagster remembers. The log itself, and what it proves, is kept for ever."""

    days: int = Field(default=30, ge=1, description="Runs, and materializations but the newest, older than this go.")


@dg.op
def forget_what_is_old(context: dg.OpExecutionContext, config: Keep, log: Log) -> None:
    before = datetime.now().astimezone() - timedelta(days=config.days)
    runs = forget_runs(context.instance, before, context.run_id)
    told = forget_told(context.instance, log.store.database, before)
    context.log.info(f"{runs:,} runs and {told:,} reports from before {before:%d %B %Y} are gone.")
    context.add_output_metadata({"runs": runs, "reports": told})


@dg.job(description="Deletes old runs and reports from Dagster's own storage, which would else grow without end.")
def keep_dagster_small() -> None:
    forget_what_is_old()


compare_some_days = dg.define_asset_job(
    "compare_some_days",
    selection=dg.AssetSelection.checks(*NIGHTLY),
    description="Sums up a sample of days anew and compares.",
)
rebuild_and_compare = dg.define_asset_job(
    "rebuild_and_compare",
    selection=dg.AssetSelection.checks(*WEEKLY),
    description="Walks the chain, builds every read model anew, and compares.",
)

JOBS: list[Job] = [
    plan_week,
    reconcile_day,
    report_week,
    sync_recipes,
    read_shopping_ticks,
    rebuild_read_models,
    replay_consumer,
    verify_log,
    forget_person,
    tell_of_checks,
    keep_dagster_small,
    compare_some_days,
    rebuild_and_compare,
]


def week_eaten(db: Connection, household: str, person: str, week: date) -> WeekEaten:
    """The person's week from that Monday on, as the read models show it."""
    last = week + timedelta(days=6)
    (target,) = [t.target for t in household_targets(db, household) if t.person == person] or [None]
    closed = [d for d in reconciled_days(db, household, week, last) if d.person == person]
    spent = newest_balance(db, household, person, last)
    return WeekEaten(
        person=person,
        week=week,
        days={d.day: _macros(d.eaten) for d in days_eaten(db, household, week, last, person)},
        target=None if target is None else _macros(target),
        closed=len(closed),
        within=sum(d.on_target for d in closed),
        streak=streaks(db, household, last).get(person, 0),
        tolerance_pct=closed[-1].tolerance_pct if closed else DEFAULT_TOLERANCE_PCT,
        spent_kcal=None if spent is None else (spent.kcal, spent.low_kcal, spent.high_kcal),
        trend_kg=(
            newest_trend(db, household, person, week - timedelta(days=1)),
            newest_trend(db, household, person, last),
        ),
    )


def _macros(figures: Sequence[float]) -> Macros:
    return Macros(**dict(zip(MACROS, figures, strict=True)))


def monday_of(day: str, settings: Settings) -> date:
    """The Monday of the week of the day, or of next week."""
    on = day_of(day, "week") if day else settings.today() + timedelta(days=7)
    return on - timedelta(days=on.weekday())


def day_of(typed: str, field: str) -> date:
    """The day that somebody typed. Raises `Invalid`, with an example, for anything else."""
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise Invalid(field, f"{typed!r} is no day: write it as 2026-11-30, or leave it empty") from None


def known(names: list[str], there_are: Collection[str], field: str) -> list[str]:
    """The names. Raises `Invalid`, with those there are, for another."""
    for name in names:
        if name not in there_are:
            raise Invalid(field, f"{name!r} is none of {', '.join(there_are)}")
    return names
