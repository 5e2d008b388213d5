"""A run of events for a subscriber: as objects, as typed columns in the database, or as a pandas frame."""

from datetime import date, datetime
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from psycopg import sql
from psycopg.types.json import Jsonb

from meal_assets.contracts import Event

from .database import Connection, fetch_row
from .known import NOTED, unknown_since
from .records import Recorded
from .store import COLUMNS, PAGE, recorded

if TYPE_CHECKING:
    import pandas as pd

SQL_TYPES: dict[Any, str] = {
    # numeric, not double precision: decimal sums do not depend on the order of the events
    float: "numeric",
    int: "bigint",
    str: "text",
    bool: "boolean",
    date: "date",
    datetime: "timestamptz",
}
ENVELOPE = ("position", "event_id", "household", "actor", "correlation_id", "causation_id", "recorded_at")


Only = tuple[str, tuple[str, ...]]
"""A field, and its values as text."""

AFTER, UPTO = "meals.after", "meals.upto"
"""Settings of a transaction that hold the bounds of its batch."""
BETWEEN = f"position > current_setting('{AFTER}')::bigint AND position <= current_setting('{UPTO}')::bigint"


class Batch:
    """The events of some types with `after` < position <= `upto`, inside the subscriber's transaction `db`.

    With `only` just those whose payload has one of the values there. With `set_bounds` both bounds stand in settings of
    the transaction already, so that each batch says the same to the server, which plans it once. Texts of persons are
    as the log keeps them, encrypted: what a fold makes rows of depends on nothing but the log.
    """

    def __init__(
        self,
        db: Connection,
        listens_to: tuple[type[Event], ...],
        after: int,
        upto: int,
        only: Only | None = None,
        *,
        set_bounds: bool = False,
    ) -> None:
        self.db = db
        self.after = after
        self.upto = upto
        self._listens_to = listens_to
        self._only = only
        self._set_bounds = set_bounds

    @cached_property
    def events(self) -> list[Recorded]:
        """In the order of the log."""
        query = sql.SQL("SELECT {} FROM log.events WHERE {} ORDER BY position")
        cursor = self.db.execute(query.format(sql.SQL(COLUMNS), self._where(*self._listens_to)))
        return [recorded(row) for row in cursor.fetchall()]

    def rows(self, event: type[Event]) -> sql.Composable:
        """A subquery, for FROM: the batch's events of one type, a typed column a field, beside their envelope.

        Objects and lists are jsonb. Events stored in an older version come upcast.
        A field with the name of a part of the envelope, like `position`, is the column `payload_position`.
        """
        if event.version > 1 and self._holds_old_versions(event):
            return _typed(event, self._upcast(event))
        if self._set_bounds and self._only is None:
            return _rows_between(event)
        return _typed(event, sql.SQL("log.events WHERE {}").format(self._where(event)))

    def frame(self, event: type[Event]) -> "pd.DataFrame":
        """The same as a pandas frame, in the order of the log; numeric columns are floats."""
        import pandas as pd

        cursor = self.db.execute(sql.SQL("SELECT * FROM {} AS batch ORDER BY position").format(self.rows(event)))
        frame = pd.DataFrame(cursor.fetchall(), columns=[c.name for c in cursor.description or ()])
        numbers = [_column_name(name) for name, kind in _fields(event) if kind is float]
        return frame.astype(dict.fromkeys(numbers, float))

    def types(self) -> dict[str, int]:
        """Type name -> how many."""
        query = sql.SQL("SELECT type, count(*) FROM log.events WHERE {} GROUP BY type ORDER BY type")
        return {str(t): int(n) for t, n in self.db.execute(query.format(self._where(*self._listens_to))).fetchall()}

    def refuse_unknown(self) -> None:
        """Raises `UnknownEvent` for the first event that this program does not wholly know: its row would be wrong.

        One query where no newer program ever wrote; else events are decoded from where it did.
        """
        known = [t.type_name for t in self._listens_to], [t.version for t in self._listens_to]
        where = self._where(*self._listens_to)
        newer = sql.SQL(
            "SELECT {}, min(position) - 1 FROM log.events JOIN unnest({}::text[], {}::smallint[])"
            " AS known (type, newest) USING (type) WHERE {} AND version > newest"
        ).format(sql.SQL(NOTED), *known, where)
        noted, before = fetch_row(self.db, newer)
        doubts = before, unknown_since(self.db, self._listens_to, noted)
        at = min((after for after in doubts if after is not None), default=self.upto)
        page = sql.SQL("SELECT {} FROM log.events WHERE {} AND position > %s ORDER BY position LIMIT %s").format(
            sql.SQL(COLUMNS), where
        )
        while at < self.upto and (rows := self.db.execute(page, (at, PAGE)).fetchall()):
            at = [recorded(row) for row in rows][-1].position

    def _where(self, *types: type[Event]) -> sql.Composable:
        condition: sql.Composable = _between(types)
        if not self._set_bounds:
            condition = sql.SQL("position > {} AND position <= {} AND type = ANY({})").format(
                self.after, self.upto, [t.type_name for t in types]
            )
        if self._only is None:
            return condition
        field, values = self._only
        return sql.SQL("{} AND payload->>{} = ANY({})").format(condition, field, list(values))

    def _holds_old_versions(self, event: type[Event]) -> bool:
        query = sql.SQL("SELECT EXISTS (SELECT FROM log.events WHERE {} AND version < {})")
        return self.db.execute(query.format(self._where(event), event.version)).fetchone() == (True,)

    def _upcast(self, event: type[Event]) -> sql.Composed:
        """The events of one type, through their upcasters, in a temporary table shaped like the log."""
        table = sql.Identifier("pg_temp", f"upcast_{event.__name__.lower()}")
        self.db.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table))
        self.db.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT * FROM log.events WHERE {}").format(
                sql.Identifier(f"upcast_{event.__name__.lower()}"), self._where(event)
            )
        )
        today = [(Jsonb(_payload(r)), r.position) for r in self.events if type(r.event) is event]
        with self.db.cursor() as cursor:
            cursor.executemany(sql.SQL("UPDATE {} SET payload = %s WHERE position = %s").format(table), today)
        return sql.SQL("{} AS upcast").format(table)


