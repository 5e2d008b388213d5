"""What holds for all read models, and for each one that is added."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import psycopg
import pytest
from psycopg import sql

from meal_assets.contracts.shopping import ItemTicked
from meal_assets.event_store import Connection, Database, EventStore
from meal_assets.event_store.batch import Batch
from meal_assets.event_store.checkpoints import Checkpoint, checkpoints, heads
from meal_assets.event_store.database import fetch_row
from meal_assets.read_models import READ_MODELS, ReadModel, catch_up, rebuild, refold_days
from tests.event_store.material import PATIENCE

from .conftest import forget, outbox_of, rows_of, with_fold
from .histories import History

Fold = Callable[[Batch], None]
MODELS = [model() for model in READ_MODELS.values()]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
EVERY_DAILY = pytest.mark.parametrize("model", [m for m in MODELS if m.partitioned_by], ids=lambda m: m.name)


class Stop(Exception):
    """The process ends here."""


def checkpoint_of(store: EventStore, model: ReadModel) -> Checkpoint | None:
    with store.database.transaction() as db:
        return checkpoints(db).get(model.name)


def about(model: ReadModel, store: EventStore) -> int:
    """How many events of the log the model listens to."""
    with store.database.transaction() as db:
        return sum(Batch(db, model.listens_to, 0, store.head()).types().values())


def head_of(model: ReadModel, store: EventStore) -> int:
    """The position of the last of them."""
    with store.database.transaction() as db:
        return max(heads(db, model.listens_to).values())


@EVERY
def test_one_by_one_in_batches_of_any_size_and_from_zero_give_the_same_rows(
    log: EventStore, history: History, model: ReadModel
) -> None:
    forget(log, model)
    history.append_of(*model.listens_to)
    assert catch_up(model, log, batch=1).batches == about(model, log)
    one_by_one = rows_of(log, model)
    assert any(one_by_one.values()), "a history that leaves no row shows nothing"
    for size in (2, 7, 10_000):
        forget(log, model)
        catch_up(model, log, batch=size)
        assert rows_of(log, model) == one_by_one, f"in batches of {size}"
    rebuild(model, log, batch=13)
    assert rows_of(log, model) == one_by_one, "rebuilt"


@EVERY
def test_a_first_fold_that_fails_leaves_no_row_no_checkpoint_and_no_report(log: EventStore, model: ReadModel) -> None:
    forget(log, model)
    with pytest.raises(Stop):
        catch_up(with_fold(model, folds_then_stops), log)
    assert checkpoint_of(log, model) is None
    assert outbox_of(log, model) == []
    with log.database.transaction() as db:
        query = "SELECT FROM pg_tables WHERE schemaname = 'read' AND tablename = ANY(%s)"
        assert db.execute(query, (list(model.tables),)).rowcount == 0


@EVERY
def test_a_later_fold_that_fails_leaves_rows_and_checkpoint_where_they_were(
    log: EventStore, history: History, model: ReadModel
) -> None:
    catch_up(model, log)
    before = rows_of(log, model), checkpoint_of(log, model), outbox_of(log, model)
    history.append_of(*model.listens_to)
    with pytest.raises(Stop):
        catch_up(with_fold(model, folds_then_stops), log)
    assert (rows_of(log, model), checkpoint_of(log, model), outbox_of(log, model)) == before


def folds_then_stops(batch: Batch, fold: Fold) -> None:
    fold(batch)
    raise Stop


@EVERY
def test_rows_whose_checkpoint_cannot_be_written_are_not_there(
    log: EventStore, history: History, model: ReadModel
) -> None:
    catch_up(model, log)
    before = rows_of(log, model), checkpoint_of(log, model), outbox_of(log, model)
    history.append_of(*model.listens_to)
    with psycopg.connect(log.database.url, autocommit=True) as owner:
        owner.execute("ALTER TABLE log.checkpoints ADD CONSTRAINT disk_is_full CHECK (false) NOT VALID")
        try:
            with pytest.raises(psycopg.errors.CheckViolation):
                catch_up(model, log)
        finally:
            owner.execute("ALTER TABLE log.checkpoints DROP CONSTRAINT disk_is_full")
    assert (rows_of(log, model), checkpoint_of(log, model), outbox_of(log, model)) == before


@EVERY
def test_each_batch_says_how_many_rows_it_touched(log: EventStore, history: History, model: ReadModel) -> None:
    forget(log, model)
    history.append_of(*model.listens_to, *model.listens_to)
    catch_up(model, log, batch=2)
    catch_up(model, log, batch=2)
    with log.database.transaction() as db:
        rows = db.execute("SELECT rows FROM log.outbox WHERE subscriber = %s ORDER BY id", (model.name,)).fetchall()
    counted = [tuple(row[kind] for kind in ("inserted", "updated", "deleted")) for (row,) in rows if row]
    assert all(count >= 0 for counts in counted for count in counts)
    assert any(sum(counts) for counts in counted)
    there = sum(len(rows) for rows in rows_of(log, model).values())
    assert sum(inserted - deleted for inserted, _, deleted in counted) == there


@EVERY
def test_a_second_time_with_nothing_new_folds_nothing_and_reports_nothing(log: EventStore, model: ReadModel) -> None:
    there = catch_up(model, log).position
    reported = outbox_of(log, model)
    again = catch_up(model, log)
    assert (again.position, again.batches) == (there, 0)
    assert outbox_of(log, model) == reported


class Counting(Database):
    """A database that counts its transactions."""

    transactions = 0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.transactions += 1
        with super().transaction() as db:
            yield db


@EVERY
def test_what_fits_into_a_batch_takes_one_transaction(log: EventStore, history: History, model: ReadModel) -> None:
    catch_up(model, log)
    history.append_of(model.listens_to[0])
    with Counting(log.database.url) as database:
        assert catch_up(model, EventStore(database)).batches == 1
        assert database.transactions == 1
    assert catch_up(model, log).batches == 0


class Meeting(Database):
    """A database whose first transaction begins when the other side has come as far."""

    def __init__(self, url: str, barrier: Barrier) -> None:
        super().__init__(url)
        self.barrier: Barrier | None = barrier

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        if self.barrier is not None:
            barrier, self.barrier = self.barrier, None
            barrier.wait(PATIENCE)
        with super().transaction() as db:
            yield db


def folds_slowly(batch: Batch, fold: Fold) -> None:
    fold(batch)
    time.sleep(0.03)


def at_once(url: str, *acts: Callable[[EventStore], object]) -> None:
    """Let each act in a thread and over connections of its own, from the same moment on."""
    barrier = Barrier(len(acts))

    def act(what: Callable[[EventStore], object]) -> None:
        with Meeting(url, barrier) as database:
            what(EventStore(database))

    with ThreadPoolExecutor(len(acts)) as pool:
        for future in [pool.submit(act, what) for what in acts]:
            future.result(PATIENCE)


@EVERY
def test_two_processes_at_once_fold_each_event_once(log: EventStore, history: History, model: ReadModel) -> None:
    forget(log, model)
    slow = with_fold(model, folds_slowly)
    at_once(log.database.url, lambda s: catch_up(slow, s), lambda s: catch_up(slow, s))  # no checkpoint to lock yet
    history.append_of(*model.listens_to)
    at_once(log.database.url, lambda s: catch_up(slow, s), lambda s: catch_up(slow, s))
    live = rows_of(log, model)
    rebuild(model, log)
    assert rows_of(log, model) == live


@EVERY
def test_two_processes_at_once_report_each_event_once(log: EventStore, model: ReadModel) -> None:
    forget(log, model)
    slow = with_fold(model, folds_slowly)
    at_once(log.database.url, lambda s: catch_up(slow, s, batch=100), lambda s: catch_up(slow, s, batch=100))
    reached = 0
    for after, to, _, _ in outbox_of(log, model):
        assert after == reached
        reached = to
    assert sum(sum(types.values()) for _, _, types, _ in outbox_of(log, model)) == about(model, log)


@EVERY
def test_a_first_fold_and_a_rebuild_at_once_give_the_same_rows(log: EventStore, model: ReadModel) -> None:
    forget(log, model)
    rebuilt = Event()

    def folds_until_the_shadow_is_built(batch: Batch, fold: Fold) -> None:
        fold(batch)
        rebuilt.wait(PATIENCE)
        time.sleep(0.03)

    slow = with_fold(model, folds_until_the_shadow_is_built)
    at_once(
        log.database.url,
        lambda s: catch_up(slow, s),
        lambda s: rebuild(model, s, progress=lambda _: rebuilt.set()),
    )
    at_once_rows = rows_of(log, model)
    rebuild(model, log)
    assert rows_of(log, model) == at_once_rows


@EVERY
def test_a_new_version_is_built_by_itself_and_readers_see_the_old_rows_until_then(
    log: EventStore, elsewhere: EventStore, model: ReadModel
) -> None:
    catch_up(model, log)
    with log.database.transaction() as db:
        for table in model.tables:
            db.execute(f"ALTER TABLE read.{table} ADD COLUMN of_the_old_version integer DEFAULT 1")
    old, seen = rows_of(log, model), []

    def folds_and_looks(batch: Batch, fold: Fold) -> None:
        fold(batch)
        seen.append(rows_of(elsewhere, model))

    newer = with_fold(model, folds_and_looks, newer=1)
    assert 0 < catch_up(newer, log, batch=100).batches <= len(seen)
    assert all(rows == old for rows in seen)
    assert checkpoint_of(log, model) == Checkpoint(head_of(model, log), model.version + 1)
    forget(log, model)
    new = {table: [row[:-1] for row in rows] for table, rows in old.items()}
    catch_up(model, log)
    assert rows_of(log, model) == new


@EVERY
def test_a_rebuild_while_others_write_ends_at_the_head(log: EventStore, history: History, model: ReadModel) -> None:
    catch_up(model, log)
    grown = iter(range(3))

    def writes(_: int) -> None:
        if next(grown, None) is not None:
            history.append_of(*model.listens_to)

    assert rebuild(model, log, batch=50, progress=writes).position == head_of(model, log)
    rebuilt = rows_of(log, model)
    assert catch_up(model, log).batches == 0
    forget(log, model)
    catch_up(model, log)
    assert rows_of(log, model) == rebuilt


class Writing(Database):
    """A database in which somebody else writes just before the `at`-th transaction begins."""

    def __init__(self, url: str, at: int, write: Callable[[], None]) -> None:
        super().__init__(url)
        self.at, self.write = at, write

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self.at -= 1
        if self.at == 0:
            self.write()
        with super().transaction() as db:
            yield db


@EVERY
@pytest.mark.parametrize("at", [2, 3], ids=["before the last batch", "before the tables are exchanged"])
def test_what_is_written_at_the_end_of_a_rebuild_is_in_it(
    log: EventStore, history: History, model: ReadModel, at: int
) -> None:
    with Writing(log.database.url, at, lambda: history.append_of(*model.listens_to)) as database:
        assert rebuild(model, EventStore(database)).position == head_of(model, log)
    rebuilt = rows_of(log, model)
    rebuild(model, log)
    assert rows_of(log, model) == rebuilt


@EVERY
def test_an_interrupted_rebuild_leaves_the_live_rows_and_goes_on_where_it_was(
    log: EventStore, model: ReadModel
) -> None:
    catch_up(model, log)
    live = rows_of(log, model)
    size = about(model, log) // 3 + 1

    def stops(_: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        rebuild(model, log, batch=size, progress=stops)
    assert rows_of(log, model) == live
    assert rebuild(model, log, batch=size).batches == -(-about(model, log) // size) - 1
    assert rows_of(log, model) == live


@EVERY_DAILY
def test_days_summed_up_anew_are_as_they_were_also_when_their_rows_were_destroyed(
    log: EventStore, model: ReadModel
) -> None:
    catch_up(model, log)
    before = rows_of(log, model)
    days = sorted({day for *_, partitions in outbox_of(log, model) for day in partitions})
    refold_days(model, log, days)
    assert rows_of(log, model) == before
    column = sql.Identifier(str(model.partitioned_by))
    with log.database.transaction() as db:
        main = sql.Identifier("read", next(iter(model.tables)))
        (day,) = fetch_row(db, sql.SQL("SELECT min({})::text FROM {}").format(column, main))  # one that has rows
        for table in model.tables:
            db.execute(sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier("read", table), column), (day,))
    refold_days(model, log, [d for d in days if d != day])
    assert rows_of(log, model) != before
    refold_days(model, log, [day])
    assert rows_of(log, model) == before


@EVERY_DAILY
def test_every_batch_names_the_days_it_touched(log: EventStore, model: ReadModel) -> None:
    forget(log, model)
    catch_up(model, log, batch=about(model, log) // 5 + 1)
    reported = [r for r in outbox_of(log, model) if r[1]]
    assert len(reported) > 3
    for after, to, _, days in reported:
        events = [r.event for r in log.read(after, model.listens_to, until=to)]
        assert days == sorted({str(day) for e in events if (day := getattr(e, str(model.partitioned_by), None))})


@pytest.mark.parametrize("model", [m for m in MODELS if not m.partitioned_by], ids=lambda m: m.name)
def test_a_model_without_days_cannot_be_summed_up_by_day(log: EventStore, model: ReadModel) -> None:
    with pytest.raises(ValueError, match="no daily partitions"):
        refold_days(model, log, ["2026-11-23"])


@EVERY
def test_it_has_a_docstring_and_something_to_show(log: EventStore, model: ReadModel) -> None:
    assert (type(model).__doc__ or "").strip()
    catch_up(model, log)
    with log.database.transaction() as db:
        db.execute("SET LOCAL search_path TO read")
        shown = db.execute(model.shows)
        assert shown.fetchone() is not None
        assert shown.description


@EVERY
def test_every_table_begins_with_its_name_and_no_other_model_has_it(model: ReadModel) -> None:
    others = [table for other in MODELS if other is not model for table in other.tables]
    assert model.tables
    assert all(table.startswith(model.name) and table not in others for table in model.tables)


class Basket(ReadModel):
    """A model whose table does not begin with its name."""

    listens_to = (ItemTicked,)
    tables = {"weekly_basket": "item text"}
    shows = "SELECT item FROM weekly_basket"


def test_a_table_that_does_not_begin_with_the_models_name_is_refused(log: EventStore) -> None:
    with pytest.raises(ValueError, match="weekly_basket of basket must begin"):
        catch_up(Basket(), log)
