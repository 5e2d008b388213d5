"""Parts of the log go into files and come back as they were; meanwhile nobody reads over the gap."""

import json
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from meal_assets.consumers import CONSUMERS
from meal_assets.consumers.base import consume
from meal_assets.contracts import EVENTS
from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.shopping import ItemTicked
from meal_assets.errors import ArchivedEvents, Invalid, MealAssetsError, Permanent, StaleVersion, Transient, Unavailable
from meal_assets.event_store import Connection, Database, EventStore, Origin
from meal_assets.event_store.archives import archives
from meal_assets.event_store.checkpoints import move_checkpoint
from meal_assets.event_store.records import uuid7
from meal_assets.event_store.switches import mode_of
from meal_assets.interchange.archive import archive, manifest_of, restore
from meal_assets.interchange.export import export
from meal_assets.read_models import READ_MODELS, rebuild
from meal_assets.read_models.base import as_of, position_at, refold_days
from meal_assets.read_models.base.comparing import compare_some_days
from meal_assets.read_models.daily_nutrition import DailyNutrition
from meal_assets.subscriptions import fold_all
from tests.conftest import copied
from tests.event_store.material import LIST, PATIENCE, shared_store, small_partitions, ticks
from tests.processes import forked
from tests.read_models.histories import History

from .material import finish, rows

SIZE = 20
APPENDS = 45
HOME = Origin("home", "test")
FLAG = "consumer.reconcile"


@pytest.fixture(autouse=True)
def _drunk() -> None:
    """Only events that processes of their own know, too."""


@pytest.fixture(scope="module")
def full_partitions(server_url: str) -> str:
    """Name of a database with what `filled` says."""
    with (
        shared_store(server_url, "full_partitions") as store,
        psycopg.connect(store.database.url, autocommit=True) as superuser,
    ):
        fill_partitions(store, superuser)
        return superuser.info.dbname


@pytest.fixture
def database_url(server_url: str, full_partitions: str) -> Iterator[str]:
    with copied(server_url, full_partitions) as url:
        yield url


