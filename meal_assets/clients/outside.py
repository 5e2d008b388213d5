"""Who we know outside, and how to reach them: what an entry point read from the settings, handed to those who call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from meal_assets.errors import Unavailable
from meal_assets.settings import Settings

from .remote import Shared

if TYPE_CHECKING:  # a client brings an HTTP stack with it, which most commands do without
    from .fatsecret import Diary, FoodDatabase, Handshake, Keys, Plan
    from .pages import Pages
    from .tandoor import Tandoor


@dataclass(frozen=True, slots=True)
class Outside:
    """Opens clients; without settings, nobody is known. Its `repr` tells no secret."""

    tandoor_url: str | None = None
    tandoor_token: SecretStr = field(default=SecretStr(""))
    notify_urls: Mapping[str, SecretStr] = field(default_factory=dict)
    fatsecret_key: SecretStr = field(default=SecretStr(""))
    fatsecret_secret: SecretStr = field(default=SecretStr(""))
    fatsecret_url: str | None = None
    fatsecret_calls_a_day: int = 5_000
    fatsecret_calls_a_second: float = 8.0
    time_zone: str = "UTC"
    """The household's."""
    page_servers: tuple[tuple[str, int], ...] = ()
    """Addresses and ports that pages are read from although they are not public. No setting names them: tests do."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.tandoor_url,
            settings.tandoor_token or SecretStr(""),
            settings.notify_urls,
            settings.fatsecret_key or SecretStr(""),
            settings.fatsecret_secret or SecretStr(""),
            settings.fatsecret_url,
            settings.fatsecret_calls_a_day,
            settings.fatsecret_calls_a_second,
            settings.zone.key,
        )

    def address_of(self, person: str, household: str) -> SecretStr | None:
        """Where the person is told things: at their own address, else at the household's; None without either."""
        return self.notify_urls.get(person) or self.notify_urls.get(household)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def knows_tandoor(self) -> bool:
        return self.tandoor_url is not None and bool(self.tandoor_token)

    def tandoor(self, shared: Shared) -> "Tandoor":
        """A client; close it, or use `with`. Raises `Unavailable` where no Tandoor is set."""
        from .tandoor import Tandoor

        if self.tandoor_url is None or not self.tandoor_token:
            raise Unavailable("no Tandoor is known here: set MEALS_TANDOOR_URL and MEALS_TANDOOR_TOKEN")
        return Tandoor(self.tandoor_url, self.tandoor_token.get_secret_value(), shared)

    @property
    def knows_fatsecret(self) -> bool:
        return bool(self.fatsecret_key) and bool(self.fatsecret_secret)

    def fatsecret_handshake(self, shared: Shared) -> "Handshake":
        """A new connection of somebody's. Raises `Unavailable` where no key to FatSecret is set."""
        from .fatsecret import LOGIN, Handshake

        return Handshake(self._fatsecret_keys(), shared, login=self.fatsecret_url or LOGIN)

    def fatsecret_diary(self, secrets: Sequence[str], shared: Shared) -> "Diary":
        """A client for the person of that token and secret; close it, or use `with`. Raises `Unavailable`."""
        from .fatsecret import Diary, Token

        return Diary(self._fatsecret_keys(), Token(*secrets), shared, plan=self._fatsecret_plan())

    def fatsecret_foods(self, shared: Shared) -> "FoodDatabase":
        """A client for foods; close it, or use `with`. Raises `Unavailable`."""
        from .fatsecret import FoodDatabase

        return FoodDatabase(self._fatsecret_keys(), shared, plan=self._fatsecret_plan(), two_legged=True)

    def _fatsecret_plan(self) -> "Plan":
        from .fatsecret import API, Plan

        return Plan(self.fatsecret_url or API, self.fatsecret_calls_a_day, self.fatsecret_calls_a_second)

    def _fatsecret_keys(self) -> "Keys":
        from .fatsecret import Keys

        if not self.knows_fatsecret:
            raise Unavailable("no key to FatSecret is known here: set MEALS_FATSECRET_KEY and MEALS_FATSECRET_SECRET")
        return Keys(self.fatsecret_key.get_secret_value(), self.fatsecret_secret.get_secret_value())

    def pages(self) -> "Pages":
        """Who fetches pages on somebody's word."""
        from .pages import Pages

        return Pages(permit=self.page_servers)
