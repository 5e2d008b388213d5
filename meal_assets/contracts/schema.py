"""Every event as JSON Schema 2020-12, committed: what other programs may rely on, and a guard against silent changes.

`python -m meal_assets.contracts` writes the files. The examples in the file of an old version are payloads as they were
stored then; what they are read as today is committed in the file of the newest.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meal_assets.errors import Permanent

from .base import Event
from .compatibility import Schema, incompatible_changes

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "schemas"
"""One file a version of an event; those of old versions stay."""
UPCAST = "upcast"
"""Old version -> its examples as today's payloads, in the file of the newest version."""
WRITE = "run `python -m meal_assets.contracts` and commit what it writes"


def schema_of(event: type[Event]) -> Schema:
    """What a payload of the event's newest version must look like."""
    return {
        **event.model_json_schema(),
        "$schema": DIALECT,
        "$id": f"{event.type_name}/v{event.version}",
        "examples": event.examples,
    }


def schema_file(event: type[Event], folder: Path = FOLDER, version: int | None = None) -> Path:
    """Where the schema of a version of the event is kept, of the newest where none is named."""
    return folder / f"{event.type_name}.v{version or event.version}.json"


def write_schema(event: type[Event], folder: Path = FOLDER) -> bool:
    """Write the file of the event's newest version, and no other; False when it says all that already.

    Raises `Permanent` when stored events would then be read otherwise than before.
    """
    if reason := _what_forbids(event, folder):
        raise Permanent(reason)
    path, text = schema_file(event, folder), _text(event, folder)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


def what_changed(event: type[Event], folder: Path = FOLDER) -> str | None:
    """How the event differs from what is committed of it, and what to do; None when it does not."""
    if reason := _what_forbids(event, folder):
        return reason
    path = schema_file(event, folder)
    if not path.exists():
        return f"{event.type_name} version {event.version} has no {path.name}: {WRITE}"
    if _read(path) != json.loads(_text(event, folder)):
        return f"{path.name} is out of date, in words, examples or fields that may be left out: {WRITE}"
    return None


def _what_forbids(event: type[Event], folder: Path) -> str | None:
    """Why the event may not be what it is now, with what to do; None where stored events are read as before."""
    for version in range(1, event.version):
        if not (path := schema_file(event, folder, version)).exists():
            return (
                f"{event.type_name} version {event.version} is without {path.name}, whose examples prove that"
                f" from_v{version} reads what was stored: bring it back as it was last committed"
            )
    path = schema_file(event, folder)
    committed = _read(path) if path.exists() else {}
    upcast = committed.pop(UPCAST, {})
    if committed and (changes := incompatible_changes(committed, schema_of(event))):
        what, newer = f"{event.type_name} is not what {path.name} says, but stored events are", event.version + 1
        to_do = f"leave its fields as they were; or set version={newer}, write from_v{event.version}, and {WRITE}"
    elif changes := list(_read_otherwise(event, committed, upcast, folder)):
        what = f"{event.type_name} version {event.version} does not read stored events as committed"
        to_do = "mend its upcasters and validators: what they gave is what read models and consumers have seen"
    return "\n  ".join([f"{what}:", *changes, to_do]) if changes else None


def _read_otherwise(event: type[Event], committed: Schema, upcast: Schema, folder: Path) -> Iterator[str]:
    """Committed examples of this version and of older ones that are no longer read, or as something else."""
    for version in range(1, event.version + 1):
        stored = committed.get("examples", []) if version == event.version else _examples(event, folder, version)
        expected = upcast.get(str(version), [None] * len(stored))
        if len(expected) != len(stored):
            yield f"version {version} has {len(stored)} examples, of which {len(expected)} were committed as upcast"
        for n, (payload, wanted) in enumerate(zip(stored, expected, strict=False), start=1):
            try:
                read = event.from_stored(version, payload)
                if wanted is not None and read != event.model_validate(wanted):  # a field added since has its default
                    now = json.dumps(_payload(read), ensure_ascii=False)
                    yield f"example {n} of version {version} was {json.dumps(wanted, ensure_ascii=False)}, is {now}"
            except Exception as error:  # an upcaster is code, and may raise anything
                yield f"example {n} of version {version} is refused: {type(error).__name__} {error}"


def _text(event: type[Event], folder: Path) -> str:
    schema = schema_of(event)
    if event.version > 1:
        schema[UPCAST] = {
            str(version): [_payload(event.from_stored(version, x)) for x in _examples(event, folder, version)]
            for version in range(1, event.version)
        }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _payload(event: Event) -> dict[str, Any]:
    return event.model_dump(mode="json", exclude_none=True)


def _examples(event: type[Event], folder: Path, version: int) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = _read(schema_file(event, folder, version))["examples"]
    return examples


def _read(path: Path) -> Schema:
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    return schema
