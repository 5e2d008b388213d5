"""Services outside that a demo makes up on this machine, in place of those that nobody set."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from meal_assets.clients.outside import Outside
from meal_assets.errors import Unavailable
from meal_assets.event_store import Database
from meal_assets.settings import Settings

from .session import Session, console

if TYPE_CHECKING:  # servers, which only a demo needs
    from meal_assets.fakes.fatsecret import FakeFatSecret
    from meal_assets.fakes.tandoor import FakeTandoor

CONNECTED = "ben"
"""Whose account at the made-up FatSecret is connected from the beginning."""


@dataclass(slots=True)
class MadeUp:
    """The servers that were started, and the settings that name them."""

    tandoor: "FakeTandoor | None" = None
    fatsecret: "FakeFatSecret | None" = None
    settings: dict[str, str] = field(default_factory=dict)

    def bring_in(self, s: Session, url: str) -> None:
        """Let Dagster, at that address, bring in what they hold; nobody waits for it."""
        if self.tandoor:
            _bring_in_recipes(s, self.tandoor)
        if self.fatsecret:
            _bring_in_a_diary(s, self.fatsecret, url)


@contextmanager
def made_up_services(settings: Settings, database: Database, *, wanted: bool) -> Iterator[MadeUp]:
    """They end with the block, and accounts that were connected to them are let go of; none where not `wanted`."""
    made_up = MadeUp()
    with ExitStack() as running:
        if wanted and settings.tandoor_url is None:
            from meal_assets.fakes.tandoor import FakeTandoor, demo_space

            made_up.tandoor = tandoor = running.enter_context(FakeTandoor(demo_space()))
            made_up.settings |= {"MEALS_TANDOOR_URL": tandoor.url, "MEALS_TANDOOR_TOKEN": tandoor.space.token}
        if wanted and settings.fatsecret_key is None:
            from meal_assets.fakes.fatsecret import FakeFatSecret, demo_service

            made_up.fatsecret = fatsecret = running.enter_context(FakeFatSecret(demo_service(settings.today())))
            running.callback(_let_go, database, settings.household, fatsecret)
            made_up.settings |= {
                "MEALS_FATSECRET_URL": fatsecret.url,
                "MEALS_FATSECRET_KEY": fatsecret.service.key,
                "MEALS_FATSECRET_SECRET": fatsecret.service.secret,
            }
        yield made_up


def _bring_in_recipes(s: Session, fake: "FakeTandoor") -> None:
    from meal_assets.commands.recipes import request_sync

    if request_sync(s.store, Outside(fake.url, SecretStr(fake.space.token)), s.origin()):
        console.print(f"Recipes of a made-up Tandoor ({fake.url}) are coming in: `meals remotes`, `meals events`.")


def _bring_in_a_diary(s: Session, fake: "FakeFatSecret", url: str) -> None:
    from meal_assets.clients.fatsecret_answers import NAME
    from meal_assets.commands.fatsecret import REFRESHED
    from meal_assets.event_store.connections import Connections

    from .services import materialize_days

    Connections(s.store.database, s.household, NAME).keep(CONNECTED, fake.service.connect())
    last = s.day(None)
    materialize_days(url, ("sync", "fatsecret_diary"), last - REFRESHED + timedelta(days=1), last)
    console.print(
        f"{CONNECTED.title()} has an account at a made-up FatSecret ({fake.url}), whose last week is coming in:"
        f" {url}/assets/sync/fatsecret_diary. `meals connect fatsecret ada` connects another one.",
        soft_wrap=True,
        highlight=False,
    )


def _let_go(database: Database, household: str, fake: "FakeFatSecret") -> None:
    """Of the accounts that nobody will know any more."""
    from meal_assets.clients.fatsecret_answers import NAME
    from meal_assets.event_store.connections import Connections

    connections = Connections(database, household, NAME)
    for one in connections.all():
        with suppress(Unavailable):  # sealed with another key: not one of these
            if connections.secrets(one.person)[0] in fake.service.accounts:
                connections.remove(one.person)
