"""A consumer in any language: a program that reads one event and writes those that follow from it.

It gets one JSON object on standard input, with what `given` says of an event, and writes one JSON object a line:
`{"type": …, "payload": …}`, with `"version"` where the payload is of an older one, and `"key"` as `Said` has it. It
begins anew for each event, in an empty folder, with nothing of our environment but what `processes.INHERITED` names.

Exit status 0: handled. 75 (EX_TEMPFAIL of sysexits.h), too late, or killed from outside: again later, a bounded number
of times. Anything else, and any line that no contract of `says` allows: never; the event becomes a dead letter.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, NoReturn

from meal_assets.contracts import Event
from meal_assets.errors import Permanent, Transient
from meal_assets.event_store import EventStore, Recorded

from .consumer import Consumer, Said
from .processes import run, told
from .traces import without_secrets

AGAIN_LATER = 75
MAX_LINES = 1_000
FIELDS = {"type", "payload", "version", "key"}
logger = logging.getLogger(__name__)

Around = Callable[[], AbstractContextManager[Mapping[str, str]]]


class Program(Consumer):
    """Subclass with a docstring, `command`, `listens_to` and `says`. It is handed no secrets, and does nothing outside:
    a shadow and a replay run it, too.
    """

    command: ClassVar[tuple[str, ...]]
    """The program and its arguments; no shell reads them."""
    seconds: ClassVar[float] = 30.0
    """What it may take for an event."""
    environment: ClassVar[Mapping[str, str]] = {}
    """What it finds in its environment beside the little that every program does."""
    pipes: ClassVar[bool] = False
    """Whether it speaks Dagster Pipes: what it logs then is in the log of Dagster's run, where it runs in one."""

    around: Around = staticmethod(lambda: nullcontext({}))
    """What surrounds each of its runs, and gives it more of an environment: the platform puts a Pipes session here."""

    def handle(self, recorded: Recorded, log: EventStore) -> Iterator[Said]:  # noqa: ARG002  # it sees one event only
        name = self.command[0]
        with self.around() as more:
            ended = run(self.command, given(recorded), {**self.environment, **more}, self.seconds)
        if ended.status == AGAIN_LATER:
            raise Transient(told(ended, name))
        if ended.status:
            raise Permanent(told(ended, name))
        if ended.stderr:
            logger.warning("%s said about position %s: %s", name, recorded.position, without_secrets(ended.stderr))
        lines = [line for line in ended.stdout.split(b"\n") if line.strip()]
        if len(lines) > MAX_LINES:
            raise Permanent(f"{name} wrote {len(lines):,} lines, {MAX_LINES:,} are allowed")
        said = [self._said(line, f"{name}, line {n}") for n, line in enumerate(lines, 1)]
        yield from said  # all or nothing: none before each is as it should be

    def _said(self, line: bytes, where: str) -> Said:
        """The event of a line. Raises `Permanent` or pydantic's `ValidationError`."""
        try:
            written = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise Permanent(f"{where}: is not JSON: {type(error).__name__}") from None
        if not isinstance(written, dict) or not {"type", "payload"} <= {*written} <= FIELDS:
            raise Permanent(f"{where}: is no object with type and payload, and at most version and key beside them")
        event = next((e for e in self.says if e.type_name == written["type"]), None)
        if event is None:
            raise Permanent(f"{where}: its type is none of {', '.join(e.type_name for e in self.says)}")
        version, key, payload = written.get("version", event.version), written.get("key"), written["payload"]
        if type(version) is not int or not 1 <= version <= event.version:
            raise Permanent(f"{where}: {event.type_name} has versions 1 to {event.version}")
        if not isinstance(payload, dict) or not isinstance(key, str | None):
            raise Permanent(f"{where}: payload is to be an object, and key a text")
        return Said(event.from_stored(version, payload), key)


def given(recorded: Recorded) -> bytes:
    """The event as a program reads it: its envelope, and its payload as of its version."""
    envelope: dict[str, Any] = {
        "position": recorded.position,
        "event_id": str(recorded.event_id),
        "stream": recorded.stream,
        "household": recorded.household,
        "actor": recorded.actor,
        "correlation_id": str(recorded.correlation_id),
        "occurred_at": recorded.occurred_at.isoformat(),
        "recorded_at": recorded.recorded_at.isoformat(),
        "type": recorded.event.type_name,
        "version": recorded.event.version,
        "payload": _payload(recorded.event),
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _payload(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude_none=True)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
