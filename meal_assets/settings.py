"""What a person may set, in one place: `MEALS_*` in the environment, or `meals.toml` in MEALS_HOME.

Read once, in an entry point, and handed on; nothing else looks at the environment.
"""

import os
from datetime import date, datetime, time
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from tzlocal import get_localzone_name

DEFAULT_HOME = Path(".meals")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MEALS_", extra="forbid", frozen=True, hide_input_in_errors=True)

    home: Path = Field(
        default=DEFAULT_HOME,
        validate_default=True,
        description="Folder of everything kept on this machine: the embedded database, Dagster's files, logs.",
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="postgresql:// URL of your own PostgreSQL (15 or newer). Unset: one is embedded, in MEALS_HOME.",
    )
    key: str | None = Field(
        default=None,
        repr=False,
        pattern=r"^[0-9a-fA-F]{64}$",
        description="Key that the keys of persons are wrapped with: 32 bytes as hexadecimal digits."
        " Unset: the file `key` in MEALS_HOME, made when it is first needed.",
    )
    household: str = Field(
        default="home",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="Name of the household that commands on this machine speak for.",
    )
    actor: str = Field(
        default="person", min_length=1, max_length=64, description="Who commands are recorded as said by."
    )
    port: int = Field(
        default=3000,
        ge=1,
        le=65535,
        description="Port of the Dagster web server; the next free one is taken if it is in use.",
    )
    api_port: int = Field(default=8000, ge=1, le=65535, description="Port of the API and the pages.")
    api_host: str = Field(
        default="127.0.0.1",
        pattern=r"^[A-Za-z0-9.:_-]{1,253}$",
        description="Address that the API listens at: 0.0.0.0 lets other machines ask, behind a proxy that speaks TLS.",
    )
    api_requests_a_minute: int = Field(
        default=1_200, ge=1, le=10_000_000, description="Requests a minute that one token may make."
    )

    time_zone: str | None = Field(
        default=None,
        description="IANA name of the household's time zone, as Europe/Berlin: when its days begin and schedules run."
        " Unset: this machine's.",
    )
    meal_times: dict[Literal["breakfast", "lunch", "dinner", "snack"], time] = Field(
        default={},
        description='When a meal is on the table, as `{"dinner": "19:00"}`: from then `meals prep` counts back.'
        " Unset: 8:00, 12:30, 18:30, and 15:30 for a snack.",
    )
    tandoor_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@]+$",
        description="Address of your Tandoor, as https://recipes.example.org: its recipes are brought in.",
    )
    tandoor_token: SecretStr | None = Field(
        default=None,
        description="Token for it: Tandoor's Settings → API, with the scope `read write mealplan`.",
    )
    fatsecret_key: SecretStr | None = Field(
        default=None,
        description="Consumer key of your program at FatSecret (platform.fatsecret.com): persons may then connect their"
        " accounts.",
    )
    fatsecret_secret: SecretStr | None = Field(
        default=None, description="Consumer secret to it, the one for OAuth 1.0."
    )
    fatsecret_calls_a_day: int = Field(
        default=5_000, ge=1, description="Calls a day (UTC) that your plan at FatSecret has."
    )
    fatsecret_calls_a_second: float = Field(
        default=8.0, gt=0, le=1_000, description="Calls a second at most: it refuses bursts."
    )
    fatsecret_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@]+$",
        description="Address to call in place of FatSecret's own, as that of a test server.",
    )

    notify_urls: dict[str, SecretStr] = Field(
        default={},
        description="Where people are told things: name of a person, `operator` for what checks find, or that of the"
        " household for all others -> address as apprise knows it, as mailto://user:password@mail.example.org?to=ada@example.org.",
    )

    @property
    def api_is_local(self) -> bool:
        """Whether only programs of this machine reach the API."""
        try:
            return ip_address(self.api_host).is_loopback
        except ValueError:
            return self.api_host == "localhost"

    @property
    def zone(self) -> ZoneInfo:
        """The household's time zone."""
        return ZoneInfo(self.time_zone or get_localzone_name())

    def today(self) -> date:
        """The household's day."""
        return datetime.now(self.zone).date()

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name or "UTC")
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError("is not an IANA time zone, as Europe/Berlin") from error
        return name

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = Path(os.environ.get("MEALS_HOME", DEFAULT_HOME)).expanduser()
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, home / "meals.toml")
