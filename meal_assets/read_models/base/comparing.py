"""Whether rebuilt tables say what the live ones say: row by row, in the database."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from meal_assets.event_store import Connection, EventStore
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.event_store.database import fetch_row

from .forgetting import fold_batch
from .model import ReadModel
from .tables import LIVE, SHADOW, TEMPORARY, use_schema

SAMPLE = 10
"""Differing rows named, at most."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Rebuilt rows, and how many rows differ: only live, only rebuilt, or in both with other values.

    `sample`: some of these as {"table", "key", "how"}.
    """

    rows: int = 0
    only_live: int = 0
    only_rebuilt: int = 0
    different: int = 0
    sample: tuple[dict[str, Any], ...] = ()

    @property
    def differing(self) -> int:
        return self.only_live + self.only_rebuilt + self.different


def compare(db: Connection, model: ReadModel, *, live: bool) -> Difference:
    """All tables of the model, shadow against live; only counted where there is nothing live."""
    found = Difference()
    for table in model.tables:
        if live and _exists(db, LIVE, table):
            found = _added(found, _compare_table(db, table, SHADOW, sql.Identifier(LIVE, table)))
        else:
            found = _added(found, Difference(_count(db, table)))
    return found


def compare_some_days(model: ReadModel, store: EventStore, count: int) -> tuple[list[date], Difference]:
    """`count` days of the model taken by chance, or all it has, summed up anew from their own events, beside the live.

    Days that archived events speak of are left out. Nothing is changed.
    Raises `ValueError` for a model without daily partitions.
    """
    if model.partitioned_by is None:
        raise ValueError(f"{model.name} has no daily partitions")
    day, found = sql.Identifier(model.partitioned_by), Difference()
    with store.database.transaction() as db:
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # rows as of the checkpoint, without holding it
        at = checkpoints(db).get(model.name)
        if at is None or at.version != model.version:
            return [], found
        main = sql.Identifier(LIVE, next(iter(model.tables)))
        chosen = sql.SQL(
            "SELECT {0} FROM (SELECT DISTINCT {0} FROM {1}) AS days"
            " WHERE {0}::text <> ALL(ARRAY(SELECT unnest(days) FROM log.archives)) ORDER BY random() LIMIT %s"
        )
        days = sorted(row[0] for row in db.execute(chosen.format(day, main), (count,)))
        for table, columns in model.tables.items():
            made = sql.SQL("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP")
            db.execute(made.format(sql.Identifier(table), sql.SQL(columns)))
        use_schema(db, TEMPORARY)
        fold_batch(db, model, 0, at.position, only=(model.partitioned_by, tuple(map(str, days))))
        for table in model.tables:
            of_days = sql.SQL("(SELECT * FROM {} WHERE {} = ANY({}))").format(sql.Identifier(LIVE, table), day, days)
            found = _added(found, _compare_table(db, table, TEMPORARY, of_days))
    return days, found


def _added(a: Difference, b: Difference) -> Difference:
    return Difference(
        a.rows + b.rows,
        a.only_live + b.only_live,
        a.only_rebuilt + b.only_rebuilt,
        a.different + b.different,
        (a.sample + b.sample)[:SAMPLE],
    )


def key_columns(db: Connection, schema: str, table: str) -> tuple[str, ...]:
    """The columns of the primary key, in its order; none for a table without."""
    rows = db.execute(
        "SELECT attname FROM pg_index CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS k (attnum, n)"
        " JOIN pg_attribute USING (attnum) WHERE indrelid = to_regclass(%(table)s) AND attrelid = indrelid"
        " AND indisprimary ORDER BY n",
        {"table": f"{schema}.{table}"},
    )
    return tuple(str(name) for (name,) in rows.fetchall())


def _compare_table(db: Connection, table: str, schema: str, live: sql.Composable) -> Difference:
    """The table that was built in the schema, against the `live` rows."""
    built, keys = sql.Identifier(schema, table), key_columns(db, schema, table)
    if keys and _columns(db, f"{schema}.{table}") == _columns(db, f"{LIVE}.{table}"):
        pairs = _typed_pairs(live, built, keys)
    else:
        pairs = _pairs(live, built, keys)
    query = sql.SQL("""
        WITH differing AS MATERIALIZED ({pairs})
        SELECT (SELECT count(*) FROM {built}), count(*) FILTER (WHERE how = 'only live'),
               count(*) FILTER (WHERE how = 'only rebuilt'), count(*) FILTER (WHERE how = 'different'),
               (SELECT coalesce(jsonb_agg(jsonb_build_object('table', {name}, 'key', key, 'how', how)), '[]')
                FROM (SELECT * FROM differing LIMIT {sample}) AS few)
        FROM differing
    """).format(pairs=pairs, built=built, name=sql.Literal(table), sample=sql.Literal(SAMPLE))
    rows, only_live, only_rebuilt, different, sample = fetch_row(db, query)
    return Difference(rows, only_live, only_rebuilt, different, tuple(sample))


def _typed_pairs(live: sql.Composable, rebuilt: sql.Composable, keys: tuple[str, ...]) -> sql.Composed:
    """Key and difference of the rows that differ, by the columns' own equality: numbers are equal whatever their
    trailing zeros, which depend on how batches were cut."""
    named = [sql.SQL("{0}, {1}").format(sql.Literal(k), sql.Identifier(k)) for k in keys]
    return sql.SQL("""
        SELECT jsonb_build_object({named}) AS key,
               CASE WHEN rebuilt.{first} IS NULL THEN 'only live' WHEN live.{first} IS NULL THEN 'only rebuilt'
                    ELSE 'different' END AS how
        FROM {live} AS live FULL JOIN {rebuilt} AS rebuilt USING ({keys}) WHERE live IS DISTINCT FROM rebuilt
    """).format(
        named=sql.SQL(", ").join(named),
        first=sql.Identifier(keys[0]),
        live=live,
        rebuilt=rebuilt,
        keys=sql.SQL(", ").join(map(sql.Identifier, keys)),
    )


def _pairs(live: sql.Composable, rebuilt: sql.Composable, keys: tuple[str, ...]) -> sql.Composed:
    """The same as jsonb, ten times slower: so tables of two versions of a model can be compared."""
    named = [sql.SQL("{0}, body->{0}").format(sql.Literal(k)) for k in keys]
    key = sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(named)) if keys else sql.SQL("body")
    side = sql.SQL("(SELECT {key} AS key, body FROM (SELECT to_jsonb(t) AS body FROM {table} AS t) AS rows)")
    return sql.SQL("""
        SELECT * FROM (
            SELECT coalesce(live.key, rebuilt.key) AS key,
                   CASE WHEN rebuilt.key IS NULL THEN 'only live' WHEN live.key IS NULL THEN 'only rebuilt'
                        WHEN live.body <> rebuilt.body THEN 'different' END AS how
            FROM {live} AS live FULL JOIN {rebuilt} AS rebuilt USING (key)
        ) AS pairs WHERE how IS NOT NULL
    """).format(live=side.format(key=key, table=live), rebuilt=side.format(key=key, table=rebuilt))


def _columns(db: Connection, table: str) -> list[tuple[Any, ...]]:
    """Names and types, in order; of a table with a column whose type knows no equality, nothing like another's."""
    query = (
        "SELECT attname, atttypid, CASE WHEN atttypid IN ('json'::regtype, 'xml'::regtype) THEN attrelid END"
        " FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return db.execute(query, (table,)).fetchall()


def _exists(db: Connection, schema: str, table: str) -> bool:
    return fetch_row(db, "SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.{table}",)) == (True,)


def _count(db: Connection, table: str) -> int:
    (count,) = fetch_row(db, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(SHADOW, table)))
    return int(count)
