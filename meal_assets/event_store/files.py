"""Bytes that events speak of, kept in the database under their SHA-256, so that any worker can read them."""

import gzip
import io
import zlib
from hashlib import sha256

from meal_assets.errors import Invalid, Permanent

from .database import Database

MAX_BYTES = 64 * 1024 * 1024
MAX_UNPACKED = 512 * 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"


def keep_file(database: Database, content: bytes) -> str:
    """Store the bytes and return their SHA-256; raises `Invalid` when they are too many."""
    if len(content) > MAX_BYTES:
        raise Invalid("file", f"holds {len(content):,} bytes, at most {MAX_BYTES:,} are taken: split it")
    digest = sha256(content).hexdigest()
    with database.transaction() as db:
        db.execute("INSERT INTO log.files (sha256, content) VALUES (%s, %s) ON CONFLICT DO NOTHING", (digest, content))
    return digest


def read_file(database: Database, digest: str) -> bytes:
    """The bytes; raises `Permanent` when they are not there."""
    with database.transaction() as db:
        row = db.execute("SELECT content FROM log.files WHERE sha256 = %s", (digest,)).fetchone()
    if row is None:
        raise Permanent(f"no file {digest} is kept here: import it again")
    return bytes(row[0])


def text_of(content: bytes) -> str:
    """The file's text, unpacked if it is gzip; raises `Permanent` when it is neither that nor UTF-8, or too much."""
    if content.startswith(GZIP_MAGIC):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(MAX_UNPACKED + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise Permanent(f"the file is not whole gzip: {error}. Pack it again.") from error
        if len(content) > MAX_UNPACKED:
            raise Permanent(f"the file unpacks to more than {MAX_UNPACKED:,} bytes: split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Permanent(f"the file is not UTF-8 text: {error}") from error
