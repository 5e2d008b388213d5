"""A recipe from a web page: asked for in the log, read from a server, and said only when it says something new."""

import json

import pytest

from meal_assets.clients.outside import Outside
from meal_assets.commands.recipes import request_page
from meal_assets.consumers import Consumed, consume
from meal_assets.consumers.fetch_page import FetchPage
from meal_assets.contracts.recipe import RecipeFetched, RecipePageRead
from meal_assets.contracts.recipe_request import RecipePageRequested
from meal_assets.contracts.system import DeadLettered
from meal_assets.errors import Invalid
from meal_assets.event_store import EventStore, Origin
from meal_assets.settings import Settings
from tests.clients.remote_server import Server, hangs_up, says, serving
from tests.clients.test_pages import HTML, port_of
from tests.recipe_files.test_page import SOUP, page

PAGE = says(200, page(SOUP).encode(), HTML)


def bring_in(store: EventStore, server: Server, path: str = "/soup") -> Consumed:
    request_page(store, server.url + path, Origin("home", "test"))
    return consume(FetchPage(Outside(page_servers=(("127.0.0.1", port_of(server)),))), store)


def results(store: EventStore) -> list[RecipePageRead]:
    return [r.event for r in store.read(types=[RecipePageRead]) if isinstance(r.event, RecipePageRead)]


def test_a_page_becomes_its_recipe_and_the_same_page_again_says_nothing_new(store: EventStore) -> None:
    with serving(PAGE) as server:
        assert bring_in(store, server).failed is None
        (fetched,) = store.read(types=[RecipeFetched])
        assert isinstance(fetched.event, RecipeFetched)
        assert fetched.event.source_url == f"{server.url}/soup"
        bring_in(store, server)
    assert [r.result for r in results(store)] == ["new", "unchanged"]
    assert len(store.read(types=[RecipeFetched])) == 1
    assert {r.recipe for r in results(store)} == {fetched.event.recipe}


def test_a_page_that_changed_is_said_again(store: EventStore) -> None:
    changed = {**SOUP, "recipeIngredient": ["500 g red lentils"]}
    with serving(PAGE, says(200, page(changed).encode(), HTML)) as server:
        bring_in(store, server)
        bring_in(store, server)
    first, second = store.read(types=[RecipeFetched])
    assert first.stream == second.stream
    assert [r.result for r in results(store)] == ["new", "new"]


def test_json_ld_is_a_page_too(store: EventStore) -> None:
    with serving(says(200, json.dumps(SOUP).encode(), {"Content-Type": "application/ld+json"})) as server:
        bring_in(store, server)
    assert [r.result for r in results(store)] == ["new"]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [(404, b"", "HTTP 404"), (200, b"<p>nothing to eat</p>", "Looked for"), (302, b"", "not public")],
    ids=["not there", "no recipe", "passed on to the inside"],
)
def test_why_there_is_no_recipe_is_told_in_the_log(store: EventStore, status: int, body: bytes, why: str) -> None:
    with serving(says(status, body, {**HTML, "Location": "http://169.254.169.254/latest"})) as server:
        assert bring_in(store, server).set_aside == 0
    (told,) = results(store)
    assert told.result == "left_out"
    assert why in (told.reason or "")
    assert store.read(types=[RecipeFetched, DeadLettered]) == []


def test_a_server_in_trouble_is_asked_again_later(store: EventStore) -> None:
    with serving(hangs_up, PAGE) as server:
        failed = bring_in(store, server).failed
        assert failed is not None
        assert "disconnected" in failed
        with store.database.transaction() as db:
            db.execute("UPDATE log.attempts SET next_at = now()")
        consume(FetchPage(Outside(page_servers=(("127.0.0.1", port_of(server)),))), store)
    assert [r.result for r in results(store)] == ["new"]
    assert len(store.read(types=[RecipePageRequested])) == 1


def test_no_event_and_no_setting_opens_the_way_inside(store: EventStore, settings: Settings) -> None:
    with serving(PAGE) as server:
        request_page(store, f"{server.url}/soup", Origin("home", "test"))
        consume(FetchPage(Outside.of(settings)), store)
        assert server.asked == []
    (told,) = results(store)
    assert "not public" in (told.reason or "")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With all that a person could try."""
    for name in ("page_servers", "PAGE_SERVERS"):
        monkeypatch.setenv(f"MEALS_{name.upper()}", '[["127.0.0.1", 80]]')
    return Settings()


def test_a_request_that_nobody_has_handled_yet_is_not_made_twice(store: EventStore) -> None:
    first, _ = request_page(store, "https://kitchen.example/soup", Origin("home", "test"))
    again, _ = request_page(store, "https://kitchen.example/soup#steps", Origin("home", "test"))
    assert (first.position, first.events, again.position, again.events) == (again.position, 1, first.position, 0)


def test_what_may_be_secret_in_an_address_is_neither_kept_nor_sent(store: EventStore) -> None:
    with serving(PAGE) as server:
        _, secret = request_page(store, f"{server.url}/soup?id=7&api_key=hush", Origin("home", "test"))
        bring_in(store, server, "/soup?id=7&api_key=hush")
        assert server.asked == [("GET", "/soup?id=7")]
    assert secret == ("api_key",)
    assert "hush" not in "".join(r.event.model_dump_json() for r in store.read())


@pytest.mark.parametrize(
    "url", ["soup", "file:///etc/passwd", "https://ada:hush@kitchen.example/", "https://x/" + "a" * 3000]
)
def test_what_is_no_address_of_a_page_makes_no_event(store: EventStore, url: str) -> None:
    with pytest.raises(Invalid):
        request_page(store, url, Origin("home", "test"))
    assert store.head() == 0
