"""One household's view of the database: a role that sees no row of another, whatever it is asked.

Which rows those are, the tables say (`log.let_see`): in read models, in the log, and in the keys to texts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from psycopg import sql
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, UndefinedObject

from meal_assets.errors import Unavailable

from .database import Connection, Database
from .store import EventStore

READER = "meals_reader"
AS_READER = "SET {0} ROLE {1}; SET {0} meals.household = {2}; SET {0} meals.person = {3}"
"""Utility statements only: a transaction may still say which moment it looks at."""
NO_ROLE = (
    f"the role {READER} is missing here, and without it nobody is kept from seeing other households: let an"
    f" administrator of the database say `CREATE ROLE {READER}; GRANT {READER} TO` the user of MEALS_DATABASE_URL, and"
    " migrate anew; `meals doctor` checks it"
)


class SeenDatabase(Database):
    """The database as one household sees it, on the connections of another `Database`; with a person, as they do.

    Transactions only read: nothing but a temporary table can be written in one.
    """

    def __init__(self, database: Database, household: str, person: str | None = None) -> None:
        self.url = database.url
        self._whole, self._household, self._person = database, household, person

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self._whole.transaction() as db:
            see(db, self._household, self._person)
            yield db

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        with self.transaction() as db:
            yield db

    @contextmanager
    def dedicated(self) -> Iterator[Connection]:
        with self._whole.dedicated() as db:
            see(db, self._household, self._person, scope="SESSION")
            yield db

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        return self._whole.unwrap(wrapped, bound_to)

    def close(self) -> None:
        """The connections are the other one's."""


def see(
    db: Connection, household: str, person: str | None = None, scope: Literal["LOCAL", "SESSION"] = "LOCAL"
) -> None:
    """From here to the end of the transaction only what this household, or person of it, may see is seen.

    Raises `Unavailable` where the database has no role for that.
    """
    try:
        names = (sql.Identifier(READER), sql.Literal(household), sql.Literal(person or ""))
        db.execute(sql.SQL(AS_READER).format(sql.SQL(scope), *names), prepare=False)
    except (InvalidParameterValue, UndefinedObject, InsufficientPrivilege) as error:
        raise Unavailable(NO_ROLE) from error


def seen_by(store: EventStore, household: str, person: str | None = None) -> EventStore:
    """The log, to be read only, as this household or person sees it."""
    return EventStore(SeenDatabase(store.database, household, person))
