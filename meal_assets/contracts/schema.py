"""Every event as JSON Schema 2020-12, committed: what other programs may rely on, and a guard against silent changes.

`python -m meal_assets.contracts` writes the files.
"""

import json
from pathlib import Path
from typing import Any

from .base import Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "schemas"
"""One file a version of an event; those of old versions stay."""


def schema_of(event: type[Event]) -> dict[str, Any]:
    """What a payload of the event's newest version must look like."""
    return {
        **event.model_json_schema(),
        "$schema": DIALECT,
        "$id": f"{event.type_name}/v{event.version}",
        "examples": event.examples,
    }


def schema_file(event: type[Event], folder: Path = FOLDER) -> Path:
    """Where the schema of the event's newest version is kept."""
    return folder / f"{event.type_name}.v{event.version}.json"


def write_schema(event: type[Event], folder: Path = FOLDER) -> None:
    """Write the schema of the event's newest version, and no other file."""
    text = json.dumps(schema_of(event), indent=2, sort_keys=True, ensure_ascii=False)
    schema_file(event, folder).write_text(text + "\n", encoding="utf-8")


def what_changed(event: type[Event], folder: Path = FOLDER) -> str | None:
    """How the event differs from the schema committed for its version, and what to do; None when it does not."""
    write = "run `python -m meal_assets.contracts` and commit the file"
    path = schema_file(event, folder)
    if not path.exists():
        return f"{event.type_name} version {event.version} has no {path.name}: {write}"
    committed = json.loads(path.read_text(encoding="utf-8"))
    if committed == schema_of(event):
        return None
    older, newer = event.version, event.version + 1
    return (
        f"{event.type_name} is no longer what {path.name} says, but stored events of version {older} still are:"
        f" set version={newer}, write from_v{older}, then {write}."
        f" If every payload of version {older} is still read as before (only words or examples changed), just {write}."
    )
