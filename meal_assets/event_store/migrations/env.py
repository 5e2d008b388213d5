"""Alembic's entry: one connection, given by `database.migrate`, which also holds the lock."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="log")
with context.begin_transaction():
    context.run_migrations()
