"""Text out of web pages and JSON: markup, entities and invisible characters go, what was written stays."""

import html
import re
import unicodedata
from collections.abc import Iterator

MAX_NESTING = 8
"""How deep lists and objects are searched for text."""

_BREAK = re.compile(r"</?(?:br|p|li|ul|ol|div|tr|td|h[1-6])\b[^<>]*>|[\r\n\u2028\u2029]", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>|<!--[^<>]*-->", re.IGNORECASE)
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff\ud800-\udfff]")


def paragraphs(text: str) -> list[str]:
    """The lines of a text, each clean (NFC, single spaces, no markup); empty ones are left out."""
    lines = _TAG.sub("", _BREAK.sub("\n", _unescaped(text))).split("\n")
    tidy = (_INVISIBLE.sub("", " ".join(line.split())).strip() for line in lines)
    return [unicodedata.normalize("NFC", line) for line in tidy if line]


def _unescaped(text: str) -> str:
    # Twice, because pages escape what is escaped. An entity of more than 4,300 digits is no int: ValueError.
    try:
        return html.unescape(html.unescape(text))
    except ValueError:
        return text


def clean(text: str) -> str:
    """The whole text on one line; "" when nothing but markup was in it."""
    return " ".join(paragraphs(text))


def texts(value: object, *keys: str, depth: int = MAX_NESTING) -> Iterator[str]:
    """The strings in a JSON value in order, as they are; of an object, those under the first key that has any."""
    match value:
        case str():
            yield value
        case list() if depth:
            for part in value:
                yield from texts(part, *keys, depth=depth - 1)
        case dict() if depth:
            for key in keys:
                if any(found := [t for t in texts(value.get(key), *keys, depth=depth - 1) if t.strip()]):
                    yield from found
                    return
