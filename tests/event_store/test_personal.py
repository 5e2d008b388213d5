"""Texts of persons: encrypted when appended, opened when read, gone with the key; a wrong key is never passed over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meal_assets.contracts.diary import MealLogged
from meal_assets.contracts.personal import PREFIX, TOMBSTONE
from meal_assets.contracts.profile import PreferencesSet, ProfileSet
from meal_assets.errors import BrokenEvent, Invalid, OnceConflict, Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.event_store.bulk import append_bulk
from meal_assets.event_store.wrapping import wrapping_key
from meal_assets.settings import Settings

from .material import PATIENCE, append_stored, until_blocked

SECRET = "Grandmother's quince jelly"
DAY = date(2026, 11, 23)


def meal(food: str = SECRET, entry: str = "1", person: str = "ada") -> MealLogged:
    return MealLogged.model_validate({**MealLogged.examples[0], "food": food, "entry": entry, "person": person})


def log(store: EventStore, event: Any, origin: Origin, **told: Any) -> Any:
    return store.append(event.stream_in(origin.household), [event], origin=origin, **told)


def forget(store: EventStore, person: str = "ada", household: str = "home") -> int:
    with store.database.transaction() as db:
        return store.personal.forget(db, household, person)


def payloads(store: EventStore) -> list[dict[str, Any]]:
    with store.database.transaction() as db:
        return [p for (p,) in db.execute("SELECT payload FROM log.events ORDER BY position").fetchall()]


def foods(store: EventStore) -> list[str]:
    return [r.event.food for r in store.read() if isinstance(r.event, MealLogged)]


def with_key(store: EventStore, key: str) -> EventStore:
    """The same log as a process with another wrapping key sees it."""
    return EventStore(Database(store.database.url, Settings(key=key)))


def ways(store: EventStore, origin: Origin) -> None:
    """Each way into the log once."""
    log(store, meal(entry="one"), origin)
    store.append("home/diary/ada/x", [meal(entry="two"), meal(entry="three")], origin=origin)
    with store.database.transaction() as db:
        log(store, meal(entry="within"), origin, within=db)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: log(store, meal(entry=f"group-{n}", person=f"p{n % 2}"), origin), range(24)))
    append_bulk(store, [(f"home/diary/ada/{n}", meal(entry=f"bulk-{n}")) for n in range(3)], origin)


def test_by_no_way_does_a_text_come_into_the_log_as_it_is_and_by_each_it_comes_out_so(
    store: EventStore, origin: Origin
) -> None:
    ways(store, origin)
    kept = payloads(store)
    assert len(kept) == 31
    assert all(p["food"].startswith(PREFIX) for p in kept)
    assert SECRET not in str(kept)
    assert foods(store) == [SECRET] * 31
    assert store.first_broken_link() is None
    for n in range(2):
        forget(store, f"p{n}")
    forget(store)
    assert foods(store) == [TOMBSTONE] * 31
    assert store.first_broken_link() is None


def test_a_tuple_of_texts_hides_how_many_they_are(store: EventStore, origin: Origin) -> None:
    said = PreferencesSet(person="ben", exclude=("peanut", "shrimp"))
    log(store, said, origin)
    log(store, PreferencesSet(person="ben"), origin)
    assert [len(p["exclude"]) for p in payloads(store)] == [1, 0]
    assert [r.event for r in store.read()] == [said, PreferencesSet(person="ben")]
    forget(store, "ben")
    assert [r.event.exclude for r in store.read() if isinstance(r.event, PreferencesSet)] == [(TOMBSTONE,), ()]


def test_a_repeated_append_is_known_as_one_and_another_text_under_its_key_is_not(
    store: EventStore, origin: Origin
) -> None:
    first = log(store, meal(), origin, once="a")
    again = log(EventStore(store.database), meal(), origin, once="a")
    assert (again.first, again.said_before) == (first.first, True)
    with pytest.raises(OnceConflict):
        log(store, meal("something else"), origin, once="a")


def test_the_same_food_on_another_day_or_of_another_person_is_not_seen_to_be_the_same(
    store: EventStore, origin: Origin
) -> None:
    for stream, person in (("home/diary/ada/1", "ada"), ("home/diary/ada/2", "ada"), ("home/diary/ben/1", "ben")):
        store.append(stream, [meal(person=person)], origin=origin)
    texts = [p["food"] for p in payloads(store)]
    assert len({t.rpartition(":")[2] for t in texts}) == 3
    assert len({len(t) for t in texts}) == 1


def test_what_was_written_before_texts_were_encrypted_is_read_as_it_is(store: EventStore, origin: Origin) -> None:
    with store.database.transaction() as db:
        append_stored(db, "home/diary/ada/2026-11-23", MealLogged.type_name, 1, MealLogged.examples[0])
    log(store, meal(), origin)
    assert foods(store) == ["Lentil soup", SECRET]


def test_a_text_that_looks_encrypted_is_refused(store: EventStore, origin: Origin) -> None:
    with pytest.raises(Invalid, match="food: begins with enc1:"):
        log(store, meal(f"{PREFIX}mine"), origin)
    assert store.head() == 0


@pytest.mark.parametrize("field", ["food", "person"])
def test_a_text_that_was_moved_or_changed_is_an_error_and_no_tombstone(
    store: EventStore, origin: Origin, field: str
) -> None:
    log(store, meal(), origin)
    log(store, ProfileSet.model_validate(ProfileSet.examples[0]), origin)
    with psycopg.connect(store.database.url, autocommit=True) as owner:
        owner.execute("ALTER TABLE log.events DISABLE TRIGGER USER")
        if field == "food":
            owner.execute(
                "UPDATE log.events SET payload = payload || jsonb_build_object('food',"
                " (SELECT payload->'name' FROM log.events WHERE position = 2)) WHERE position = 1"
            )
        else:
            owner.execute("UPDATE log.person_keys SET person = 'ben'")
    with pytest.raises((BrokenEvent, Unavailable)):
        EventStore(store.database).read()


def test_with_another_wrapping_key_nothing_is_read_nor_written_and_the_error_says_so(
    store: EventStore, origin: Origin
) -> None:
    log(store, meal(), origin)
    wrong = with_key(store, "0f" * 32)
    for act in (wrong.read, lambda: log(wrong, meal(), origin), lambda: log(wrong, meal(person="new"), origin)):
        with pytest.raises(Unavailable, match="key in MEALS_KEY is not the one"):
            act()
    wrong.database.close()
    assert foods(store) == [SECRET]


def test_a_key_file_is_made_on_first_need_for_its_owner_only_and_missed_when_it_is_gone(
    store: EventStore, origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MEALS_KEY")
    file = tmp_path / "home" / "key"

    def opened() -> EventStore:
        return EventStore(Database(store.database.url, Settings(home=tmp_path / "home")))

    one = opened()
    log(one, PreferencesSet(person="ben"), origin)
    assert not file.exists()
    log(one, meal(), origin)
    assert file.stat().st_mode & 0o777 == 0o600
    assert foods(opened()) == [SECRET]
    kept = file.rename(tmp_path / "kept")
    for act in (opened().read, lambda: log(opened(), meal(person="new"), origin)):
        with pytest.raises(Unavailable, match="bring the file back"):
            act()
    assert not file.exists(), "a new key would have hidden that the old one is gone"
    kept.rename(file)
    assert foods(opened()) == [SECRET]


def test_several_processes_make_one_key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEALS_KEY")
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: wrapping_key(settings, make=True), range(32)))
    assert len({key.secret for key in keys}) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "key"]


def test_a_key_that_another_process_holds_does_not_outlive_the_person(store: EventStore, origin: Origin) -> None:
    """It neither opens what is there nor seals what comes: that begins anew, and is readable."""
    with Database(store.database.url) as database:
        elsewhere = EventStore(database)
        log(elsewhere, meal(entry="before"), origin)
        assert foods(elsewhere) == [SECRET]
        forget(store)
        assert foods(elsewhere) == [TOMBSTONE]
        log(elsewhere, meal("Toast", entry="after"), origin)
        append_bulk(elsewhere, [("home/diary/ada/bulk", meal("Tea", entry="bulk"))], origin)
        assert foods(store) == foods(elsewhere) == [TOMBSTONE, "Toast", "Tea"]


@pytest.mark.parametrize("many", [False, True], ids=["one", "a bulk"])
def test_an_append_that_meets_a_forgetting_leaves_nothing_that_the_old_key_opens(
    store: EventStore, origin: Origin, many: bool
) -> None:
    log(store, meal(entry="before"), origin)
    with Database(store.database.url) as database, ThreadPoolExecutor(1) as threads:
        elsewhere = EventStore(database)
        log(elsewhere, meal(entry="cached"), origin)

        def append() -> None:
            if many:
                append_bulk(elsewhere, [("home/diary/ada/x", meal("Toast", entry="meets"))], origin)
            else:
                log(elsewhere, meal("Toast", entry="meets"), origin)

        with store.database.transaction() as db:
            (old,) = db.execute("SELECT id FROM log.person_keys").fetchone() or ("",)
            store.personal.forget(db, "home", "ada")
            meets = threads.submit(append)
            until_blocked(store.database.url, meets)
        meets.result(PATIENCE)
    assert foods(store) == [TOMBSTONE, TOMBSTONE, "Toast"]
    assert old not in payloads(store)[-1]["food"]


def test_an_append_in_a_transaction_keeps_a_forgetting_waiting(store: EventStore, origin: Origin) -> None:
    log(store, meal(entry="before"), origin)
    with ThreadPoolExecutor(1) as threads:
        with store.database.transaction() as db:
            log(store, meal(entry="within"), origin, within=db)
            forgetting = threads.submit(forget, store)
            until_blocked(store.database.url, forgetting)
        assert forgetting.result(PATIENCE) == 1
    assert foods(store) == [TOMBSTONE, TOMBSTONE]
