"""What a read model is: which events it listens to, its tables, and how events become rows."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from meal_assets.contracts import Event
from meal_assets.contracts.system import PersonForgotten
from meal_assets.discovery import snake
from meal_assets.event_store import Connection, Recorded
from meal_assets.event_store.batch import Batch

OF_A_PERSON = {"household", "person"}
SEEN_HOUSEHOLD, SEEN_PERSON = "(SELECT log.seen_household())", "(SELECT log.seen_person())"
"""Who asks over the network; no person where it is the household. As subqueries they are asked for once a query."""


class ReadModel:
    """Subclass with a docstring, `listens_to`, `tables` and `fold` (a batch at once) or `apply` (event by event).

    SQL names its tables without a schema: the same fold serves the live model and a rebuild in the shadow.
    Whatever is used, one by one, in batches of any size and rebuilt from zero must give the same rows.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Raise it when the fold or a table changes: the model is then rebuilt by itself."""
    listens_to: ClassVar[tuple[type[Event], ...]]
    tables: ClassVar[Mapping[str, str]]
    """Table name (the model's name, or beginning with it) -> its columns, as in CREATE TABLE."""
    shows: ClassVar[str]
    """A SELECT whose first rows serve as a preview."""
    partitioned_by: ClassVar[str | None] = None
    """The event field (a date) that is the day of a row, where the model has daily partitions."""
    fresh_for: ClassVar[timedelta | None] = None
    """How long nothing new is nothing strange; without, for ever."""
    made_by: ClassVar[Mapping[str, str]] = {}
    """Key column -> the SQL condition on log.events that an event behind the row fulfils, with `%(column)s`.

    Needed only where an event field of the column's name is not the column's value.
    """

    made_of: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Column -> the event fields its value comes from, as "Event.field": what column lineage shows.

    Needed only where that is not the field of the column's name.
    """

    of_persons: ClassVar[tuple[str, ...]] = ()
    """Its tables that have the columns household and person: rows of a person are removed where one was forgotten.

    A model with such tables listens to that by itself; neither its `fold` nor its `apply` ever sees it.
    """

    seen: ClassVar[str | None] = None
    """The SQL condition on its rows that `SEEN_HOUSEHOLD` may see, and `SEEN_PERSON` where that is not NULL.

    Needed only where the columns household and person do not say whose a row is; without any, nobody sees it who asks
    for a household.
    """

    def __init_subclass__(cls) -> None:
        cls.name = snake(cls.__name__)
        cls.of_persons = tuple(t for t, columns in getattr(cls, "tables", {}).items() if _names(columns) >= OF_A_PERSON)
        if cls.of_persons and PersonForgotten not in cls.listens_to:
            cls.listens_to = (*cls.listens_to, PersonForgotten)

    def fold(self, batch: Batch) -> None:
        """Bring the tables from `batch.after` to `batch.upto`."""
        events = batch.events
        with batch.db.pipeline():  # what one event makes is not waited for before the next, unless it is asked for
            for recorded in events:
                self.apply(batch.db, recorded)

    def apply(self, db: Connection, recorded: Recorded) -> None:
        """One event."""
        raise NotImplementedError(f"{type(self).__name__} has neither fold nor apply")

    @classmethod
    def seen_by(cls, table: str) -> str | None:
        """Which rows of the table a household, or a person of it, may see; None for none."""
        columns = _names(cls.tables[table])
        if cls.seen is not None:
            return cls.seen
        if "household" not in columns:
            return None
        whose = [f"household = {SEEN_HOUSEHOLD}"]
        if "person" in columns:
            whose.append(f"({SEEN_PERSON} IS NULL OR person = {SEEN_PERSON})")
        return " AND ".join(whose)

    @classmethod
    def picture(cls, db: Connection) -> str | None:  # noqa: ARG003  # for those that have one
        """What people would rather look at than read, as SVG, of the live tables; None for nothing."""
        return None


def _names(columns: str) -> set[str]:
    """The first word of each definition, whatever that is."""
    return {part.split(maxsplit=1)[0] for part in columns.split(",") if part.strip()}
