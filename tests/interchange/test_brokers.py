"""What a relay relies on, for every broker; the file and NATS as they are."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from meal_assets.errors import Invalid, Permanent, Transient
from meal_assets.interchange.brokers import broker_at
from meal_assets.interchange.relay import Broker

from .nats_server import nats_server

SUBJECT = "meals.shopping.ItemTicked"


class Place(Protocol):
    """A broker's URL, and what arrived there."""

    url: str

    def arrived(self) -> list[bytes]: ...


class FilePlace:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = path.as_uri()

    def arrived(self) -> list[bytes]:
        return self.path.read_bytes().splitlines()


@pytest.fixture(params=["file", "nats"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "file":
        yield FilePlace(tmp_path / "a folder" / "events.jsonl")
    else:
        with nats_server(tmp_path / "nats") as server:
            yield server


@pytest.fixture
def broker(place: Place, tmp_path: Path) -> Iterator[Broker]:
    (tmp_path / "a folder").mkdir()
    broker = broker_at(place.url)
    yield broker
    broker.close()


def body(n: int) -> bytes:
    return json.dumps({"id": str(n), "of": "🍲"}).encode()


def test_messages_arrive_whole_and_in_order(place: Place, broker: Broker) -> None:
    for n in range(20):
        broker.publish(SUBJECT, body(n), str(n))
    assert place.arrived() == [body(n) for n in range(20)]


def test_a_message_that_comes_again_is_there_once(place: Place, broker: Broker) -> None:
    for n in (1, 2, 1, 3, 2):
        broker.publish(SUBJECT, body(n), str(n))
    assert place.arrived() == [body(1), body(2), body(3)]


def test_another_process_goes_on_and_its_repeats_are_known(place: Place, broker: Broker) -> None:
    broker.publish(SUBJECT, body(1), "1")
    broker.publish(SUBJECT, body(2), "2")
    again = broker_at(place.url)
    try:
        again.publish(SUBJECT, body(2), "2")
        again.publish(SUBJECT, body(3), "3")
    finally:
        again.close()
    assert place.arrived() == [body(1), body(2), body(3)]


def test_a_torn_last_line_of_a_file_is_cut_off(tmp_path: Path) -> None:
    place = FilePlace(tmp_path / "events.jsonl")
    place.path.write_bytes(body(1) + b"\n" + body(2)[:5])
    broker = broker_at(place.url)
    broker.publish(SUBJECT, body(2), "2")
    broker.close()
    assert place.arrived() == [body(1), body(2)]


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk\neggs")
    with pytest.raises(Invalid, match="something else"):
        broker_at((tmp_path / "notes.txt").as_uri())
    assert (tmp_path / "notes.txt").read_text() == "milk\neggs"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot write"):
        broker_at((tmp_path / "nowhere" / "events.jsonl").as_uri())


@pytest.mark.parametrize("url", ["kafka://localhost", "events.jsonl", "", "file://elsewhere/events.jsonl", "file:"])
def test_an_unknown_broker_is_refused_with_those_that_are_known(url: str) -> None:
    with pytest.raises(Invalid, match="nats://"):
        broker_at(url)


def test_a_nats_server_that_stops_and_comes_back_is_transient(tmp_path: Path) -> None:
    with nats_server(tmp_path / "nats") as server:
        broker = broker_at(server.url)
        broker.publish(SUBJECT, body(1), "1")
        server.stop()
        with pytest.raises(Transient, match="NATS at"):
            broker.publish(SUBJECT, body(2), "2")
        server.start()
        broker.publish(SUBJECT, body(2), "2")
        broker.close()
        assert server.arrived() == [body(1), body(2)]


def test_a_message_too_large_for_nats_is_permanent_and_the_next_goes_through(tmp_path: Path) -> None:
    with nats_server(tmp_path / "nats") as server:
        broker = broker_at(server.url)
        with pytest.raises(Permanent, match="max_payload"):
            broker.publish(SUBJECT, b"x" * 2_000_000, "1")
        broker.publish(SUBJECT, body(2), "2")
        broker.close()
        assert server.arrived() == [body(2)]


def test_the_stream_somebody_made_before_is_used_as_it_is(tmp_path: Path) -> None:
    with nats_server(tmp_path / "nats") as server:
        server.make_stream("MEALS", "meals.shopping.*")
        broker = broker_at(server.url)
        broker.publish(SUBJECT, body(1), "1")
        with pytest.raises(Transient):
            broker.publish("meals.plan.PlanAccepted", body(2), "2")
        broker.close()
        assert server.arrived() == [body(1)]


def test_a_nats_url_is_shown_without_its_password() -> None:
    broker = broker_at("nats://meals:secret@127.0.0.1:1")
    with pytest.raises(Transient) as error:
        broker.publish(SUBJECT, body(1), "1")
    broker.close()
    assert "secret" not in str(error.value)
