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
        let_see(db, model, table, schema)


def let_see(db: Connection, model: ReadModel, table: str, schema: str) -> None:
    """Let who asks for one household or person see their rows of the table, wherever it is moved from here."""
    if seen := model.seen_by(table):
        db.execute("SELECT log.let_see(%s::regclass, %s)", (f"{schema}.{table}", seen))


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
