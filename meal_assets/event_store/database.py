"""The one database: an embedded PostgreSQL under MEALS_HOME, or the one that MEALS_DATABASE_URL names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.abc import QueryNoTemplate
from psycopg_pool import ConnectionPool

from meal_assets.errors import Unavailable
from meal_assets.settings import Settings

from .embedded import embedded_url
from .known import note_fields
from .wrapping import WrappingKey, keys_at_hand, wrapping_key

MIGRATIONS = Path(__file__).parent / "migrations"
POOL_SIZE = 32
"""One for each read model that may fold at the same moment, and some; opened only when needed."""
REPEATED = 2
"""A statement is planned for good the second time: whoever folds says the same again and again."""
PREPARED = 400
"""Statements that a connection keeps planned: any of them may fold any read model."""
CONNECT_SECONDS = 10
LOCK_MIGRATION = 7236835, 2
LOCK_DAGSTER = 7236835, 4

Connection = psycopg.Connection[tuple[Any, ...]]


class Database:
    """Connections to one migrated database, as the role that may not change the log. Close it, or use `with`.

    Without `settings`, those of this machine say where the key to texts of persons is, when it is first needed.
    """

    def __init__(self, url: str, settings: Settings | None = None) -> None:
        self.url = url
        self._settings = settings
        self._key: WrappingKey | None = None
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True, "client_encoding": "utf8"},
            min_size=0,
            max_size=POOL_SIZE,
            timeout=CONNECT_SECONDS,
            configure=_make_ready,
            open=True,
        )

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """The database of these settings, started and migrated.

        Raises `Unavailable` when it cannot be reached, with what to do about it.
        """
        url = settings.database_url or embedded_url(settings.home)
        if not url.startswith("postgresql://"):
            raise Unavailable("no database at an address without postgresql:// before it. Check MEALS_DATABASE_URL.")
        try:
            migrate(url)
        except psycopg.OperationalError as error:
            raise Unavailable(f"no database at {without_password(url)}: {error}. Check MEALS_DATABASE_URL.") from error
        return cls(url, settings)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def wrapping_key(self, *, make: bool) -> WrappingKey:
        """The key that wraps those of persons; with `make`, a new one where there is none. Raises `Unavailable`."""
        if self._key is None:
            self._key = wrapping_key(self._settings or Settings(), make=make)
        return self._key

    def key_to_wrap_with(self, db: Connection) -> WrappingKey:
        """The key for what is kept from now on. Raises `Unavailable` where another one wraps what is kept already."""
        used = db.execute("SELECT wrapped_by FROM log.person_keys UNION SELECT wrapped_by FROM log.connections")
        names = {bytes(name) for (name,) in used}
        key = self.wrapping_key(make=not names)
        if names - {key.name}:
            self._key = next((other for other in self._at_hand() if names == {other.name}), None)
            if self._key is None:
                raise key.other()
            return self._key
        return key

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """What the key wrapped, also where it was exchanged since it was read. Raises `Unavailable`."""
        key = self.wrapping_key(make=False)
        try:
            return key.unwrap(wrapped, bound_to)
        except Unavailable:
            for other in self._at_hand():
                with suppress(Unavailable):
                    unwrapped = other.unwrap(wrapped, bound_to)
                    self._key = other
                    return unwrapped
            raise

    def _at_hand(self) -> Iterator[WrappingKey]:
        return keys_at_hand(self._settings or Settings())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back on an exception."""
        with self._pool.connection() as connection, connection.transaction():
            yield connection

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """A connection in autocommit: a single statement is its own transaction, and one round trip."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def dedicated(self) -> Iterator[Connection]:
        """A connection outside the pool, in autocommit: for LISTEN, and for locks held over many transactions."""
        with psycopg.connect(
            self.url, autocommit=True, client_encoding="utf8", connect_timeout=CONNECT_SECONDS
        ) as connection:
            _make_ready(connection)
            yield connection


def fetch_row(
    db: Connection, query: QueryNoTemplate, arguments: Sequence[Any] | Mapping[str, Any] = ()
) -> tuple[Any, ...]:
    """The row of a query that always has one: an aggregate, a function, RETURNING."""
    row = db.execute(query, arguments).fetchone()
    if row is None:
        raise LookupError(f"no row: {query!r}")
    return row


def _make_ready(connection: Connection) -> None:
    connection.prepare_threshold, connection.prepared_max = REPEATED, PREPARED
    connection.execute(
        "SELECT set_config('role', 'meals_app', false) FROM pg_roles"
        " WHERE rolname = 'meals_app' AND pg_has_role(oid, 'MEMBER')"
    )


@cache
def newest_migration() -> str:
    """The number that the newest migration's file begins with."""
    return max(p.name for p in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def migrate(url: str) -> None:
    """Bring the database to the newest migration, and note which fields this program's events have.

    When several processes start at once, one migrates.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        at = _version(connection)
        if at is not None and at > newest_migration():
            raise Unavailable(f"the database is at migration {at}, this program knows {newest_migration()}: update it")
        if at != newest_migration():
            connection.execute("SELECT pg_advisory_lock(%s, %s)", LOCK_MIGRATION)
            if _version(connection) != newest_migration():
                connection.execute("CREATE SCHEMA IF NOT EXISTS log")
                migrate_to(url, "head")
        note_fields(connection)


@contextmanager
def one_at_a_time(url: str) -> Iterator[None]:
    """Held by one program of this database at a time, which makes the tables of Dagster that are not there."""
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        connection.execute("SELECT pg_advisory_lock(%s, %s)", LOCK_DAGSTER)
        yield


def _version(connection: Connection) -> str | None:
    if connection.execute("SELECT to_regclass('log.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT version_num FROM log.alembic_version").fetchone()
    return str(row[0]) if row else None


def migrate_to(url: str, revision: str) -> None:
    """Run the migrations up to this one; the schema `log` is there."""
    from alembic.command import upgrade
    from alembic.config import Config
    from sqlalchemy import NullPool, create_engine

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        upgrade(config, revision)


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"(?<=://)([^:@/?]*):.*@|([?&]password=)[^&]*", _starred, url)


def _starred(secret: re.Match[str]) -> str:
    user, option = secret.groups()
    return f"{option}***" if option else f"{user}:***@"
