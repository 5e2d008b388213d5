"""`python -m meal_assets.contracts` writes the JSON Schema of every event, unless stored ones forbid it."""

import sys

from meal_assets.errors import Permanent

from . import EVENTS
from .schema import FOLDER, schema_file, write_schema

FOLDER.mkdir(exist_ok=True)
refused = []
for event in EVENTS.values():
    try:
        if write_schema(event):
            print(f"wrote {schema_file(event).name}")
    except Permanent as error:
        refused.append(str(error))
if refused:
    sys.exit("\n".join([*refused, "These files were not written."]))
