"""Who we know outside, and how to reach them: what an entry point read from the settings, handed to those who call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from pydantic import SecretStr

from meal_assets.errors import Unavailable
from meal_assets.settings import Settings

from .remote import Shared

if TYPE_CHECKING:  # a client brings an HTTP stack with it, which most commands do without
    from .pages import Pages
    from .tandoor import Tandoor


@dataclass(frozen=True, slots=True)
class Outside:
    """Opens clients; without settings, nobody is known. Its `repr` tells no secret."""

    tandoor_url: str | None = None
    tandoor_token: SecretStr = field(default=SecretStr(""))
    notify_urls: Mapping[str, SecretStr] = field(default_factory=dict)
    page_servers: tuple[tuple[str, int], ...] = ()
    """Addresses and ports that pages are read from although they are not public. No setting names them: tests do."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(settings.tandoor_url, settings.tandoor_token or SecretStr(""), settings.notify_urls)

    def address_of(self, person: str, household: str) -> SecretStr | None:
        """Where the person is told things: at their own address, else at the household's; None without either."""
        return self.notify_urls.get(person) or self.notify_urls.get(household)

    @property
    def knows_tandoor(self) -> bool:
        return self.tandoor_url is not None and bool(self.tandoor_token)

    def tandoor(self, shared: Shared) -> "Tandoor":
        """A client; close it, or use `with`. Raises `Unavailable` where no Tandoor is set."""
        from .tandoor import Tandoor

        if self.tandoor_url is None or not self.tandoor_token:
            raise Unavailable("no Tandoor is known here: set MEALS_TANDOOR_URL and MEALS_TANDOOR_TOKEN")
        return Tandoor(self.tandoor_url, self.tandoor_token.get_secret_value(), shared)

    def pages(self) -> "Pages":
        """Who fetches pages on somebody's word."""
        from .pages import Pages

        return Pages(permit=self.page_servers)
