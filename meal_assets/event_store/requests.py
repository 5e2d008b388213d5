"""What was asked with an Idempotency-Key, and what it was answered: asked again, the answer is the same, for a day.

The note is there before the command is: appends come after it in the database's own log, so it outlives a crash that
the append outlives. Whether a command went through whose answer was never noted, its correlation id tells.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from meal_assets.errors import OnceConflict

from .database import Connection, Database

KEPT = timedelta(hours=24)
STUCK = timedelta(seconds=60)
"""Who has not answered by then never will: the command is at work no longer."""
CLEARED_AT_ONCE = 20

RESERVE = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    old AS (
        DELETE FROM log.requests WHERE (token, key) IN (
            SELECT token, key FROM log.requests
            WHERE claimed_at < now() - %(kept)s AND (token, key) <> (%(token)s, %(key)s)
            LIMIT %(cleared)s FOR UPDATE SKIP LOCKED)
    )
    INSERT INTO log.requests AS r (household, token, key, digest, correlation_id)
    SELECT %(household)s, %(token)s, %(key)s, %(digest)s, %(correlation)s FROM quick
    ON CONFLICT (token, key) DO UPDATE
    SET digest = excluded.digest, correlation_id = excluded.correlation_id, claimed_at = now(), answer = NULL
    WHERE r.claimed_at < now() - %(kept)s
    RETURNING correlation_id
"""
"""Nobody waits for the disk: the append that follows does, for this too."""
NOTE = """
    UPDATE log.requests SET answer = %s FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quick
    WHERE token = %s AND key = %s
"""
TAKE_OVER = """
    UPDATE log.requests SET claimed_at = now()
    WHERE token = %s AND key = %s AND answer IS NULL AND claimed_at < now() - %s RETURNING correlation_id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request with a key is to do: give this `answer` again, or act, under this correlation id.

    `again`: somebody acted before and may have come through: look for the correlation id first. Where that is nowhere,
    and `at_work`, they are at it in this moment.
    """

    correlation_id: UUID
    answer: dict[str, Any] | None = None
    again: bool = False
    at_work: bool = False


def claim(
    database: Database,
    household: str,
    token: str,
    key: str,
    digest: bytes,
    correlation_id: UUID,
    stuck: timedelta = STUCK,
) -> Claim:
    """Raises `OnceConflict` where the key stands for another request."""
    with database.statement() as db:
        reserved = db.execute(
            RESERVE,
            {
                "household": household,
                "token": token,
                "key": key,
                "digest": digest,
                "correlation": correlation_id,
                "kept": KEPT,
                "cleared": CLEARED_AT_ONCE,
            },
        ).fetchone()
        if reserved:
            return Claim(correlation_id)
        return _known(db, token, key, digest, stuck)


def _known(db: Connection, token: str, key: str, digest: bytes, stuck: timedelta) -> Claim:
    row = db.execute(
        "SELECT digest, correlation_id, answer FROM log.requests WHERE token = %s AND key = %s", (token, key)
    ).fetchone()
    if row is None:
        raise OnceConflict("the request with this Idempotency-Key failed in this moment: send it again")
    known, correlation, answer = bytes(row[0]), row[1], row[2]
    if known != digest:
        raise OnceConflict("this Idempotency-Key stands for another request: use a new key for each command")
    if answer is not None:
        return Claim(correlation, answer)
    taken_over = db.execute(TAKE_OVER, (token, key, stuck)).fetchone()
    return Claim(correlation, again=True, at_work=taken_over is None)


def note_answer(database: Database, token: str, key: str, answer: dict[str, Any]) -> None:
    """The answer that is given from now on."""
    with database.statement() as db:
        db.execute(NOTE, (Jsonb(answer), token, key))  # lost, it is made again from the log


def give_up(database: Database, token: str, key: str) -> None:
    """Nothing was accepted: the key is free again."""
    with database.statement() as db:
        db.execute("DELETE FROM log.requests WHERE token = %s AND key = %s AND answer IS NULL", (token, key))
