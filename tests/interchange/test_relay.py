"""A relay leaves nothing out and keeps the order, whatever happens to it or to the broker."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event as Signal

import pytest

from meal_assets.contracts import TOPICS
from meal_assets.errors import Transient, Unavailable
from meal_assets.event_store import EventStore, Origin
from meal_assets.event_store.checkpoints import checkpoints
from meal_assets.interchange.brokers import broker_at
from meal_assets.interchange.export import export
from meal_assets.interchange.relay import BATCH, relay
from tests.event_store.material import LIST, PATIENCE, ticks

from .material import fill_quickly, finish, kill_when, start
from .nats_server import nats_server

NO_PAUSES = (0.0, 0.0)


class Mailbox:
    """A broker in memory, which is away for some of the attempts, and tells when it has so many messages."""

    def __init__(self, away: frozenset[int] = frozenset(), tell_at: int | None = None) -> None:
        self.messages: dict[str, bytes] = {}
        self.subjects: list[str] = []
        self.attempts = 0
        self.full = Signal()
        self._away, self._tell_at = away, tell_at

    def publish(self, subject: str, body: bytes, message_id: str) -> None:
        self.attempts += 1
        if self.attempts in self._away:
            raise Transient("the mailbox is away")
        self.subjects.append(subject)
        self.messages.setdefault(message_id, body)
        if len(self.messages) == self._tell_at:
            self.full.set()
            raise KeyboardInterrupt

    def close(self) -> None:
        """There is nothing to close."""


def standing(store: EventStore, name: str) -> int:
    with store.database.transaction() as db:
        at = checkpoints(db).get(f"relay/{name}")
    return at.position if at else 0


def ids(store: EventStore) -> list[str]:
    return [str(r.event_id) for r in store.read(limit=100_000)]


def test_what_is_relayed_is_the_line_that_an_export_writes_but_texts_of_persons_stay_encrypted(
    full: EventStore, tmp_path: Path
) -> None:
    mailbox = Mailbox()
    assert relay(full, mailbox, "all", once=True) == full.head()
    export(full, tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_bytes().split(b"\n")[:-1]
    encrypted = 0
    for relayed, line in zip(mailbox.messages.values(), lines, strict=True):
        if b'"sealed": ' not in line:
            assert relayed == line
            continue
        encrypted += 1
        told = json.loads(line)
        told.pop("personkey", None)  # gone, where the person was forgotten
        told["data"] |= json.loads(told.pop("sealed"))
        assert json.loads(relayed) == told
    assert encrypted
    assert mailbox.subjects == [f"meals.{r.event.type_name}" for r in full.read(limit=full.head())]


def test_only_the_topics_asked_for_are_relayed(full: EventStore) -> None:
    mailbox = Mailbox()
    relay(full, mailbox, "some", TOPICS["shopping"] + TOPICS["body"], once=True)
    said = full.read(0, TOPICS["shopping"] + TOPICS["body"], limit=full.head())
    assert list(mailbox.messages) == [str(r.event_id) for r in said]


def test_the_next_time_it_goes_on_where_it_was(store: EventStore, origin: Origin) -> None:
    first, second = Mailbox(), Mailbox()
    store.append(LIST, ticks("a", "b"), origin=origin)
    relay(store, first, "one", once=True)
    store.append(LIST, ticks("c"), origin=origin)
    assert relay(store, second, "one", once=True) == 1
    assert [*first.messages, *second.messages] == ids(store)
    assert relay(store, Mailbox(), "another", once=True) == 3


def test_a_broker_that_is_away_for_a_while_gets_everything_in_order(store: EventStore) -> None:
    fill_quickly(store, 10)
    mailbox = Mailbox(away=frozenset({1, 4, 5, 9}))
    relay(store, mailbox, "one", once=True, pauses=NO_PAUSES)
    assert (list(mailbox.messages), mailbox.attempts) == (ids(store), 14)


def test_a_broker_that_stays_away_ends_it_and_the_checkpoint_is_before_the_event(store: EventStore) -> None:
    fill_quickly(store, 2 * BATCH)
    mailbox = Mailbox(away=frozenset(range(BATCH + 5, BATCH + 8)))
    with pytest.raises(Unavailable, match=rf"position {BATCH + 5} .* in 3 attempts: .* away.*goes on after {BATCH}\."):
        relay(store, mailbox, "one", once=True, pauses=NO_PAUSES)
    assert (standing(store, "one"), mailbox.attempts) == (BATCH, BATCH + 7)
    relay(store, mailbox, "one", once=True)
    assert list(mailbox.messages) == ids(store)


def test_it_follows_the_log(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a"), origin=origin)
    mailbox = Mailbox(tell_at=3)
    with ThreadPoolExecutor(1) as other:
        following = other.submit(relay, store, mailbox, "one")
        store.append(LIST, ticks("b"), origin=origin)
        store.append(LIST, ticks("c"), origin=origin)
        assert mailbox.full.wait(PATIENCE)
        assert isinstance(following.exception(PATIENCE), KeyboardInterrupt)
    assert list(mailbox.messages) == ids(store)


def test_two_relays_of_one_name_do_not_run_at_the_same_time(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a"), origin=origin)

    class Second(Mailbox):
        def publish(self, subject: str, body: bytes, message_id: str) -> None:
            relay(store, Mailbox(), "other", once=True)
            relay(store, Mailbox(), "one", once=True)

    with pytest.raises(Unavailable, match="'one' runs already"):
        relay(store, Second(), "one", once=True)
    assert (standing(store, "one"), standing(store, "other")) == (0, 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "nats"])
def test_killed_in_the_middle_and_started_again_every_event_arrives_once_and_in_order(
    store: EventStore, tmp_path: Path, kind: str
) -> None:
    fill_quickly(store, 3_000)
    if kind == "file":
        path = tmp_path / "events.jsonl"
        kill_twice(store, path.as_uri())
        arrived = path.read_bytes().splitlines()
    else:
        with nats_server(tmp_path / "nats") as server:
            kill_twice(store, server.url)
            arrived = server.arrived()
    assert [json.loads(line)["id"] for line in arrived] == ids(store)


def kill_twice(store: EventStore, url: str) -> None:
    for at in (2 * BATCH, 10 * BATCH):
        kill_when(start(store, "events", "relay", url, "--name", "one"), lambda at=at: standing(store, "one") >= at)  # type: ignore[misc]
        assert standing(store, "one") < store.head(), "it was through before it was killed"
    finish(store, "events", "relay", url, "--name", "one", "--once")


def test_a_broker_that_nobody_started_is_told_at_the_command_line(store: EventStore, origin: Origin) -> None:
    store.append(LIST, ticks("a"), origin=origin)
    broker = broker_at("nats://127.0.0.1:1")
    try:
        with pytest.raises(Unavailable, match=r"NATS at nats://127\.0\.0\.1:1.*Start the broker"):
            relay(store, broker, "one", once=True, pauses=NO_PAUSES)
    finally:
        broker.close()


def test_at_the_head_its_progress_is_told_again(full: EventStore) -> None:
    told: list[int] = []

    def ends_when_nothing_is_new(at: int, _published: int) -> None:
        if told[-1:] == [at]:
            raise KeyboardInterrupt
        told.append(at)

    with pytest.raises(KeyboardInterrupt):
        relay(full, Mailbox(), "ended", progress=ends_when_nothing_is_new)
    assert told[-1] == full.head()
