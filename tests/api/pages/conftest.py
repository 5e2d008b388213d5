"""The pages over a household with a planned week; a visitor looks at them with a session, as a browser does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from meal_assets.event_store import Origin
from meal_assets.event_store.tokens import Scope
from tests.conftest import copied

from ..conftest import Api, served, settings_of

PEOPLE = {"ada": 2000, "ben": 2400}


@dataclass(frozen=True)
class Browser:
    """A browser without JavaScript: it keeps cookies and sends the forms that a page has."""

    api: Api
    client: httpx.Client

    def page(self, path: str, status: int = 200, **query: Any) -> str:
        answer = self.client.get(f"/app/{path}", params=query, headers={"Accept": "text/html"})
        assert answer.status_code == status, f"{answer.status_code} {path}: {text_of(answer.text)[:600]}"
        return answer.text

    def send(self, html: str, action: str, status: int = 200, **fields: Any) -> str:
        """Fill in and send the first form with this action whose fields agree; the page that follows."""
        for form in forms_of(html):
            held = form.fields
            if form.action == action and all(held.get(k, v) == v or k in form.free for k, v in fields.items()):
                answer = self.client.post(action, data={**held, **fields}, headers={"Accept": "text/html"})
                self.api.settle()
                assert answer.status_code == 303 or answer.status_code == status, text_of(answer.text)[:600]
                if answer.status_code != 303:
                    return answer.text
                return self.client.get(answer.headers["Location"], headers={"Accept": "text/html"}).text
        raise AssertionError(f"no form sends {fields} to {action}")


@dataclass
class SentForm:
    action: str
    fields: dict[str, str]
    free: set[str]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[SentForm] = []
        self._select, self._option = "", False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.found.append(SentForm(given.get("action", ""), {}, set()))
        elif tag == "option":
            self._option = "selected" in given or not self.found[-1].fields[self._select]
            if self._option and "value" in given:
                self.found[-1].fields[self._select], self._option = given["value"], False
        elif self.found and "name" in given and tag in ("input", "button", "select", "textarea"):
            form = self.found[-1]
            if tag == "button":
                form.free.add(given["name"])
                form.fields.setdefault(given["name"], given.get("value", ""))
            else:
                form.fields[given["name"]] = given.get("value", "")
                if given.get("type") != "hidden":
                    form.free.add(given["name"])
                if tag == "select":
                    self._select = given["name"]

    def handle_data(self, data: str) -> None:
        if self._option:
            self.found[-1].fields[self._select], self._option = data.strip(), False


def forms_of(html: str) -> list[SentForm]:
    parser = _Forms()
    parser.feed(html)
    return parser.found


def text_of(html: str) -> str:
    """What a person reads, in one line."""
    main = html.partition("<main")[2] or html
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", "", main, flags=re.DOTALL)).split())


def monday() -> date:
    today = settings_today()
    return today - timedelta(days=today.weekday())


def settings_today() -> date:
    from meal_assets.settings import Settings

    return Settings().today()


ENTERED: list[httpx.Client] = []


@pytest.fixture(autouse=True)
def left() -> Iterator[None]:
    """Who entered leaves at the end of the test."""
    yield
    while ENTERED:
        ENTERED.pop().close()


def enter(api: Api, scope: Scope = "admin", household: str = "home", person: str | None = None) -> Browser:
    client = api.client()
    ENTERED.append(client)
    token = api.secret(scope, household, person)
    assert client.post("/app/login", data={"token": token, "next": "/app/today"}).status_code == 303
    return Browser(api, client)


@pytest.fixture(scope="package")
def kitchen(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Ada and Ben, the starter library, and this week planned."""
    from meal_assets import demo

    home = tmp_path_factory.mktemp("home")
    with copied(server_url, "migrated") as url, served(settings_of(home), url) as api:
        api.settle()
        steps = demo.steps(api.store, lambda: Origin("home", "test"), settings_today())
        for _, act in list(steps)[:3]:
            act()
            api.settle()
        yield api


@pytest.fixture
def browser(kitchen: Api) -> Browser:
    return enter(kitchen)
