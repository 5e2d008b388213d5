"""Looking for secrets in all that is kept: every cell of the database, every file, every word that was printed."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

SCHEMAS_OF_POSTGRES = ("pg_catalog", "information_schema", "pg_toast")


@dataclass(frozen=True, slots=True)
class Found:
    """Which secret lies where, and how it is written there."""

    secret: str
    how: str
    where: str


class Hunt:
    """`secrets`: name -> value."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        self._ways = [(name, how, text) for name, value in secrets.items() for how, text in ways(value)]

    def in_text(self, text: str, where: str) -> list[Found]:
        low = text.lower()
        return [Found(name, how, where) for name, how, way in self._ways if way in low]

    def in_bytes(self, content: bytes, where: str) -> list[Found]:
        """As they are, and unpacked where they are packed."""
        found = self.in_text(content.decode("latin-1"), where)
        for unpack in (zlib.decompress, gzip.decompress):
            try:
                found += self.in_text(unpack(content).decode("latin-1"), f"{where}, packed")
            except (zlib.error, OSError, EOFError):
                continue
        return found

    def in_database(self, url: str) -> Iterator[Found]:
        """In every cell of every table of ours and of Dagster's."""
        with psycopg.connect(url) as db:
            tables = db.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
                " WHERE table_type = 'BASE TABLE' AND table_schema <> ALL(%s)",
                (list(SCHEMAS_OF_POSTGRES),),
            ).fetchall()
            assert ("log", "events") in tables
            for schema, table in tables:
                where = sql.Identifier(schema, table)
                for row, *cells in db.execute(sql.SQL("SELECT t::text, t.* FROM {} t").format(where)):
                    yield from self.in_text(row, f"{schema}.{table}")
                    for cell in cells:
                        if isinstance(cell, bytes):
                            yield from self.in_bytes(cell, f"{schema}.{table}")

    def in_folder(self, folder: Path) -> Iterator[Found]:
        """In every file, and its name."""
        for path in folder.rglob("*"):
            yield from self.in_text(str(path), str(path))
            if path.is_file():
                yield from self.in_bytes(path.read_bytes(), str(path))


def ways(secret: str | bytes) -> Iterator[tuple[str, str]]:
    """How a secret of a dozen characters or more may be written, in small letters: a name of that, and the text."""
    raw = secret.encode() if isinstance(secret, str) else secret
    text = secret if isinstance(secret, str) else secret.decode("latin-1")
    yield "in clear", text.lower()
    yield "in UTF-8", raw.decode("latin-1").lower()
    yield "in a URL", quote(raw, safe="").lower()
    yield "in a form", quote_plus(raw).lower()
    yield "in JSON", json.dumps(text)[1:-1].lower()
    yield "in hex", raw.hex()
    for before in range(3):
        # What follows on so many other bytes, without the characters that hold bits of its neighbours.
        coded = base64.b64encode(b"\0" * before + raw)
        inner = coded[(0, 2, 3)[before] : len(coded) - (4 if (before + len(raw)) % 3 else 0)].decode().lower()
        yield "in base64", inner
        yield "in base64 of URLs", inner.replace("+", "-").replace("/", "_")
