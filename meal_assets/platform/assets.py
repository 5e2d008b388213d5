"""Topics, read models and consumers as assets: the graph of who reacts to what."""

from collections.abc import Iterator
from functools import cache

import dagster as dg

from meal_assets.consumers import CONSUMERS, Consumer, consume
from meal_assets.contracts import TOPICS
from meal_assets.event_store.checkpoints import checkpoints, mark_reported, nothing_done, take_unreported
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up, refold_days
from meal_assets.subscriptions import flag_of, standings

from .columns import model_lineage, model_schema, topic_schema
from .keys import GROUPS, key_of, syncs_into, topic_key, topics_of, topics_said
from .piping import with_pipes
from .resources import Log
from .shown import behind_by, metadata_of, picture
from .sources import code_references

OWNERS = ["team:meals"]
LAYER = "meals/layer"
"""The tag to select by: `tag:meals/layer=read_model`."""
FIRST_DAY = "2018-01-01"
"""The first daily partition; older diary days are kept and served, but are no partition."""


@cache
def days_in(zone: str) -> dg.DailyPartitionsDefinition:
    """The days of this IANA time zone, up to today: a household's day begins before UTC's, or after it."""
    return dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone=zone, end_offset=1)


def topic(name: str) -> dg.AssetSpec:
    """A topic of the log: an external asset, written by commands and by the consumers above it."""
    events = "\n".join(f"- `{e.type_name}` v{e.version}: {e.__doc__}" for e in TOPICS[name])
    return dg.AssetSpec(
        topic_key(name),
        deps=[*(key_of(c) for c in CONSUMERS.values() if name in topics_said(c)), *syncs_into(name)],
        group_name=GROUPS["topic"],
        kinds={"postgres", "event"},
        owners=OWNERS,
        tags={LAYER: "topic"},
        description=f"Events of the topic `{name}`:\n\n{events}",
        metadata={
            "dagster/column_schema": topic_schema(name),
            **code_references(TOPICS[name][0], TOPICS[name], "tour.md"),
        },
    )


def read_model(model: type[ReadModel], zone: str = "UTC") -> dg.AssetsDefinition:
    """Materializing brings the model to the head of the log; a partition is summed up anew from its own events.

    Its partitions, if it has any, are the days of this IANA time zone.
    """

    @dg.asset(
        key=key_of(model),
        deps=[topic_key(t) for t in topics_of(model.listens_to)],
        group_name=GROUPS["read_model"],
        kinds={"postgres", "table"},
        owners=OWNERS,
        code_version=str(model.version),
        description=_described(model),
        tags={LAYER: "read_model"},
        metadata={
            "dagster/table_name": f"read.{next(iter(model.tables))}",
            "dagster/column_schema": model_schema(model),
            "dagster/column_lineage": model_lineage(model),
            **code_references(model, model.listens_to, "adding.md"),
        },
        freshness_policy=freshness(model),
        partitions_def=days_in(zone) if model.partitioned_by else None,
        backfill_policy=dg.BackfillPolicy.single_run() if model.partitioned_by else None,
    )
    def _asset(context: dg.AssetExecutionContext, log: Log) -> Iterator[dg.MaterializeResult[None]]:
        taken = catch_up(model(), log.store)
        where = "another process is at it" if taken.position is None else f"now at {taken.position:,}"
        context.log.info(f"{model.name}: {taken.events:,} new events folded, {where}")
        days = list(context.partition_keys) if context.has_partition_key or context.has_partition_key_range else []
        if days:
            refold_days(model(), log.store, days)
            context.log.info(f"{len(days):,} days from {days[0]} to {days[-1]} summed up anew from their own events")
        yield from _reported(context, log, model, of_many_days=len(days) > 1)

    return _asset


def freshness(model: type[ReadModel]) -> dg.FreshnessPolicy | None:
    """A warning when nothing came for longer than usual, a failure after twice that."""
    if model.fresh_for is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=2 * model.fresh_for, warn_window=model.fresh_for)


def consumer(kind: type[Consumer]) -> dg.AssetsDefinition:
    """Materializing hands the consumer what is new; what it then says appears in the topics below it."""

    @dg.asset(
        key=key_of(kind),
        deps=[topic_key(t) for t in topics_of(kind.listens_to)],
        group_name=GROUPS["consumer"],
        kinds={"python"},
        owners=OWNERS,
        code_version=str(kind.version),
        description=_described(kind),
        tags={LAYER: "consumer"},
        metadata=code_references(kind, (*kind.listens_to, *kind.says), "adding.md"),
    )
    def _asset(context: dg.AssetExecutionContext, log: Log) -> Iterator[dg.MaterializeResult[None]]:
        done = consume(with_pipes(kind(log.outside), context), log.store, wait=True)
        context.log.info(f"{kind.name}: {done.handled} handled, {done.set_aside} set aside, now at {done.position}")
        yield from _reported(context, log, kind)
        if done.failed:
            raise dg.Failure(
                f"{kind.name} stopped before the event after position {done.position}: {done.failed}."
                " The sensor asks again when the back-off is over.",
                allow_retries=False,
            )

    return _asset


def _reported(
    context: dg.AssetExecutionContext,
    log: Log,
    subscriber: type[ReadModel] | type[Consumer],
    *,
    of_many_days: bool = False,
) -> Iterator[dg.MaterializeResult[None]]:
    """What was done since the last report; it counts as reported only once Dagster has it."""
    standing = next((s for s in standings(log.store) if s.subscriber is subscriber), None)
    if standing and standing.paused:
        context.log.warning(f"{subscriber.name} is paused: `meals resume {subscriber.name}` lets it go on.")
    elif standing and standing.switch.mode == "shadow":
        flag = flag_of(subscriber)
        context.log.warning(
            f"{subscriber.name} only shadows and says nothing: `meals flags set {flag} on` changes that."
        )
    with log.store.database.transaction() as db:
        done = next(iter(take_unreported(db, subscriber.name)), None)
        at = checkpoints(db).get(subscriber.name)
        if at is None:
            raise dg.Failure(
                f"{subscriber.name} has no rows yet, and another process is making them:"
                " `meals status` shows when they are there. Nothing is lost; materialize it again then.",
                allow_retries=False,
            )
        shown = done or nothing_done(db, subscriber.name, at.version, at.position)
        metadata = metadata_of(db, subscriber, shown) | (behind_by(standing) if standing else {})
        if not of_many_days:  # Dagster keeps the same for each of them, and a picture takes the room of ten reports
            metadata |= picture(db, subscriber)
        yield dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(str(at.position)))
        if done:
            mark_reported(db, done)


def _described(subscriber: type[ReadModel] | type[Consumer]) -> str:
    heard = "".join(f"\n- `{e.type_name}`" for e in subscriber.listens_to)
    said = "".join(f"\n- `{e.type_name}`" for e in getattr(subscriber, "says", ()))
    return f"{subscriber.__doc__}\n\nListens to:{heard}" + (f"\n\nSays:{said}" if said else "")


def all_assets(zone: str) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """Days are those of this IANA time zone."""
    models = [read_model(model, zone) for model in READ_MODELS.values()]
    return [*map(topic, TOPICS), *models, *map(consumer, CONSUMERS.values())]
