"""Where the tables of a read model are: live, being rebuilt, or kept from before the last rebuild."""

from psycopg import sql

from meal_assets.event_store import Connection

from .model import ReadModel

LIVE, SHADOW, FORMER, TEMPORARY = "read", "shadow", "former", "pg_temp"


def create_tables(db: Connection, model: ReadModel, schema: str) -> None:
    """Make the model's tables in the schema, empty, in the place of what is there."""
    for table, columns in model.tables.items():
        if not table.startswith(model.name):
            raise ValueError(f"table {table} of {model.name} must begin with the model's name")
        target = sql.Identifier(schema, table)
        db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(target))
        db.execute(sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(columns)))


def move_tables(db: Connection, model: ReadModel, source: str, target: str) -> None:
    """Move the tables to another schema, where they replace what is there; a table that is missing leaves none."""
    for table in model.tables:
        db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(target, table)))
        db.execute(
            sql.SQL("ALTER TABLE IF EXISTS {} SET SCHEMA {}").format(
                sql.Identifier(source, table), sql.Identifier(target)
            )
        )


def use_schema(db: Connection, schema: str) -> None:
    """From here to the end of the transaction a table without a schema is the one in this schema."""
    db.execute("SELECT set_config('search_path', %s, true)", (f"{schema}, pg_temp",))