@cache
def _between(types: tuple[type[Event], ...]) -> sql.SQL:
    """The condition by the transaction's settings, as text: putting it together anew takes longer than the query."""
    condition = sql.SQL("{} AND type = ANY({})").format(sql.SQL(BETWEEN), [t.type_name for t in types])
    return sql.SQL(condition.as_string())


@cache
def _rows_between(event: type[Event]) -> sql.SQL:
    return sql.SQL(_typed(event, sql.SQL("log.events WHERE {}").format(_between((event,)))).as_string())


def _typed(event: type[Event], source: sql.Composable) -> sql.Composed:
    columns = [sql.Identifier(c) for c in ENVELOPE] + [_column(n, t) for n, t in _fields(event)]
    return sql.SQL("(SELECT {} FROM {})").format(sql.SQL(", ").join(columns), source)


def column_types(event: type[Event]) -> dict[str, str]:
    """Field of the event -> the SQL type of its column in `rows`."""
    return {name: "jsonb" if kind is None else SQL_TYPES[kind] for name, kind in _fields(event)}


def _payload(recorded: Recorded) -> dict[str, Any]:
    return recorded.event.model_dump(mode="json", exclude_none=True)


def _fields(event: type[Event]) -> list[tuple[str, Any]]:
    return [(name, _plain(info.annotation)) for name, info in event.model_fields.items()]


def _plain(annotation: Any) -> Any:
    """The column's Python type: of `float | None` float, of a Literal of texts str, of a list or object None."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (a for a in get_args(annotation) if a is not NoneType)
    if hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    return annotation if annotation in SQL_TYPES else None


def _column_name(field: str) -> str:
    return f"payload_{field}" if field in ENVELOPE else field


def _column(field: str, kind: Any) -> sql.Composed:
    column = sql.Identifier(_column_name(field))
    if kind is None:
        return sql.SQL("payload->{} AS {}").format(field, column)
    return sql.SQL("(payload->>{})::{} AS {}").format(field, sql.SQL(SQL_TYPES[kind]), column)
