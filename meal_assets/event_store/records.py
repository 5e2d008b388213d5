"""What goes into the log beside an event, and what comes out of it."""

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from meal_assets.contracts import Event


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562 version 7): new index entries land beside each other."""
    stamp = int(time.time() * 1000).to_bytes(6, "big")
    random = os.urandom(10)
    return UUID(bytes=stamp + bytes([0x70 | random[0] & 0x0F, random[1], 0x80 | random[2] & 0x3F]) + random[3:])


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose event it is, who said it, and what it follows from."""

    household: str
    actor: str
    correlation_id: UUID = field(default_factory=uuid7)
    """One per command; as 32 hex digits it is the W3C trace id."""
    causation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the events of one append stand: positions `first` to `last`."""

    first: int
    last: int
    stream_version: int
    said_before: bool
    """The `once` key was known: this is the first answer again, and nothing was appended."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in the log."""

    position: int
    event_id: UUID
    stream: str
    stream_version: int
    household: str
    actor: str
    correlation_id: UUID
    causation_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    event: Event

    def origin_of_reaction(self, actor: str) -> Origin:
        """What an event said in answer to this one carries."""
        return Origin(self.household, actor, self.correlation_id, self.event_id)