@pytest.fixture
def superuser(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def filled(store: EventStore) -> EventStore:
    """More than three partitions of twenty positions, which everybody has taken in."""
    return store


def fill_partitions(store: EventStore, superuser: Connection) -> None:
    small_partitions(superuser, SIZE)
    ids = [uuid7() for _ in range(2)]
    store.append(LIST, ticks("oats"), origin=HOME, once="the key")
    store.append(LIST, ticks("milk", "salt"), origin=HOME, event_ids=ids)
    store.append(
        "home/flag/x", [EVENTS["system.FlagSet"].model_validate({"flag": FLAG, "value": "shadow"})], origin=HOME
    )
    History(store, seed=3).append(APPENDS)
    assert fold_all(store) == []
    assert store.head() > 3 * SIZE
    with store.database.transaction() as db:
        for consumer in CONSUMERS.values():
            move_checkpoint(db, consumer.name, store.head(), consumer.version)


def away(store: EventStore, tmp_path: Path, until: int = 3 * SIZE) -> list[Path]:
    return archive(store, tmp_path, until)


def tables(store: EventStore) -> dict[str, list[tuple[Any, ...]]]:
    """All read models, folded from the beginning."""
    return {f"{m.name}.{t}": r for m in READ_MODELS.values() for t, r in as_of(m(), store, store.head()).items()}


def test_events_of_one_stream_stay_together() -> None:
    stays = defaultdict(set)
    for event in EVENTS.values():
        stays[event.stream].add(event.stays)
    assert all(len(answers) == 1 for answers in stays.values())


def test_what_comes_back_is_what_was_there(filled: EventStore, superuser: Connection, tmp_path: Path) -> None:
    before, folded = rows(filled), tables(filled)
    files = away(filled, tmp_path)
    assert [f.name for f in files] == [f"events-{n + 1}-{n + SIZE}.parquet" for n in (0, SIZE, 2 * SIZE)]
    left = rows(filled)
    assert len(left) < len(before)
    assert all(row in before for row in left)
    assert {EVENTS[r[4]].stays for r in left if r[0] <= 3 * SIZE} == {True}
    assert away(filled, tmp_path) == [], "nothing more is to be archived"
    for file in (files[1], files[0], files[2]):
        assert filled.first_broken_link() is None
        restore(filled, file)
    assert rows(filled) == before
    assert filled.first_broken_link() is None
    assert tables(filled) == folded
    for table in ("archives", "archived_streams", "archived_ids"):
        assert superuser.execute(f"SELECT count(*) FROM log.{table}").fetchone() == (0,)  # type: ignore[call-overload]
    shape = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'log' AND tablename = %s"
    assert superuser.execute(shape, ("events_1",)).fetchone() == superuser.execute(shape, ("events_61",)).fetchone()
    assert [f.name for f in away(filled, tmp_path)] == [f.name for f in files], (
        "and again, with the files that are there"
    )
    assert filled.first_broken_link() is None


def test_appends_go_on_as_if_all_were_there(filled: EventStore, tmp_path: Path) -> None:
    versions: dict[str, int] = {}
    for recorded in filled.read():
        versions[recorded.stream] = recorded.stream_version
    ids, head = [r.event_id for r in filled.read(after=1, limit=2)], filled.head()
    (file, *_) = away(filled, tmp_path)
    assert filled.head() == head
    said = filled.append(LIST, ticks("oats"), origin=HOME, once="the key")
    assert (said.first, said.said_before) == (1, True)
    for stream, version in versions.items():
        with pytest.raises(StaleVersion):
            filled.append(stream, ticks("x"), origin=HOME, expected_version=version - 1)
        filled.append(stream, ticks("x"), origin=HOME, expected_version=version)
    for again in (ids, ids[:1]):
        with pytest.raises(ArchivedEvents, match=f"`meals events restore {file}` brings it back"):
            filled.append(LIST, ticks("milk", "salt")[: len(again)], origin=HOME, event_ids=again)
    with filled.database.transaction() as db:
        assert mode_of(db, FLAG) == "shadow"
    restore(filled, file)
    assert filled.append(LIST, ticks("milk", "salt"), origin=HOME, event_ids=ids).first == 2
    assert filled.first_broken_link() is None


def test_who_needs_what_is_away_is_told_the_file(filled: EventStore, superuser: Connection, tmp_path: Path) -> None:
    head = filled.head()
    second_of = {r.position: r.recorded_at for r in filled.read()}
    (file, *_) = away(filled, tmp_path, SIZE)
    for needs in (
        filled.read,
        lambda: filled.read(after=SIZE - 1, types=[ItemTicked, MealLogged]) or filled.read(),
        lambda: next(filled.follow()),
        lambda: filled.read_stream(LIST),
        lambda: filled.latest([ItemTicked], household="home", until=head),
        lambda: export(filled, tmp_path / "all.jsonl"),
        lambda: as_of(DailyNutrition(), filled, head),
        lambda: position_at(filled, second_of[SIZE // 2]),
        lambda: rebuild(DailyNutrition(), filled),
    ):
        with pytest.raises(ArchivedEvents, match=f"lie in {file}: `meals events restore {file}` brings them back"):
            needs()
    assert [r.position for r in filled.read(after=SIZE)] == list(range(SIZE + 1, head + 1))
    assert position_at(filled, datetime.now(UTC)) == head
    assert filled.latest([EVENTS["recipe.RecipeFetched"]], household="home", until=head) is not None
    filled.append(LIST, ticks("more"), origin=HOME)
    assert fold_all(filled) == [], "who has taken all in goes on"
    day_of = [r.event.day for r in filled.read(after=SIZE, types=[MealLogged]) if isinstance(r.event, MealLogged)]
    (days,) = superuser.execute("SELECT days FROM log.archives").fetchone() or ([],)
    assert days, "the archive speaks of some day"
    refold_days(DailyNutrition(), filled, [str(day) for day in day_of if str(day) not in days])
    with pytest.raises(ArchivedEvents):
        refold_days(DailyNutrition(), filled, days)
    compared, difference = compare_some_days(DailyNutrition(), filled, 100)
    assert not {str(day) for day in compared} & set(days)
    assert difference.differing == 0
    superuser.execute("DELETE FROM log.checkpoints WHERE subscriber = ANY(%s)", (["daily_nutrition", "reconcile"],))
    superuser.execute("DROP TABLE read.daily_nutrition")
    assert [type(error) for error in fold_all(filled)] == [ArchivedEvents], "a new subscriber does not"
    consumer = CONSUMERS["reconcile"]()
    with pytest.raises(ArchivedEvents):
        consume(consumer, filled)
    restore(filled, file)
    assert fold_all(filled) == []


def test_only_what_everybody_has_taken_in_is_archived(
    filled: EventStore, superuser: Connection, tmp_path: Path
) -> None:
    for change, told in (
        (
            "UPDATE log.checkpoints SET position = 2 WHERE subscriber = 'shopping_list'",
            "shopping_list has not taken in",
        ),
        ("DELETE FROM log.checkpoints WHERE subscriber = 'reconcile'", "reconcile has not taken in"),
        ("INSERT INTO log.checkpoints VALUES ('relay/x', 1, 19)", "relay/x stands at 19"),
        ("INSERT INTO log.set_aside VALUES ('reconcile', 7, 'home/x', false)", "dead letter at position 7"),
    ):
        before = superuser.execute("SELECT * FROM log.checkpoints").fetchall()
        superuser.execute(change)  # type: ignore[call-overload]
        with pytest.raises(Unavailable, match=told):
            away(filled, tmp_path)
        superuser.execute("DELETE FROM log.checkpoints")
        superuser.cursor().executemany("INSERT INTO log.checkpoints VALUES (%s, %s, %s, %s)", before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("until", [SIZE - 1, 1])
def test_half_a_partition_stays(filled: EventStore, tmp_path: Path, until: int) -> None:
    assert away(filled, tmp_path, until) == []


def test_the_head_stays(other: EventStore, tmp_path: Path) -> None:
    with psycopg.connect(other.database.url, autocommit=True) as owner:
        small_partitions(owner, SIZE)
    other.append(LIST, ticks(*map(str, range(SIZE))), origin=HOME)
    assert away(other, tmp_path) == []


def test_a_long_reader_keeps_a_partition_where_it_is(
    filled: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meal_assets.event_store.archives.LOCK_SECONDS", 0.05)
    before = rows(filled)
    with filled.database.transaction() as reader:
        reader.execute("SELECT count(*) FROM log.events")
        with pytest.raises(Transient, match="somebody reads the log"):
            away(filled, tmp_path)
    assert rows(filled) == before
    assert len(away(filled, tmp_path)) == 3


def killed_at(doing: str, url: str, folder: Path, back: Path | None) -> None:
    """Archive, or bring back, until that is done."""

    def die(now: str, *_: object) -> None:
        if now.startswith(doing):
            os.kill(os.getpid(), signal.SIGKILL)

    with Database(url) as database:
        if back:
            restore(EventStore(database), back, progress=die)
        else:
            archive(EventStore(database), folder, SIZE, progress=die)


def start(doing: str, url: str, folder: Path, back: Path | None = None) -> BaseProcess:
    process = forked(killed_at, doing, url, folder, back)
    process.start()
    return process


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_lost(filled: EventStore, tmp_path: Path) -> None:
    before, url = rows(filled), filled.database.url
    for doing, ends in (("Writing", -signal.SIGKILL), ("Proving", -signal.SIGKILL), ("nothing", 0)):
        process = start(doing, url, tmp_path)
        process.join(PATIENCE * 3)
        assert process.exitcode == ends
        assert filled.first_broken_link() is None
        assert (rows(filled) == before) == (ends != 0)
    (file,) = tmp_path.glob("*.parquet")
    left = rows(filled)
    for doing, ends, wanted in (("Proving", -signal.SIGKILL, left), ("nothing", 0, before)):
        process = start(doing, url, tmp_path, file)
        process.join(PATIENCE * 3)
        assert process.exitcode == ends
        assert rows(filled) == wanted


@pytest.mark.slow
def test_killed_in_the_exchange_nothing_is_lost(filled: EventStore, superuser: Connection, tmp_path: Path) -> None:
    before, url = rows(filled), filled.database.url
    waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE %s AND wait_event_type = 'Lock'"
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM log.events")
        process = start("nothing", url, tmp_path)
        while superuser.execute(waits, ("ALTER TABLE log.events DETACH%",)).fetchone() != (1,):
            assert process.exitcode is None
        process.kill()
        process.join(PATIENCE)
    assert rows(filled) == before
    assert len(away(filled, tmp_path, SIZE)) == 1
    assert filled.first_broken_link() is None


def change_file(path: Path) -> None:
    """Another actor in the fifth row."""
    table = pq.read_table(path)
    at = table.schema.get_field_index("actor")
    actors = table.column("actor").to_pylist()
    actors[4] = "somebody else"
    pq.write_table(table.set_column(at, "actor", pa.array(actors)), path)


def test_a_changed_file_is_found(filled: EventStore, tmp_path: Path) -> None:
    (file,) = away(filled, tmp_path, SIZE)
    left, whole = rows(filled), file.read_bytes()
    finish(filled, "events", "verify", "--files")
    change_file(file)
    with pytest.raises(Invalid, match="line 5, hash: does not follow"):
        restore(filled, file)
    pq.write_table(pq.ParquetFile(file).read().slice(0, SIZE - 1), file)
    with pytest.raises(MealAssetsError):
        restore(filled, file)
    file.write_bytes(b"nothing")
    with pytest.raises(Permanent, match="is not whole Parquet"):
        restore(filled, file)
    assert rows(filled) == left
    file.write_bytes(whole)
    manifest = manifest_of(file)
    told = json.loads(manifest.read_text())
    for field, value in (("hash", "00" * 32), ("before", "00" * 32), ("last", SIZE + 1), ("first", 2), ("new", 1)):
        manifest.write_text(json.dumps(told | {field: value}))
        with pytest.raises(Invalid):
            restore(filled, file)
    manifest.unlink()
    with pytest.raises(Invalid, match="is not the manifest of"):
        restore(filled, file)
    assert rows(filled) == left


def test_a_file_of_other_events_with_a_whole_chain_is_refused(
    filled: EventStore, superuser: Connection, tmp_path: Path
) -> None:
    (file,) = away(filled, tmp_path, SIZE)
    table = pq.read_table(file).slice(0, SIZE - 1)
    pq.write_table(table, file)
    with pytest.raises(Permanent, match=r"does not hold positions 1 to 20\. Nothing was changed"):
        restore(filled, file)


def test_a_partition_that_was_changed_is_not_archived(
    filled: EventStore, superuser: Connection, tmp_path: Path
) -> None:
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
    superuser.execute("UPDATE log.events SET actor = 'me' WHERE position = 5")
    with pytest.raises(Invalid, match="line 5, hash"):
        away(filled, tmp_path)
    assert len(rows(filled)) == filled.head()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE log.events SET actor = 'me' WHERE position = (SELECT min(position) FROM log.events)", 1),
        ("DELETE FROM log.events WHERE position = (SELECT min(position) FROM log.events)", 1),
        ("UPDATE log.archives SET before = sha256('x') WHERE first = 21", SIZE + 1),
        ("UPDATE log.archives SET hash = sha256('x') WHERE first = 1", SIZE + 1),
        ("UPDATE log.archives SET hash = sha256('x') WHERE first = 21", 2 * SIZE + 1),
        ("UPDATE log.events SET actor = 'me' WHERE position = 41", 2 * SIZE + 1),
        ("UPDATE log.events SET actor = 'me' WHERE position = 63", 63),
    ],
)
def test_what_was_changed_beside_an_archive_is_found(
    filled: EventStore, superuser: Connection, tmp_path: Path, change: str, found: int
) -> None:
    away(filled, tmp_path, 2 * SIZE)
    assert filled.first_broken_link() is None
    superuser.execute("ALTER TABLE log.events DISABLE TRIGGER ALL")
    superuser.execute(change)  # type: ignore[call-overload]
    assert filled.first_broken_link() == found


def test_what_stayed_is_protected_like_all_others(filled: EventStore, superuser: Connection, tmp_path: Path) -> None:
    away(filled, tmp_path, SIZE)
    for change in ("UPDATE log.events SET actor = 'me'", "DELETE FROM log.events_1", "TRUNCATE log.events_1"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            superuser.execute(change)  # type: ignore[call-overload]


def test_the_commands_say_what_lies_where(filled: EventStore, tmp_path: Path) -> None:
    before, head = rows(filled), filled.head()
    said = finish(filled, "events", "archive", "--until", str(2 * SIZE), "--to", tmp_path)
    (first, second) = sorted(tmp_path.glob("*.parquet"), key=lambda p: len(p.name))
    assert f"Archived in {first}" in said
    assert "No full partition ends" in finish(filled, "events", "archive", "--until", str(2 * SIZE), "--to", tmp_path)
    with filled.database.transaction() as db:
        gone = [sum(one.gone.values()) for one in archives(db)]
    verified = finish(filled, "events", "verify")
    assert f"The chain is whole: {head - sum(gone)} events" in verified
    assert f"{gone[0]} of the positions 1 to {SIZE} lie in {first} and were passed over" in verified
    assert f"lie in {second} and are what they were." in finish(filled, "events", "verify", "--files")
    assert "Positions 21 to 40 are back" in finish(filled, "events", "restore", second)
    finish(filled, "events", "restore", first)
    assert rows(filled) == before
