"""What a remote service is to us: where it is, how much of it we may use, and which of its answers are trouble."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

if TYPE_CHECKING:  # it is slow to import, and who only names a remote does without
    import httpx

TOO_BUSY = frozenset({408, 425, 429})
"""Statuses below 500 that another attempt may not meet."""


class Shared(Protocol):
    """Where all processes see the same breaker, budget and cache: the database."""

    def transaction(self) -> AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]:
        """A connection in a transaction of its own."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an answer is no answer; `wait` where the remote says how long it wants to be left alone."""

    reason: str
    wait: timedelta | None = None


Judge = Callable[["httpx.Response"], Trouble | None]
"""None for an answer, also for one that says no: whoever asked understands it. Trouble for one that another attempt
may not meet."""


def judge_by_status(response: "httpx.Response") -> Trouble | None:
    """5xx and "too busy" are trouble; everything else is an answer."""
    if response.status_code >= 500 or response.status_code in TOO_BUSY:
        return Trouble(f"HTTP {response.status_code}", retry_after(response))
    return None


def retry_after(response: "httpx.Response") -> timedelta | None:
    """What `Retry-After` asks for, in seconds or as a date (RFC 9110 §10.2.3); None where it says nothing."""
    told = response.headers.get("retry-after", "").strip()
    if told.isdigit():
        return timedelta(seconds=int(told[:9]))
    try:
        return max(parsedate_to_datetime(told) - datetime.now(UTC), timedelta())
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Remote:
    """A service. `name` is what its breaker, its budget and its cache are kept under."""

    name: str
    base_url: str
    judge: Judge = judge_by_status
    calls_a_day: int | None = None
    """By UTC days; None where nobody counts."""
    calls_a_second: float | None = None
    read_seconds: float = 30.0
    """How long it may be silent in the middle of an answer."""
