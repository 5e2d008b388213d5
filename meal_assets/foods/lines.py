"""Ingredient lines as read, kept by their text: a line is parsed once, and for old ones nobody imports the parser."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from meal_assets.contracts.recipe import Ingredient
from meal_assets.domain.nutrition import Reading, read_apart
from meal_assets.event_store import Database

from .parser import parser_version, read_lines

KEEP_AT_ONCE = 500


def readings_of(database: Database, ingredients: Sequence[Ingredient]) -> list[Reading]:
    """Each line as read: as its source gave it apart, else as it was read before, else parsed now."""
    apart = [read_apart(i) for i in ingredients]
    read = read_texts(database, (i.line for i, known in zip(ingredients, apart, strict=True) if known is None))
    return [known or read[i.line] for i, known in zip(ingredients, apart, strict=True)]


def read_texts(database: Database, texts: Iterable[str]) -> dict[str, Reading]:
    """Text -> reading, of each text once."""
    wanted = {sha256(text.encode()).digest(): text for text in texts}
    if not wanted:
        return {}
    reader = parser_version()
    with database.transaction() as db:
        rows = db.execute(
            "SELECT digest, reading FROM log.readings WHERE reader = %s AND digest = ANY(%s)", (reader, list(wanted))
        ).fetchall()
    read = {wanted[bytes(digest)]: Reading.model_validate_json(reading) for digest, reading in rows}
    missing = [(digest, text) for digest, text in wanted.items() if text not in read]
    for start in range(0, len(missing), KEEP_AT_ONCE):
        some = missing[start : start + KEEP_AT_ONCE]
        new = dict(zip(some, read_lines(text for _, text in some), strict=True))
        with database.transaction() as db:
            # another process may have read the same lines meanwhile, and it says the same
            db.execute("DELETE FROM log.readings WHERE reader <> %s", (reader,))
            db.cursor().executemany(
                "INSERT INTO log.readings VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                [(reader, digest, reading.model_dump_json()) for (digest, _), reading in new.items()],
            )
        read |= {text: reading for (_, text), reading in new.items()}
    return read
