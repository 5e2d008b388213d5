"""Links from an asset to its module, its contracts and the documents; the UI opens them in an editor."""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from meal_assets.contracts import Event
from meal_assets.contracts.schema import schema_file

PROJECT = Path(__file__).parents[2]
DOCUMENTS = PROJECT / "docs"


def code_references(
    definition: type | Callable[..., object], events: Iterable[type[Event]], document: str
) -> dict[str, Any]:
    """Where it is defined, the JSON Schema of each event, and a document, as far as they are on this machine."""
    file, line = Path(inspect.getfile(definition)), inspect.getsourcelines(definition)[1]
    places = [(file, line, file.name)]
    places += [(path, 1, path.name) for path in map(schema_file, events)]
    places += [(DOCUMENTS / document, 1, f"docs/{document}")]
    references: list[Any] = [
        dg.LocalFileCodeReference(file_path=str(path), line_number=line, label=label)
        for path, line, label in places
        if path.exists()
    ]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=references)}
