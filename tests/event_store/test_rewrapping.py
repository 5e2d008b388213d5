"""The wrapping key is exchanged: all stays readable, to running processes too, and the old key opens nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from meal_assets.errors import Invalid, Unavailable
from meal_assets.event_store import Database, EventStore, Origin
from meal_assets.event_store.connections import Connections
from meal_assets.event_store.rewrapping import exchange_key, rewrap
from meal_assets.event_store.wrapping import FILE, NEXT, key_in
from meal_assets.settings import Settings

from .test_personal import SECRET, foods, log, meal

TOKEN = ["token", "its secret"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("MEALS_KEY")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def running(database_url: str, settings: Settings, origin: Origin) -> Iterator[EventStore]:
    """A process that has a person's text, their connection, and the key in its memory."""
    with Database(database_url, settings) as database:
        store = EventStore(database)
        log(store, meal(), origin)
        Connections(database, "home", "shop").keep("ada", TOKEN)
        yield store


def is_readable(url: str, settings: Settings) -> bool:
    with Database(url, settings) as database:
        return foods(EventStore(database)) == [SECRET] and Connections(database, "home", "shop").secrets("ada") == TOKEN


def test_all_is_wrapped_anew_and_a_running_process_goes_on(
    running: EventStore, settings: Settings, tmp_path: Path, origin: Origin
) -> None:
    url, before = running.database.url, key_in(settings.home / FILE, make=False)
    with Database(url, settings) as database:
        wrapped, former = exchange_key(database, settings)
    assert wrapped == 2
    assert former is not None
    assert key_in(former, make=False).secret == before.secret != key_in(settings.home / FILE, make=False).secret
    assert sorted(path.name for path in settings.home.iterdir()) == [FILE, former.name]
    assert is_readable(url, settings)
    with pytest.raises(Unavailable, match="key in MEALS_KEY is not the one"):
        is_readable(url, Settings(home=tmp_path, key=before.secret.hex()))
    assert foods(running) == [SECRET]
    log(running, meal("Toast", entry="2", person="ben"), origin)
    Connections(running.database, "home", "shop").keep("ben", TOKEN)
    assert foods(running) == [SECRET, "Toast"]
    assert Connections(running.database, "home", "shop").secrets("ada") == TOKEN


def test_interrupted_before_the_file_is_in_its_place_all_goes_on_and_the_same_call_ends_it(
    running: EventStore, settings: Settings
) -> None:
    url = running.database.url
    with Database(url, settings) as database:
        new = key_in(settings.home / NEXT, make=True)
        rewrap(database, new)  # and here the process is killed
    assert is_readable(url, settings)
    with Database(url, settings) as database:
        assert exchange_key(database, settings)[0] == 0
    assert key_in(settings.home / FILE, make=False).secret == new.secret
    assert not (settings.home / NEXT).exists()
    assert is_readable(url, settings)


def test_a_key_that_the_environment_holds_is_exchanged_for_one_in_a_file(
    running: EventStore, settings: Settings, tmp_path: Path
) -> None:
    url, file = running.database.url, tmp_path / "new"
    told = Settings(home=tmp_path / "other", key=key_in(settings.home / FILE, make=False).secret.hex())
    with Database(url, told) as database:
        with pytest.raises(Invalid, match="--to: is needed"):
            exchange_key(database, told)
        assert exchange_key(database, told, file) == (2, None)
    assert file.stat().st_mode & 0o777 == 0o600
    assert is_readable(url, Settings(home=tmp_path / "other", key=file.read_text().strip()))
    with pytest.raises(Invalid, match="of use with MEALS_KEY only"):
        exchange_key(running.database, settings, file)


def test_who_has_not_the_key_in_use_exchanges_nothing(running: EventStore, settings: Settings, tmp_path: Path) -> None:
    wrong = Settings(home=tmp_path / "other", key="0f" * 32)
    with (
        Database(running.database.url, wrong) as database,
        pytest.raises(Unavailable, match="is not the one that texts of persons"),
    ):
        exchange_key(database, wrong, tmp_path / "new")
    assert is_readable(running.database.url, settings)


def test_a_key_that_others_may_read_is_refused(running: EventStore, settings: Settings) -> None:
    (settings.home / FILE).chmod(0o640)
    with pytest.raises(Unavailable, match=r"others may read the key in .*key: `chmod 600"):
        is_readable(running.database.url, settings)
