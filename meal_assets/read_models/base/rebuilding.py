"""A read model rebuilt beside itself, compared with the live one, exchanged for it, and taken back if need be."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from psycopg.errors import LockNotAvailable
from psycopg.types.json import Jsonb

from meal_assets.errors import Unavailable
from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import (
    Checkpoint,
    drop_checkpoint,
    end_of_batch,
    lock_checkpoint,
    move_checkpoint,
    note_done,
)
from meal_assets.event_store.heartbeats import GOES_ON, reason

from .comparing import SAMPLE, Difference, compare
from .folding import BATCH, Busy, fold_shadow, former_of, shadow_of
from .forgetting import fold_batch
from .model import ReadModel
from .tables import FORMER, LIVE, SHADOW, create_tables, move_tables, use_schema


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A rebuild that took the place of the live tables, and how those differed from it.

    `from_version` is None where there was nothing live to compare with. `events` and `seconds` are this call's own.
    """

    position: int
    batches: int
    events: int
    seconds: float
    version: int
    from_version: int | None
    difference: Difference

    @property
    def alarming(self) -> bool:
        """The same fold over the same events gave other rows: the live ones were changed by somebody else, or wrong."""
        return self.from_version == self.version and self.difference.differing > 0


def rebuild(
    model: ReadModel,
    store: EventStore,
    *,
    batch: int = BATCH,
    progress: Callable[[int], None] | None = None,
    patience: float | None = None,
) -> Rebuilt:
    """Fold the whole log into shadow tables, compare, and put them in the place of the live ones in one transaction.

    Readers see the old rows until then. `progress` is told the position reached. Interrupted, it goes on where it was.
    What was live is kept in the schema `former`, for `undo_rebuild`.
    Another process that rebuilds it is waited for; raises `Busy` when that takes longer than `patience` seconds.
    """
    began, batches, events = time.perf_counter(), 0, 0
    with _alone(model, store, patience):
        with store.database.transaction() as db:
            at = lock_checkpoint(db, shadow_of(model))
            if at is None or at.version != model.version:
                create_tables(db, model, SHADOW)
                move_checkpoint(db, shadow_of(model), 0, model.version)
        left = True
        while left:
            with store.database.transaction() as db:
                done = fold_shadow(db, model, batch)
            left = done.count == batch
            if done.upto is not None:
                batches, events = batches + 1, events + done.count
                if progress:
                    progress(done.upto)
        with store.database.transaction() as db:
            live = _lock_live(db, model)
            while (done := fold_shadow(db, model, batch)).upto is not None:
                batches, events = batches + 1, events + done.count
            difference, live = _compare(db, model, live, done.position)
            _exchange(db, model, live, done.position, difference)
            rebuilt = Rebuilt(
                done.position,
                batches,
                events,
                time.perf_counter() - began,
                model.version,
                live.version if live else None,
                difference,
            )
            _note(db, model, rebuilt)
    return rebuilt


def undo_rebuild(model: ReadModel, store: EventStore, *, patience: float | None = None) -> int:
    """Put the tables from before the last rebuild back, in one transaction; the position they stand at.

    What they replace is kept in their stead: a second call takes the first back.
    Raises `Unavailable` when nothing is kept, or of another version than this program folds, `Busy` as `rebuild` does.
    """
    with _alone(model, store, patience), store.database.transaction() as db:
        live = _lock_live(db, model)
        former = lock_checkpoint(db, former_of(model))
        if live is None or former is None:
            raise Unavailable(f"nothing is kept of {model.name} from before a rebuild: there is nothing to go back to")
        if former.version != model.version:
            raise Unavailable(
                f"what is kept of {model.name} is of version {former.version}, this program folds version"
                f" {model.version}: go back to the program that made it, then call this again"
            )
        drop_checkpoint(db, shadow_of(model))
        move_tables(db, model, LIVE, SHADOW)
        move_tables(db, model, FORMER, LIVE)
        move_tables(db, model, SHADOW, FORMER)
        move_checkpoint(db, model.name, former.position, former.version)
        move_checkpoint(db, former_of(model), live.position, live.version)
        _report(db, model, former.position)
    return former.position


@contextmanager
def _alone(model: ReadModel, store: EventStore, patience: float | None = None) -> Iterator[None]:
    """One rebuild of a model at a time; the lock falls with the connection if this process dies."""
    with store.database.dedicated() as connection:
        try:
            connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{(patience or 0) * 1000:.0f}ms",))
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (shadow_of(model),))
        except LockNotAvailable as error:
            raise Busy(f"another process rebuilds {model.name}") from error
        yield


def _lock_live(db: Connection, model: ReadModel) -> Checkpoint | None:
    db.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (model.name,))
    return lock_checkpoint(db, model.name)


def _compare(
    db: Connection, model: ReadModel, live: Checkpoint | None, position: int
) -> tuple[Difference, Checkpoint | None]:
    """The difference, with the live tables brought to where the shadow is if they can be; and where they are now."""
    if live is not None and live.version == model.version:
        try:
            with db.transaction():
                _fold_live_to(db, model, live.position, position)
            live = Checkpoint(position, live.version)
        except Exception as error:  # what cannot be folded any more is about to be replaced; its rows tell the rest
            found = compare(db, model, live=True)
            stopped = {"table": model.name, "key": {}, "how": f"could not be folded to {position}: {reason(error)}"}
            return replace(found, sample=(stopped, *found.sample)[:SAMPLE]), live
    return compare(db, model, live=live is not None), live


def _fold_live_to(db: Connection, model: ReadModel, after: int, position: int) -> None:
    use_schema(db, LIVE)
    while after < position:
        upto = min(end_of_batch(db, model.listens_to, after, BATCH) or position, position)
        fold_batch(db, model, after, upto)
        after = upto


def _exchange(db: Connection, model: ReadModel, live: Checkpoint | None, position: int, difference: Difference) -> None:
    move_tables(db, model, LIVE, FORMER)
    move_tables(db, model, SHADOW, LIVE)
    drop_checkpoint(db, shadow_of(model))
    drop_checkpoint(db, former_of(model))
    if live is not None:
        move_checkpoint(db, former_of(model), live.position, live.version)
    move_checkpoint(db, model.name, position, model.version)
    db.execute(GOES_ON, {"subscriber": model.name})
    found = difference
    changed = {"inserted": found.only_rebuilt, "updated": found.different, "deleted": found.only_live}
    _report(db, model, position, changed if live else {"inserted": found.rows})


def _report(db: Connection, model: ReadModel, position: int, rows: dict[str, int] | None = None) -> None:
    if position:
        batch = Batch(db, model.listens_to, 0, position)
        note_done(db, batch, subscriber=model.name, version=model.version, seconds=0, rows=rows)


def _note(db: Connection, model: ReadModel, rebuilt: Rebuilt) -> None:
    found = rebuilt.difference
    db.execute(
        "INSERT INTO log.rebuilds (subscriber, version, from_version, position, rows, only_live, only_rebuilt,"
        " different, sample, seconds) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            model.name,
            rebuilt.version,
            rebuilt.from_version,
            rebuilt.position,
            found.rows,
            found.only_live,
            found.only_rebuilt,
            found.different,
            Jsonb(found.sample),
            rebuilt.seconds,
        ),
    )
