"""Files are kept under what they hold, and only text is read out of them."""

import gzip
from hashlib import sha256

import psycopg
import pytest

from meal_assets.errors import Invalid, Permanent
from meal_assets.event_store import Database, files
from meal_assets.event_store.files import keep_file, read_file, text_of

WORDS = 'Grießbrei – 4 Portionen ☕\n{"title": "soup"}\r\n'
PACKED = gzip.compress(WORDS.encode() * 100)


def test_a_kept_file_comes_back_byte_for_byte(database: Database) -> None:
    content = bytes(range(256)) * 10
    digest = keep_file(database, content)
    assert digest == sha256(content).hexdigest()
    assert read_file(database, digest) == content


def test_the_same_bytes_are_kept_once(database: Database) -> None:
    assert keep_file(database, b"oats") == keep_file(database, b"oats") != keep_file(database, b"salt")
    with database.transaction() as db:
        assert db.execute("SELECT count(*) FROM log.files").fetchone() == (2,)


def test_a_file_that_is_not_kept_says_what_to_do(database: Database) -> None:
    with pytest.raises(Permanent, match="no file abab is kept here: import it again"):
        read_file(database, "abab")


def test_a_kept_file_cannot_be_changed_by_the_application(database: Database) -> None:
    keep_file(database, b"oats")
    for change in ("UPDATE log.files SET content = ''", "DELETE FROM log.files"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction() as db:
            db.execute(change)


def test_a_file_that_is_too_big_is_refused_before_it_is_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 1_000)
    keep_file(database, bytes(1_000))
    with pytest.raises(Invalid, match=r"holds 1,001 bytes, at most 1,000 are taken: split it") as refused:
        keep_file(database, bytes(1_001))
    assert refused.value.field == "file"
    with database.transaction() as db:
        assert db.execute("SELECT count(*) FROM log.files").fetchone() == (1,)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (WORDS.encode(), WORDS),
        (WORDS.encode("utf-8-sig"), WORDS),
        (gzip.compress(WORDS.encode()), WORDS),
        (gzip.compress(WORDS.encode("utf-8-sig")), WORDS),
        (gzip.compress(b"oats, ") + gzip.compress(b"salt"), "oats, salt"),
        (b"", ""),
    ],
    ids=["text", "with a byte order mark", "packed", "packed with a mark", "packed in two pieces", "nothing"],
)
def test_text_is_text_packed_or_not(content: bytes, text: str) -> None:
    assert text_of(content) == text


@pytest.mark.parametrize(
    "content",
    [PACKED[:20], PACKED[:-4], PACKED[:3], PACKED[:15] + b"\xff" * 20 + PACKED[35:], PACKED + b"rubbish"],
    ids=["cut early", "cut late", "only the head", "garbled", "with rubbish behind"],
)
def test_gzip_that_is_not_whole_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent, match=r"the file is not whole gzip: .* Pack it again"):
        text_of(content)


@pytest.mark.parametrize(
    "content",
    ["Grießbrei".encode("latin-1"), gzip.compress("Grießbrei".encode("utf-16")), b"PK\x03\x04\xff"],
    ids=["latin-1", "packed utf-16", "a zip"],
)
def test_what_is_not_utf8_is_refused(content: bytes) -> None:
    with pytest.raises(Permanent, match="the file is not UTF-8 text"):
        text_of(content)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 10_000)
    assert len(text_of(gzip.compress(b"a" * 10_000))) == 10_000
    with pytest.raises(Permanent, match="unpacks to more than 10,000 bytes: split it"):
        text_of(gzip.compress(b"a" * 10_001))
