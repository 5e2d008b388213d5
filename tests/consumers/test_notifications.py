"""What people are told arrives, once, through a real mail server; and nothing is sent in a shadow or a replay."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from email.message import Message as Mail

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from pydantic import SecretStr

from meal_assets.clients.outside import Outside
from meal_assets.commands.flags import set_flag
from meal_assets.consumers import consume
from meal_assets.consumers.announce import Announce
from meal_assets.consumers.base import replay
from meal_assets.consumers.deliver import Deliver
from meal_assets.contracts import Event
from meal_assets.contracts.expenditure import EnergyGoalSuggested
from meal_assets.contracts.notification import NotificationFailed, NotificationSent
from meal_assets.contracts.notification_request import NotificationRequested
from meal_assets.contracts.plan import PlanAccepted, PlanGenerated
from meal_assets.contracts.recipe import RecipeFetched
from meal_assets.contracts.reconciliation import DayReconciled, DeviationAlerted
from meal_assets.contracts.system import DeadLettered, FlagSet
from meal_assets.event_store import EventStore, Origin
from tests.read_models.said import append, like

PASSWORD = "s3cret"


class Inbox(Message):
    """Keeps what arrives; `before` it is taken, something may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []
        self.before: Callable[[], object] = lambda: None

    def handle_message(self, message: Mail) -> None:
        self.mails.append(message)
        self.before()


class Post:
    """A mail server on loopback."""

    def __init__(self) -> None:
        self.inbox = Inbox()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = Controller(self.inbox, hostname="127.0.0.1", port=self.port)

    def address(self, to: str) -> SecretStr:
        return SecretStr(f"mailto://127.0.0.1:{self.port}?from=meals@example.org&to={to}@example.org&mode=insecure")

    def to(self, *persons: str) -> Outside:
        return Outside(notify_urls={person: self.address(person) for person in persons})


@pytest.fixture
def post() -> Iterator[Post]:
    post = Post()
    post.server.start()
    yield post
    post.server.stop()


def alert(**changes: object) -> Event:
    return like(DeviationAlerted, **changes)


def request(store: EventStore, **changes: object) -> NotificationRequested:
    wanted = like(NotificationRequested, **changes)
    append(store, wanted)
    assert isinstance(wanted, NotificationRequested)
    return wanted


def said(store: EventStore, *kinds: type[Event]) -> list[Event]:
    return [r.event for r in store.read(types=kinds)]


def kinds_asked(store: EventStore) -> list[tuple[str, str, str]]:
    return [(e.person, e.kind, e.period) for e in said(store, NotificationRequested)
            if isinstance(e, NotificationRequested)]  # fmt: skip


def test_a_critical_deviation_is_told_once_a_nutrient_and_day_and_a_warning_is_not(store: EventStore) -> None:
    everybody = Outside(notify_urls={"home": SecretStr("mailto://x")})
    append(store, alert(level="warning"), alert(), alert(deviation_pct=-30.0), alert(nutrient="fat_g"))
    consume(Announce(everybody), store)
    consume(Announce(everybody), store)
    assert kinds_asked(store) == [
        ("ada", "deviation", "2026-11-23.protein_g"),
        ("ada", "deviation", "2026-11-23.fat_g"),
    ]
    (first, _) = said(store, NotificationRequested)
    assert isinstance(first, NotificationRequested)
    assert first.title == "Protein is 22 % below your target"


def test_a_deviation_that_lasts_is_told_again_after_a_week_and_one_to_the_other_side_at_once(store: EventStore) -> None:
    everybody = Outside(notify_urls={"home": SecretStr("mailto://x")})
    first = date(2026, 11, 1)
    for n in range(16):
        append(store, alert(day=str(first + timedelta(days=n)), deviation_pct=25.0 if n == 3 else -25.0))
        consume(Announce(everybody), store)
    told = [(date.fromisoformat(period.split(".")[0]) - first).days for _, _, period in kinds_asked(store)]
    assert told == [0, 3, 7, 14]


