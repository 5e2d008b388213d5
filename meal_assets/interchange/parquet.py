"""The same events as columns: a file that pandas, DuckDB and Spark read. `data` stays JSON text, to lose nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meal_assets.errors import Permanent, Unavailable
from meal_assets.event_store.cloud_event import Logged, attributes_of, line_of

from .export import Kept, replace_durably

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise Unavailable("Parquet needs pyarrow: pip install meal-assets[parquet]") from error

PART = 20_000
"""Events of one part, which becomes a row group of the file."""
TIME = pa.timestamp("us", tz="UTC")
TEXTS = ("specversion", "id", "source", "type", "subject", "dataschema", "datacontenttype", "household", "actor")
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in TEXTS),
        ("correlationid", pa.string()),
        ("causationid", pa.string()),
        ("hash", pa.string()),
        ("sealed", pa.string()),
        ("personkey", pa.string()),
        ("position", pa.int64()),
        ("streamversion", pa.int32()),
        ("time", TIME),
        ("recordedtime", TIME),
        ("data", pa.string()),
    ]
)


class Parts:
    """A folder of parts while it is written; at the end they become one file."""

    chunk = PART

    def __init__(self, path: Path, *, chained: bool) -> None:
        self._path, self._chained = path, chained
        self._folder = path.with_name(f"{path.name}.partial")

    def kept(self) -> tuple[Kept, Kept] | None:
        self._folder.mkdir(exist_ok=True)
        parts = self._parts()
        if not parts:
            return None
        columns = ["position", "id", "hash"]
        first, last = (pq.read_table(part, columns=columns).to_pylist() for part in (parts[0], parts[-1]))
        return Kept(*first[0].values()), Kept(*last[-1].values())

    def write(self, rows: list[Logged]) -> None:
        told = [attributes_of(row, chained=self._chained) | {"data": row.data} for row in rows]
        writing = self._folder / "writing"
        pq.write_table(pa.Table.from_pylist(told, schema=SCHEMA), writing, compression="zstd")
        _sync(writing)
        replace_durably(writing, self._folder / f"{rows[0].position:020}.parquet")

    def finish(self) -> None:
        merging = self._folder / "merging"
        with pq.ParquetWriter(merging, SCHEMA, compression="zstd") as whole:
            for part in self._parts():
                whole.write_table(pq.read_table(part, schema=SCHEMA))
        _sync(merging)
        replace_durably(merging, self._path)
        shutil.rmtree(self._folder)

    def _parts(self) -> list[Path]:
        return sorted(self._folder.glob("*.parquet"))


def parquet_lines(path: Path) -> Iterator[bytes]:
    """The rows as the lines that the JSON export would have written."""
    try:
        file = pq.ParquetFile(path)
        there = [name for name in SCHEMA.names if name in file.schema_arrow.names]
        if missing := [name for name in SCHEMA.names if name not in {*there, "sealed", "personkey"}]:
            raise Permanent(f"{path} has no column {', '.join(missing)}: it is no export of events")
        for batch in file.iter_batches(batch_size=PART, columns=there):
            for row in batch.to_pylist():
                yield _line(row).encode()
    except (pa.ArrowInvalid, OSError) as error:
        raise Permanent(f"{path} is not whole Parquet: {error}. Export it again.") from error


def _line(row: dict[str, Any]) -> str:
    data = row.pop("data")
    return line_of({name: value for name, value in row.items() if value is not None}, data or "null")


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
