"""An error as it may be kept for ever in a log that many read: no values of variables, no secrets, nobody's home."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb

from pydantic import ValidationError

MAX_ERROR_LENGTH = 4_000
MAX_TRACE_LENGTH = 4_000
MAX_CAUSES = 5
PERSONAL = "(personal)"
MAX_FRAMES = 20
"""The innermost ones of each cause."""

CREDENTIALS = re.compile(r"(?<=://)[^\s\"'<>]*@")
SCHEMES = re.compile(r"\b(Bearer|Basic|Digest)\s+[^\s,;\"']+", re.IGNORECASE)
NAMED = re.compile(
    r"([\w-]*(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|cookie|signature)[\w-]*"
    r"[\"']?\s*[=:]\s*)(?:\"[^\"]*\"|'[^']*'|(?:(?:Bearer|Basic|Digest)\s+)?[^\s&,;)}\]]+)",
    re.IGNORECASE,
)
SHAPED = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*|\b(?:sk|pk|gh[opsu]|github_pat|xox[abp])[-_][\w-]{10,}")
HOMES = re.compile(r"(?:/home|/Users)/[^/\s\"':]+|/root\b|[A-Za-z]:\\Users\\[^\\\s\"':]+")
PACKAGES = re.compile(r"^.*[/\\](?:site-packages[/\\]|lib[/\\]python3\.\d+[/\\]|(?=(?:meal_assets|tests)[/\\]))")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a dead letter tells of an error."""

    error_class: str
    message: str
    traceback: str

    @property
    def text(self) -> str:
        return f"{self.error_class}: {self.message}"


def trace_of(error: Exception, texts: Collection[str] = ()) -> Trace:
    """The error without what must not be kept, nor these texts of persons, bounded in length."""
    return Trace(
        type(error).__name__,
        without_texts(without_secrets(_message(error)), texts)[:MAX_ERROR_LENGTH],
        "\ncaused by ".join(map(_frames, _causes(error)))[:MAX_TRACE_LENGTH],
    )


def without_texts(message: str, texts: Collection[str]) -> str:
    """The message with a mask for these texts, however they are quoted, in capitals or not; words alone."""
    quoted = {way for text in texts if text for way in (text, repr(text)[1:-1], json.dumps(text)[1:-1])}
    if not quoted:
        return message
    any_of = "|".join(map(re.escape, sorted(quoted, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)(?:{any_of})(?!\w)", PERSONAL, message, flags=re.IGNORECASE)


def without_secrets(text: str) -> str:
    """The text with stars for passwords, tokens and the credentials of URLs, and ~ for anybody's home directory."""
    for secret, star in ((CREDENTIALS, "***@"), (NAMED, r"\1***"), (SCHEMES, r"\1 ***"), (SHAPED, "***")):
        text = secret.sub(star, text)
    return HOMES.sub("~", text.replace(str(Path.home()), "~")).replace("\0", "")


def _message(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    # pydantic's own text quotes the values it refuses
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong]
    return "\n".join([f"{len(wrong)} validation error{'s'[: len(wrong) != 1]} for {error.title}", *lines])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on: the latest first."""
    at: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if at is None:
            return
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _frames(error: BaseException) -> str:
    frames = [
        f"  {PACKAGES.sub('', frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return without_secrets("\n".join([type(error).__name__, *frames[-MAX_FRAMES:]]))
