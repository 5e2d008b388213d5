"""`python -m meal_assets.contracts` writes the JSON Schema of every event as it is now."""

from . import EVENTS
from .schema import FOLDER, write_schema

FOLDER.mkdir(exist_ok=True)
for event in EVENTS.values():
    write_schema(event)
