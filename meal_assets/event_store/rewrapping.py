"""The key that wraps those of persons, exchanged for another: what is wrapped anew is small, and no text changes."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from meal_assets.errors import Invalid
from meal_assets.settings import Settings

from .connections import LOCK_CONNECTIONS, bound_to
from .database import Database
from .personal import LOCK_KEYS, owner_of
from .wrapping import FILE, NEXT, WrappingKey, key_in, sync_folder

LOCK_EXCHANGE = 7236835, 5

WRAPPED: tuple[tuple[str, str, str, Callable[[str, str, str], bytes]], ...] = (
    ("person_keys", "wrapped", "id", lambda household, person, id_: owner_of(id_, (household, person))),
    ("connections", "sealed", "service", bound_to),
)
"""Table, column, the rest of what names a row beside household and person, and what a row is bound to."""


def exchange_key(database: Database, settings: Settings, to: Path | None = None) -> tuple[int, Path | None]:
    """Wrap all there is with a new key: how many that were, and where the former key lies now.

    The new key takes the place of the file in MEALS_HOME. With MEALS_KEY it is in the file `to`, made where there is
    none, and `MEALS_KEY` is to be set to it by whoever set it. Interrupted, the same call goes on.
    Raises `Invalid` where `to` is missing or of no use, `Unavailable` when the key in use is not there.
    """
    if (settings.key is None) != (to is None):
        which = "is needed: the new key is made there" if to is None else "is of use with MEALS_KEY only"
        raise Invalid("--to", which)
    path = settings.home / NEXT if to is None else to
    with database.dedicated() as alone:
        alone.execute("SELECT pg_advisory_lock(%s, %s)", LOCK_EXCHANGE)
        wrapped = rewrap(database, key_in(path, make=True))
        return wrapped, None if to else _put_in_place(path, settings.home / FILE)


def _put_in_place(path: Path, key: Path) -> Path | None:
    """Where the former key is kept; None when there was none."""
    former = key.with_name(f"{FILE}.until-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}") if key.exists() else None
    if former is not None:
        former.hardlink_to(key)
    path.replace(key)
    sync_folder(key.parent)
    return former


def rewrap(database: Database, new: WrappingKey) -> int:
    """Wrap the keys of persons and the secrets of connections with this key, in one transaction; how many."""
    count = 0
    with database.transaction() as db:
        db.execute(LOCK_KEYS)
        db.execute(LOCK_CONNECTIONS)
        for table, column, which, bound_by in WRAPPED:
            rows = db.execute(
                f"SELECT household, person, {which}, {column} FROM log.{table} WHERE wrapped_by <> %s",  # noqa: S608 - SQL made of our own constants
                (new.name,),
            ).fetchall()
            for *whose, wrapped in rows:
                anew = new.wrap(database.unwrap(bytes(wrapped), bound_by(*whose)), bound_by(*whose))
                db.execute(
                    f"UPDATE log.{table} SET {column} = %s, wrapped_by = %s"  # noqa: S608 - SQL made of our own constants
                    f" WHERE (household, person, {which}) = (%s, %s, %s)",
                    (anew, new.name, *whose),
                )
            count += len(rows)
    return count
