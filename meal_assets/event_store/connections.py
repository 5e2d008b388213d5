"""Who of a household is connected to which service outside, and the tokens to it: encrypted with the key that wraps
those of persons, and in this table only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from meal_assets.errors import Unavailable

from .database import Connection, Database

WEBHOOK = "webhook"
"""The service of an address that is told what happens; its id stands in the place of a person."""
SELECT = "SELECT sealed FROM log.connections WHERE household = %s AND person = %s AND service = %s"
DELETE = "DELETE FROM log.connections WHERE household = %s AND person = %s AND service = %s"
REFUSE = "UPDATE log.connections SET refused = %s WHERE household = %s AND person = %s AND service = %s"

LOCK_CONNECTIONS = "LOCK log.connections IN SHARE ROW EXCLUSIVE MODE"
"""Before it is asked which key wraps them: nobody exchanges it until the transaction ends."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A person's connection as people may see it; `refused`: why the service does not accept it any more."""

    person: str
    since: datetime
    refused: str | None


class Connections:
    """The connections of one household to one service."""

    def __init__(self, database: Database, household: str, service: str) -> None:
        self._database, self._household, self._service = database, household, service

    def keep(self, person: str, secrets: Sequence[str]) -> None:
        """Connect the person, or anew with other secrets. Raises `Unavailable` where another key is in use."""
        with self._database.transaction() as db:
            db.execute(LOCK_CONNECTIONS)
            wrapping = self._database.key_to_wrap_with(db)
            sealed = wrapping.wrap(json.dumps([*secrets]).encode(), self._bound_to(person))
            db.execute(
                "INSERT INTO log.connections (household, person, service, sealed, wrapped_by)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (household, person, service) DO UPDATE SET"
                " sealed = excluded.sealed, wrapped_by = excluded.wrapped_by, refused = NULL,"
                " connected_at = clock_timestamp()",
                (self._household, person, self._service, sealed, wrapping.name),
            )

    def secrets(self, person: str) -> list[str]:
        """What `keep` was given. Raises `Unavailable` for who is not connected, or where the key is another one."""
        with self._database.transaction() as db:
            row = db.execute(SELECT, self._of(person)).fetchone()
        if row is None:
            raise Unavailable(f"{person} has no connection: `meals connect {self._service} {person}` makes one")
        opened = self._database.unwrap(bytes(row[0]), self._bound_to(person))
        return [str(part) for part in json.loads(opened)]

    def all(self) -> list[Connected]:
        """Everybody, by name."""
        with self._database.transaction() as db:
            rows = db.execute(
                "SELECT person, connected_at, refused FROM log.connections"
                " WHERE household = %s AND service = %s ORDER BY person",
                (self._household, self._service),
            )
            return [Connected(*row) for row in rows]

    def refuse(self, person: str, reason: str) -> None:
        """The service does not accept it any more: nobody asks again before there is another."""
        with self._database.transaction() as db:
            db.execute(REFUSE, (reason, *self._of(person)))

    def remove(self, person: str) -> bool:
        """Whether there was one."""
        with self._database.transaction() as db:
            return db.execute(DELETE, self._of(person)).rowcount > 0

    def _of(self, person: str) -> tuple[str, str, str]:
        return self._household, person, self._service

    def _bound_to(self, person: str) -> bytes:
        return bound_to(*self._of(person))


def bound_to(household: str, person: str, service: str) -> bytes:
    """What a connection's secrets are bound to."""
    return "\0".join(["connection", household, person, service]).encode()


def forget_connections(db: Connection, household: str, person: str) -> None:
    """Remove a person's connections to all services, and what was remembered of their accounts there."""
    db.execute("DELETE FROM log.connections WHERE household = %s AND person = %s", (household, person))
    db.execute("DELETE FROM log.fatsecret_entries WHERE household = %s AND person = %s", (household, person))
