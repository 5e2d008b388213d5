"""Topics, read models and consumers as assets: the graph of who reacts to what."""

from collections.abc import Iterator

import dagster as dg

from meal_assets.consumers import CONSUMERS, Consumer, consume
from meal_assets.contracts import TOPICS
from meal_assets.event_store.checkpoints import checkpoints, mark_reported, nothing_done, take_unreported
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up, refold_days

from .columns import model_lineage, model_schema, topic_schema
from .keys import GROUPS, key_of, syncs_into, topic_key, topics_of, topics_said
from .piping import with_pipes
from .resources import Log
from .shown import metadata_of, picture
from .sources import code_references

OWNERS = ["team:meals"]
LAYER = "meals/layer"
"""The tag to select by: `tag:meals/layer=read_model`."""
FIRST_DAY = "2018-01-01"
"""The first daily partition; older diary days are kept and served, but are no partition."""
DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, end_offset=1)


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


def read_model(model: type[ReadModel]) -> dg.AssetsDefinition:
    """Materializing brings the model to the head of the log; a partition is summed up anew from its own events."""

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
        partitions_def=DAYS if model.partitioned_by else None,
        backfill_policy=dg.BackfillPolicy.single_run() if model.partitioned_by else None,
    )
    def _asset(context: dg.AssetExecutionContext, log: Log) -> Iterator[dg.MaterializeResult[None]]:
        catch_up(model(), log.store)
        if context.has_partition_key or context.has_partition_key_range:
            refold_days(model(), log.store, [str(d) for d in context.partition_keys])
        yield from _reported(log, model)

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
        yield from _reported(log, kind)
        if done.failed:
            raise dg.Failure(
                f"{kind.name} stopped before the event after position {done.position}: {done.failed}."
                " The sensor asks again when the back-off is over.",
                allow_retries=False,
            )

    return _asset


def _reported(log: Log, subscriber: type[ReadModel] | type[Consumer]) -> Iterator[dg.MaterializeResult[None]]:
    """What was done since the last report; it counts as reported only once Dagster has it."""
    with log.store.database.transaction() as db:
        done = next(iter(take_unreported(db, subscriber.name)), None)
        at = checkpoints(db)[subscriber.name]
        shown = done or nothing_done(db, subscriber.name, at.version, at.position)
        yield dg.MaterializeResult(
            metadata=metadata_of(db, subscriber, shown) | picture(db, subscriber),
            data_version=dg.DataVersion(str(at.position)),
        )
        if done:
            mark_reported(db, done)


def _described(subscriber: type[ReadModel] | type[Consumer]) -> str:
    heard = "".join(f"\n- `{e.type_name}`" for e in subscriber.listens_to)
    said = "".join(f"\n- `{e.type_name}`" for e in getattr(subscriber, "says", ()))
    return f"{subscriber.__doc__}\n\nListens to:{heard}" + (f"\n\nSays:{said}" if said else "")


def all_assets() -> list[dg.AssetSpec | dg.AssetsDefinition]:
    return [*map(topic, TOPICS), *map(read_model, READ_MODELS.values()), *map(consumer, CONSUMERS.values())]
