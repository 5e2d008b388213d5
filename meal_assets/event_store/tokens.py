"""Tokens: who may ask over the network, for which household or person of it, and how much.

A token is 256 random bits, so its plain SHA-256 is enough to keep it by: there is nothing to guess from. It is shown
once, when it is made. It never is an event, since the log forgets nothing.
"""

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, get_args

from psycopg import sql

from meal_assets.errors import Invalid

from .database import Connection, Database

Scope = Literal["calendar", "read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each may do what those before it may. The first only reads the calendar, whose address holds the token."""
PREFIX = "meals_"
"""By which people, and programs that look for lost secrets, know one."""
TOKEN_BYTES = 32
LIFE = timedelta(days=90)
LINK, LINK_LIFE = "a link to log in", timedelta(minutes=15)
"""Name and life of a token that logs a browser in, once."""
LONGEST_LIFE = timedelta(days=3650)
USED_EACH = timedelta(minutes=1)
"""When it was used last is noted this often."""
MAX_SHOWN = 1_000
MAX_NAME = 100

COLUMNS = sql.SQL("id, household, person, scope, name, created_at, expires_at, revoked_at, used_at")

INSERT = sql.SQL(
    "INSERT INTO log.tokens (id, hash, household, person, scope, name, expires_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s) RETURNING {}"
)
FIND = sql.SQL("SELECT {} FROM log.tokens WHERE hash = %s")
LIST = sql.SQL("SELECT {} FROM log.tokens WHERE household = %s ORDER BY created_at DESC LIMIT %s")
REVOKE = sql.SQL(
    "UPDATE log.tokens SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE household = %s AND id = %s"
    " RETURNING {}"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as people may see it; `person` None: it speaks for the whole household."""

    id: str
    household: str
    person: str | None
    scope: Scope
    name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None

    @property
    def stands(self) -> bool:
        return self.revoked_at is None and datetime.now(UTC) < self.expires_at

    def may(self, scope: Scope) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def create_token(
    database: Database, household: str, scope: Scope, *, person: str | None = None, name: str, life: timedelta = LIFE
) -> tuple[str, Token]:
    """The secret, which is kept nowhere, and the token. Raises `Invalid` for a name or a life that is none."""
    if not 0 < len(name.strip()) <= MAX_NAME:
        raise Invalid("name", f"must have 1 to {MAX_NAME} characters: what the token is for")
    if not timedelta(0) < life <= LONGEST_LIFE:
        raise Invalid("days", f"must be between 1 and {LONGEST_LIFE.days:,}")
    secret = PREFIX + urlsafe_b64encode(secrets.token_bytes(TOKEN_BYTES)).rstrip(b"=").decode()
    with database.transaction() as db:
        row = db.execute(
            INSERT.format(COLUMNS),
            (secrets.token_hex(4), hash_of(secret), household, person, scope, name.strip(), life),
        ).fetchone()
    assert row is not None
    return secret, Token(*row)


def create_link(database: Database, household: str, pages: str, *, person: str | None = None) -> str:
    """An address that logs a browser in once, and soon, as who may do everything; `pages` is where they are."""
    secret, _ = create_token(database, household, "admin", person=person, name=LINK, life=LINK_LIFE)
    return f"{pages}/app/login?token={secret}"


def find_token(database: Database, secret: str) -> Token | None:
    """The token, also one that does not stand any more; None for what never was one."""
    if not secret.startswith(PREFIX):
        return None
    digest = hash_of(secret)
    with database.statement() as db:
        row = db.execute(FIND.format(COLUMNS), (digest,)).fetchone()
        found = None if row is None else Token(*row)
        if found and found.stands and (found.used_at is None or datetime.now(UTC) - found.used_at > USED_EACH):
            db.execute("UPDATE log.tokens SET used_at = clock_timestamp() WHERE id = %s", (found.id,))
    return found


def tokens_of(database: Database, household: str) -> list[Token]:
    """The household's, the newest first."""
    with database.statement() as db:
        return [Token(*row) for row in db.execute(LIST.format(COLUMNS), (household, MAX_SHOWN))]


def revoke_token(database: Database, household: str, token: str) -> Token:
    """From now on it opens nothing; said again, it is as it was. Raises `Invalid` where the household has no such."""
    with database.transaction() as db:
        row = db.execute(REVOKE.format(COLUMNS), (household, token)).fetchone()
    if row is None:
        raise Invalid("token", f"{household} has no token {token}: `meals token list` shows them")
    return Token(*row)


def forget_tokens(db: Connection, household: str, person: str) -> None:
    """Remove the tokens that speak for a person."""
    db.execute("DELETE FROM log.tokens WHERE household = %s AND person = %s", (household, person))


def hash_of(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()
