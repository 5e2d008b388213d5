"""What we remember of the recipes of a Tandoor as we last read them, so that only what changed is read again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .remote import Shared

if TYPE_CHECKING:  # it brings an HTTP stack with it
    from .tandoor import Tandoor


@dataclass(frozen=True, slots=True)
class Mark:
    """How a recipe looked in the list when it was read for the request at `position`; why it was left out, if so."""

    number: int
    mark: str
    position: int
    field: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class There:
    """What a Tandoor has: number of a recipe -> its mark, empty where the pages of the list skipped it."""

    marks: Mapping[int, str]

    @classmethod
    def ask(cls, tandoor: "Tandoor") -> "There":
        """The list page by page, then all ids at once: those say what is there, for pages shift when people write."""
        listed = {o.id: o.mark for o in tandoor.overviews()}
        return cls({number: listed.get(number, "") for number in sorted(tandoor.ids())})

    def changed(self, known: Mapping[int, Mark]) -> list[int]:
        """Those that look other than when they were read, or never were."""
        return [n for n, mark in self.marks.items() if not mark or n not in known or known[n].mark != mark]

    def missing(self, known: Iterable[int]) -> list[int]:
        """Known ones that are not there."""
        return sorted({*known} - self.marks.keys())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the sync asked for at `position` is; `full_at`: when everything was last read and compared."""

    position: int
    read: int
    of: int
    full_at: datetime | None


class Marks:
    """The memory of one household."""

    def __init__(self, shared: Shared, household: str) -> None:
        self._shared, self._household = shared, household

    def all(self) -> dict[int, Mark]:
        with self._shared.transaction() as db:
            rows = db.execute(
                "SELECT number, mark, position, field, reason FROM log.tandoor_recipes WHERE household = %s"
                " ORDER BY number",
                (self._household,),
            )
            return {int(row[0]): Mark(*row) for row in rows}

    def keep(self, marks: Iterable[Mark], progress: Progress) -> None:
        """Remember what was read, and how far that is."""
        with self._shared.transaction() as db:
            for one in marks:
                db.execute(
                    "INSERT INTO log.tandoor_recipes VALUES (%s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (household, number) DO UPDATE SET mark = excluded.mark,"
                    " position = excluded.position, field = excluded.field, reason = excluded.reason",
                    (self._household, one.number, one.mark, one.position, one.field, one.reason),
                )
            db.execute(
                "INSERT INTO log.tandoor_syncs AS s VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (household) DO UPDATE SET position = excluded.position, read = excluded.read,"
                " of = excluded.of, full_at = coalesce(excluded.full_at, s.full_at)",
                (self._household, progress.position, progress.read, progress.of, progress.full_at),
            )

    def forget(self, number: int) -> None:
        with self._shared.transaction() as db:
            db.execute(
                "DELETE FROM log.tandoor_recipes WHERE household = %s AND number = %s", (self._household, number)
            )

    def progress(self) -> Progress | None:
        """How far the last sync is; None before the first."""
        query = "SELECT position, read, of, full_at FROM log.tandoor_syncs WHERE household = %s"
        with self._shared.transaction() as db:
            row = db.execute(query, (self._household,)).fetchone()
        return None if row is None else Progress(*row)
