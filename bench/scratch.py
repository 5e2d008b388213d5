"""A database of its own for a benchmark, gone when it is done."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.database import migrate
from meal_assets.event_store.embedded import embedded_url, stop_embedded


@contextmanager
def scratch_store() -> Iterator[EventStore]:
    """An event store in a fresh embedded server with its ordinary settings: fsync on, nothing tuned."""
    with tempfile.TemporaryDirectory(prefix="meals-bench-") as home:
        Path(home).chmod(0o755)
        url = embedded_url(Path(home))
        migrate(url)
        with Database(url) as database:
            yield EventStore(database)
        stop_embedded(Path(home))