def test_a_picture_goes_along_with_the_mail(post: Post, store: EventStore) -> None:
    append(store, NotificationRequested.model_validate(NotificationRequested.examples[2]))
    consume(Deliver(post.to("ada")), store)
    (mail,) = post.inbox.mails
    (picture,) = [part for part in mail.walk() if part.get_filename()]
    assert picture.get_filename() == "picture.svg"
    drawn = picture.get_payload(decode=True)
    assert isinstance(drawn, bytes)
    assert drawn.startswith(b"<svg") or b"<svg" in drawn[:200]
    assert b"Week of 23 November 2026" in drawn


def test_a_week_and_a_day_are_told_to_whom_they_concern_once_though_they_change(store: EventStore) -> None:
    append(store, like(PlanGenerated), like(PlanGenerated, considered=9), like(DayReconciled), like(DayReconciled))
    consume(Announce(Outside(notify_urls={"ada": SecretStr("mailto://x")})), store)
    week, day = said(store, NotificationRequested)
    assert kinds_asked(store) == [("ada", "weekly_plan", "2026-11-23"), ("ada", "daily_summary", "2026-11-23")]
    assert isinstance(week, NotificationRequested)
    assert isinstance(day, NotificationRequested)
    assert "dinner: Lentil soup, 1.5 servings" in week.text
    assert "Protein: 140 of 180 g" in day.text


def test_a_goal_that_fits_is_told_with_why_it_is_that_one_and_what_it_is_not(store: EventStore) -> None:
    append(store, like(EnergyGoalSuggested))
    consume(Announce(Outside(notify_urls={"ada": SecretStr("mailto://x")})), store)
    assert kinds_asked(store) == [("ada", "energy_goal", "2026-11-23")]
    (told,) = said(store, NotificationRequested)
    assert isinstance(told, NotificationRequested)
    assert told.title == "A goal of 2,200 kcal would fit you better than 2,000"
    for words in ("between 2,041 and 2,431", "Fat: 80 g (now 70)", "at most 200 kcal a week", "not medical advice"):
        assert words in told.text


def test_what_to_buy_is_told_once_when_the_week_is_accepted_as_it_stood_then(store: EventStore) -> None:
    lentils = {"line": "400 g lentils", "quantity": 400, "unit": "g", "food": "Red lentils"}
    plan = like(PlanGenerated)
    assert isinstance(plan, PlanGenerated)
    dish, portions = plan.meals[0].recipe, sum(sum(m.portions.values()) for m in plan.meals)
    append(store, like(RecipeFetched, recipe=dish, servings=4, ingredients=[lentils]))
    append(store, plan, like(PlanAccepted), like(PlanAccepted))
    append(store, like(RecipeFetched, recipe=dish, servings=4, ingredients=[lentils | {"food": "Beans"}]))
    announce = Announce(Outside(notify_urls={"ada": SecretStr("mailto://x")}))
    consume(announce, store)
    assert [kind for _, kind, _ in kinds_asked(store)] == ["weekly_plan", "shopping_list"]
    told = said(store, NotificationRequested)[1]
    assert isinstance(told, NotificationRequested)
    assert told.title == "To buy for the week of 23 November 2026"
    assert told.text == f"Red lentils  {100 * portions:.0f} g"
    assert replay(announce, store) == []


def test_who_has_no_address_is_told_nothing(store: EventStore) -> None:
    append(store, like(PlanGenerated), like(DayReconciled), alert())
    consume(Announce(Outside(notify_urls={"ben": SecretStr("mailto://x")})), store)
    assert kinds_asked(store) == []


def test_a_repeat_after_a_crash_asks_for_nothing_new(store: EventStore) -> None:
    everybody = Outside(notify_urls={"home": SecretStr("mailto://x")})
    append(store, like(PlanGenerated), alert())
    consume(Announce(everybody), store)
    head = store.head()
    forget_checkpoint(store, "announce")
    consume(Announce(everybody), store)
    assert store.head() == head


def forget_checkpoint(store: EventStore, consumer: str) -> None:
    with store.database.transaction() as db:
        db.execute("DELETE FROM log.checkpoints WHERE subscriber = %s", (consumer,))


