"""The API served on loopback by a real server, over a database with two households in it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from meal_assets.api import create_app
from meal_assets.clients.outside import Outside
from meal_assets.event_store import Database, EventStore
from meal_assets.event_store.tokens import Scope, create_token, revoke_token
from meal_assets.settings import Settings
from meal_assets.subscriptions import settle
from tests.conftest import copied

PATIENCE_SECONDS = 60.0
GOAL = {"kcal": 2000, "protein_g": 130, "carbs_g": 210, "fat_g": 70}


@dataclass(frozen=True)
class Api:
    """A served API: `client` asks as somebody, `store` is its log."""

    url: str
    store: EventStore
    app: Any

    def secret(self, scope: Scope = "admin", household: str = "home", person: str | None = None) -> str:
        return create_token(self.store.database, household, scope, person=person, name="test")[0]

    def revoked(self) -> str:
        secret, token = create_token(self.store.database, "home", "admin", name="revoked")
        revoke_token(self.store.database, "home", token.id)
        return secret

    def expired(self) -> str:
        secret, token = create_token(self.store.database, "home", "admin", name="expired", life=timedelta(days=1))
        with psycopg.connect(self.store.database.url, autocommit=True) as owner:
            owner.execute("UPDATE log.tokens SET expires_at = now() - interval '1 s' WHERE id = %s", (token.id,))
        return secret

    def client(self, secret: str | None = None, **given: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS, **given)

    def settle(self) -> None:
        """Until everybody has reacted."""
        settle(self.store, Outside())


def settings_of(home: Path, **given: Any) -> Settings:
    return Settings(home=home, api_requests_a_minute=1_000_000, **given)


@contextmanager
def served(settings: Settings, url: str, *, open: bool = False) -> Iterator[Api]:
    with Database(url, settings) as database:
        app = create_app(settings, database, open=open)
        with served_app(app) as address:
            yield Api(address, EventStore(database), app)


@contextmanager
def served_app(app: Any) -> Iterator[str]:
    """Its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    assert httpx.get(f"{address}/livez", timeout=PATIENCE_SECONDS).json() == {"alive": True}
    yield address
    server.should_exit = True
    thread.join(PATIENCE_SECONDS)
    listening.close()


@pytest.fixture(scope="module")
def api(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One for the tests of a module."""
    home = tmp_path_factory.mktemp("home")
    with copied(server_url, "migrated") as url, served(settings_of(home), url) as api:
        yield api


@pytest.fixture
def admin(api: Api) -> Iterator[httpx.Client]:
    with api.client(api.secret()) as client:
        yield client


@pytest.fixture
def stranger(api: Api) -> Iterator[httpx.Client]:
    """The admin of another household."""
    with api.client(api.secret(household="next-door")) as client:
        yield client
