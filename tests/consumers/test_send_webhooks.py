"""Webhooks: what was asked for arrives, signed, once where it can be; who is down costs the others nothing."""

import json
from base64 import b64decode
from hashlib import sha256
from hmac import digest
from typing import Any

import pytest

from meal_assets.clients.outside import Outside
from meal_assets.clients.webhooks import checked_target
from meal_assets.commands.body import record_weights
from meal_assets.commands.dead_letters import retry
from meal_assets.commands.webhooks import register_webhook, remove_webhook, webhooks_of
from meal_assets.consumers import Consumed, consume
from meal_assets.consumers.send_webhooks import SendWebhooks
from meal_assets.contracts import EVENTS
from meal_assets.contracts.body import WeightRecorded
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import Invalid, RemoteRefused
from meal_assets.event_store import EventStore, Origin
from tests.clients.remote_server import Server, says, serving
from tests.clients.test_pages import port_of

TAKEN = says(204, b"")
OWN = Origin("home", "test")


def weigh(store: EventStore, day: int, household: str = "home") -> None:
    weighed = WeightRecorded.model_validate({"person": "ada", "day": f"2026-11-{day}", "weight_kg": 64})
    record_weights(store, "ada", [weighed], Origin(household, "test"))


def register(store: EventStore, server: Server, path: str = "/hook", topics: tuple[str, ...] = ("body",)) -> str:
    permit = [("127.0.0.1", port_of(server))]
    register_webhook(store, server.url + path, topics, Origin("home", "test"), permit)
    return next(w.webhook for w in webhooks_of(store, "home") if w.url == server.url + path)


def send(store: EventStore, *servers: Server) -> Consumed:
    return consume(SendWebhooks(Outside(page_servers=tuple(("127.0.0.1", port_of(s)) for s in servers))), store)


def test_what_was_asked_for_arrives_signed(store: EventStore) -> None:
    with serving(TAKEN, TAKEN) as server:
        weigh(store, 21)
        register(store, server)
        weigh(store, 22)
        weigh(store, 22, household="next-door")
        assert send(store, server).failed is None
    (call,) = server.calls
    said = json.loads(call.body)
    assert (said["type"], said["data"]["day"], said["household"]) == ("body.WeightRecorded", "2026-11-22", "home")
    assert call.headers["webhook-id"] == said["id"]
    (hook,) = webhooks_of(store, "home")
    signed = f"{said['id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    mac = digest(b64decode(hook.secret.removeprefix("whsec_")), signed, sha256)
    assert b64decode(call.headers["webhook-signature"].removeprefix("v1,")) == mac


def test_what_was_removed_gets_nothing_more(store: EventStore) -> None:
    with serving(TAKEN) as server:
        hook = register(store, server)
        weigh(store, 21)
        send(store, server)
        remove_webhook(store, hook, Origin("home", "test"))
        weigh(store, 22)
        send(store, server)
    assert len(server.calls) == 1
    assert webhooks_of(store, "home") == []
    with pytest.raises(Invalid):
        remove_webhook(store, hook, Origin("home", "test"))


def test_one_that_refuses_costs_the_others_nothing_and_gets_it_when_it_is_retried(store: EventStore) -> None:
    with serving(says(400), TAKEN) as refusing, serving(TAKEN) as taking:
        register(store, refusing, "/first")
        register(store, taking, "/second")
        weigh(store, 21)
        assert send(store, refusing, taking).set_aside == 1
        assert (len(refusing.calls), len(taking.calls)) == (1, 1)
        (letter,) = [r.event for r in store.read(types=[DeadLettered]) if isinstance(r.event, DeadLettered)]
        assert letter.error_class == RemoteRefused.__name__
        retry(store, "send_webhooks", letter.position, Origin("home", "test"))
        assert send(store, refusing, taking).failed is None
    assert (len(refusing.calls), len(taking.calls)) == (2, 1)


def test_one_in_trouble_is_tried_again(store: EventStore) -> None:
    with serving(says(503), TAKEN) as server:
        register(store, server)
        weigh(store, 21)
        assert "503" in str(send(store, server).failed)
        assert send(store, server).failed is None
    assert [json.loads(c.body)["id"] for c in server.calls] == [json.loads(server.calls[0].body)["id"]] * 2


def test_redirects_are_not_followed(store: EventStore) -> None:
    with serving(says(302, b"", {"Location": "http://169.254.169.254/latest"})) as server:
        register(store, server)
        weigh(store, 21)
        assert send(store, server).set_aside == 1


@pytest.mark.parametrize(
    "address",
    ["http://hooks.example.org/", "ftp://hooks.example.org/", "https://ada:hush@hooks.example.org/", "hooks"],
)
def test_only_https_is_taken(address: str) -> None:
    with pytest.raises(Invalid):
        checked_target(address)


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"]
)
def test_nothing_is_sent_to_the_inside(store: EventStore, address: str) -> None:
    register_webhook(store, address, ["body"], OWN)
    weigh(store, 21)
    assert consume(SendWebhooks(), store).set_aside == 1
    (letter,) = [r.event for r in store.read(types=[DeadLettered]) if isinstance(r.event, DeadLettered)]
    assert "not public" in letter.message


def test_address_and_key_are_kept_encrypted_and_in_no_event(store: EventStore) -> None:
    register_webhook(store, "https://hooks.example.org/hush", ["body"], OWN)
    (hook,) = webhooks_of(store, "home")
    with store.database.transaction() as db:
        kept: list[Any] = [
            *db.execute("SELECT payload::text FROM log.events"),
            *db.execute("SELECT sealed FROM log.connections"),
        ]
    assert "hush" not in str(kept)
    assert hook.secret not in str(kept)


@pytest.mark.parametrize("topics", [["nix"], ["system"], [], ["body", "body"]])
def test_only_topics_that_there_are_can_be_had(store: EventStore, topics: list[str]) -> None:
    with pytest.raises(ValueError if topics in ([], ["body", "body"]) else Invalid):
        register_webhook(store, "https://hooks.example.org/", topics, OWN)


def test_it_hears_of_everything_but_of_what_failed() -> None:
    assert {e.topic for e in EVENTS.values()} - {e.topic for e in SendWebhooks.listens_to} == {"system"}