@pytest.mark.slow
def test_a_message_arrives_once_and_neither_a_repeat_nor_a_replay_nor_a_shadow_sends_it(
    store: EventStore, post: Post
) -> None:
    wanted = request(store)
    consume(Deliver(post.to("ada")), store)
    (mail,) = post.inbox.mails
    assert (mail["Subject"], mail["To"], mail.get_payload().strip()) == (wanted.title, "ada@example.org", wanted.text)
    assert said(store, NotificationSent) == [like(NotificationSent)]
    forget_checkpoint(store, "deliver")
    consume(Deliver(post.to("ada")), store)
    assert replay(Deliver(post.to("ada")), store) == []
    request(store)  # somebody asks for the same again
    consume(Deliver(post.to("ada")), store)
    set_flag(store, FlagSet(flag="consumer.deliver", value="shadow"), Origin("home", "test"))
    request(store, period="2026-11-24.fat_g")
    consume(Deliver(post.to("ada")), store)
    assert len(post.inbox.mails) == 1


@pytest.mark.slow
def test_the_household_is_told_what_has_no_address_of_its_own(store: EventStore, post: Post) -> None:
    request(store, person="ben")
    request(store, person="ada")
    consume(Deliver(post.to("home", "ada")), store)
    assert [m["To"] for m in post.inbox.mails] == ["home@example.org", "ada@example.org"]


def test_without_an_address_it_has_failed_and_says_what_to_set(store: EventStore) -> None:
    request(store)
    consume(Deliver(), store)
    (failed,) = said(store, NotificationFailed)
    assert isinstance(failed, NotificationFailed)
    assert "MEALS_NOTIFY_URLS" in failed.reason


@pytest.mark.slow
def test_a_server_that_is_down_is_tried_again_and_the_message_arrives_then(store: EventStore) -> None:
    post = Post()
    address = post.address("ada").get_secret_value().replace("//", f"//ada:{PASSWORD}@")
    request(store)
    failed = consume(Deliver(Outside(notify_urls={"ada": SecretStr(address)})), store).failed
    assert failed
    assert "the message was not taken" in failed
    assert PASSWORD not in failed + repr(Outside(notify_urls={"ada": SecretStr(address)}))
    post.server.start()
    consume(Deliver(post.to("ada")), store)
    post.server.stop()
    assert len(post.inbox.mails) == len(said(store, NotificationSent)) == 1


@pytest.mark.slow
def test_an_address_that_is_none_is_a_dead_letter(store: EventStore) -> None:
    request(store)
    consume(Deliver(Outside(notify_urls={"ada": SecretStr(f"nowhere://{PASSWORD}")})), store)
    (letter,) = said(store, DeadLettered)
    assert isinstance(letter, DeadLettered)
    assert "the nowhere address in MEALS_NOTIFY_URLS is not understood" in letter.message
    assert PASSWORD not in letter.model_dump_json()


OTHER = """
import sys
from pydantic import SecretStr
from meal_assets.clients.outside import Outside
from meal_assets.consumers import consume
from meal_assets.consumers.deliver import Deliver
from meal_assets.event_store import Database, EventStore
with Database(sys.argv[1]) as database:
    consume(Deliver(Outside(notify_urls={"ada": SecretStr(sys.argv[2])})), EventStore(database))
"""


@pytest.mark.slow
def test_killed_while_the_server_takes_it_the_message_is_not_sent_twice_and_the_next_one_goes_out(
    store: EventStore, post: Post
) -> None:
    request(store)
    command = [sys.executable, "-c", OTHER, store.database.url, post.address("ada").get_secret_value()]
    victim = subprocess.Popen(command)
    post.inbox.before = lambda: os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    post.inbox.before = lambda: None
    request(store, period="2026-11-24.fat_g")
    consume(Deliver(post.to("ada")), store, wait=True)
    assert len(post.inbox.mails) == 2
    (failed, sent) = said(store, NotificationFailed, NotificationSent)
    assert isinstance(failed, NotificationFailed)
    assert isinstance(sent, NotificationSent)
    assert "may have arrived" in failed.reason
    assert (failed.period, sent.period) == ("2026-11-23.protein_g", "2026-11-24.fat_g")
