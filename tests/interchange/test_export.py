"""An export is CloudEvents, complete, and gone on with after an interruption."""

import gzip
import json
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest

from meal_assets.contracts import TOPICS
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore
from meal_assets.interchange import export as exporting
from meal_assets.interchange.export import export
from meal_assets.interchange.lines import lines_of

from .material import FORMATS, fill_quickly, rows


def told(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for _, line in lines_of(path)]


@FORMATS
def test_every_event_is_a_line_of_cloud_events(full: EventStore, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    assert export(full, path).events == full.head()
    lines = told(path)
    for line, recorded in zip(lines, full.read(limit=full.head()), strict=True):
        assert line["specversion"] == "1.0"
        assert line["id"] == str(recorded.event_id)
        assert line["type"] == recorded.event.type_name
        assert line["subject"] == recorded.stream
        assert str(line["source"]).startswith("urn:meal_assets:")
        assert line["datacontenttype"] == "application/json"
        assert pd.Timestamp(str(line["time"])) == recorded.occurred_at
        assert pd.Timestamp(str(line["recordedtime"])) == recorded.recorded_at
        assert (line["position"], line["streamversion"]) == (recorded.position, recorded.stream_version)
        assert (line["household"], line["actor"]) == (recorded.household, recorded.actor)
        assert UUID(str(line["correlationid"])) == recorded.correlation_id
        assert line.get("causationid") == (str(recorded.causation_id) if recorded.causation_id else None)
    assert [bytes.fromhex(str(line["hash"])) for line in lines] == [h for (h,) in rows(full, "hash")]
    assert all(name.isalnum() and name == name.lower() for line in lines for name in line)
    assert not list(tmp_path.glob("*.partial"))


def test_the_three_formats_say_the_same(full: EventStore, tmp_path: Path) -> None:
    paths = [tmp_path / f"log{suffix}" for suffix in (".jsonl", ".jsonl.gz", ".parquet")]
    for path in paths:
        export(full, path)
    plain, packed, columns = (told(path) for path in paths)
    assert plain == packed == columns
    assert gzip.decompress(paths[1].read_bytes()) == paths[0].read_bytes()


@FORMATS
def test_an_export_of_a_topic_or_after_a_position_holds_just_that(
    full: EventStore, tmp_path: Path, suffix: str
) -> None:
    export(full, tmp_path / f"some{suffix}", after=10, types=TOPICS["shopping"])
    lines = told(tmp_path / f"some{suffix}")
    expected = full.read(10, TOPICS["shopping"], limit=full.head())
    assert [line["position"] for line in lines] == [r.position for r in expected]
    assert not any("hash" in line for line in lines), "a chain with links left out says nothing"


@FORMATS
def test_an_export_of_nothing_is_a_file_of_its_format(store: EventStore, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    assert export(store, path).events == 0
    assert told(path) == []
    assert suffix != ".jsonl.gz" or gzip.decompress(path.read_bytes()) == b""


def interrupted(monkeypatch: pytest.MonkeyPatch, store: EventStore, path: Path, after: int) -> None:
    """Stop an export, in small chunks, at its progress beyond a position."""
    from meal_assets.interchange import parquet

    monkeypatch.setattr(exporting.Lines, "chunk", 10)
    monkeypatch.setattr(parquet.Parts, "chunk", 10)

    def stop(at: int, _of: int) -> None:
        if at > after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(store, path, progress=stop)


@FORMATS
@pytest.mark.parametrize("torn", [0, 1, 150])
def test_an_interrupted_export_goes_on_after_the_last_whole_line(
    full: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, torn: int
) -> None:
    path = tmp_path / f"log{suffix}"
    interrupted(monkeypatch, full, path, after=35)
    assert not path.exists()
    partial = tmp_path / f"log{suffix}.partial"
    if partial.is_file():
        partial.write_bytes(partial.read_bytes()[: -torn or None])
    else:
        (partial / "writing").write_bytes(b"PAR1 torn")
    done = export(full, path)
    assert done.went_on_after is not None
    assert 25 <= done.went_on_after <= 40
    assert [line["position"] for line in told(path)] == list(range(1, full.head() + 1))
    export(full, tmp_path / f"whole{suffix}")
    assert told(path) == told(tmp_path / f"whole{suffix}")


@FORMATS
def test_what_is_left_of_another_export_is_not_gone_on_with(
    full: EventStore, other: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"log{suffix}"
    interrupted(monkeypatch, full, path, after=20)
    fill_quickly(other, 100)
    with pytest.raises(Invalid, match="another export"):
        export(other, path)
    with pytest.raises(Invalid, match="another export"):
        export(full, path, after=3)
    with pytest.raises(Invalid, match="another export"):
        export(full, path, types=TOPICS["shopping"])
    export(full, path)


def test_a_file_that_is_there_is_not_overwritten(full: EventStore, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("mine")
    with pytest.raises(Invalid, match="is there already"):
        export(full, tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_text() == "mine"


def test_an_unknown_suffix_is_refused(full: EventStore, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\.parquet"):
        export(full, tmp_path / "log.csv")
