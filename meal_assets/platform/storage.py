"""Dagster's own storage in our database, in the schema `dagster`, over connections that are kept.

dagster-postgres opens a new connection for every statement group; a small pool a process makes a runless report
six times faster.
"""

import os
from functools import cache
from typing import Any, Self
from urllib.parse import quote

import sqlalchemy as sa
from dagster._config import Field
from dagster_postgres.storage import DagsterPostgresStorage

from meal_assets.event_store.database import migrate, one_at_a_time
from meal_assets.event_store.embedded import embedded_url
from meal_assets.settings import Settings


class Storage(DagsterPostgresStorage):  # type: ignore[misc]  # it comes without types
    """In dagster.yaml: `storage: {custom: {module: meal_assets.platform.storage, class: Storage, config: {}}}`.

    The database is the one of `MEALS_DATABASE_URL`, or the embedded one: the URL is nowhere written down.
    """

    is_there = False
    """Set in a process that forks runs, once it has seen the tables: its children need not look."""

    @classmethod
    def config_type(cls) -> dict[str, Field]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> Self:  # noqa: ARG003  # Dagster's signature
        settings = Settings()
        url = settings.database_url or embedded_url(settings.home)
        if cls.is_there:
            storage = cls(dagster_url(url), should_autocreate_tables=False, inst_data=inst_data)
        else:
            migrate(url)
            with one_at_a_time(url):  # of programs that start together, one makes Dagster's tables
                storage = cls(dagster_url(url), inst_data=inst_data)
        engine = kept_engine(storage.postgres_url)
        for part in (storage.run_storage, storage.event_log_storage, storage.schedule_storage):
            part._engine = engine
        return storage


OPTIONS = "-csearch_path=dagster -csynchronous_commit=off"
"""Dagster commits each row it writes. What a crash of the server takes is its last moments of what Dagster shows: the
outbox counts as reported by a commit that is waited for, and with it all before."""


@cache
def kept_engine(url: str) -> sa.Engine:
    """The process's connections to this database. An instance does not close its own, and a worker opens one a run."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=20, pool_recycle=1800)
    os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))  # a socket has one owner
    return engine


def dagster_url(url: str) -> str:
    """The same database for psycopg2, which is what Dagster's notifications need, and with its own schema first."""
    joint = "&" if "?" in url else "?"
    return url.replace("postgresql://", "postgresql+psycopg2://", 1) + f"{joint}options={quote(OPTIONS)}"
