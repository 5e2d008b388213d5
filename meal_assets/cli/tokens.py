"""`meals token`: who may ask the API, for whom, and how much."""

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.event_store.tokens import Token

DAYS = 90

tokens = typer.Typer(no_args_is_help=True, help="Tokens for the API: make one, show them, take one back.")


class Scope(StrEnum):
    read = "read"
    write = "write"
    admin = "admin"


def add_to(app: typer.Typer) -> None:
    app.add_typer(tokens, name="token")


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for, as phone.")],
    scope: Annotated[Scope, typer.Option(help="What it may do; each may what those before it may.")] = Scope.write,
    person: Annotated[
        str | None, typer.Option(help="Only for what is of this person; the whole household without it.")
    ] = None,
    household: Annotated[str | None, typer.Option(help="Of another household than this machine's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it stands.")] = DAYS,
) -> None:
    """Make a token and show it, this once: keep it like a password.

    Examples: meals token create phone --person ada · meals token create grafana --scope read --days 365
    """
    from meal_assets.event_store.tokens import create_token

    from .session import console, session

    with session() as s:
        secret, token = create_token(
            s.store.database,
            household or s.household,
            scope.value,
            person=person,
            name=name,
            life=timedelta(days=days),
        )
    console.print(secret, markup=False, highlight=False, soft_wrap=True)
    until = f"{token.expires_at.astimezone():%Y-%m-%d}"
    console.print(
        f"{token.id} ({name}) may {scope.value} for {person or token.household} until {until}. It is not shown again."
        " Send it as `Authorization: Bearer …`.",
        style="dim",
        markup=False,
        soft_wrap=True,
    )


@tokens.command()
def link(
    person: Annotated[
        str | None, typer.Option(help="Only for what is of this person; the whole household without it.")
    ] = None,
) -> None:
    """Print a link that logs a browser in, once, within 15 minutes.

    Example: meals token link --person ada
    """
    from meal_assets.event_store.tokens import create_link

    from .services import running
    from .session import console, session

    with session() as s:
        pages = str(running(s.settings.home).get("api") or f"http://127.0.0.1:{s.settings.api_port}")
        console.print(create_link(s.store.database, s.household, pages, person=person), markup=False, soft_wrap=True)


@tokens.command("list")
def show(
    household: Annotated[str | None, typer.Option(help="Of another household than this machine's.")] = None,
) -> None:
    """Show the household's tokens: what each may, until when, and when it was used last."""
    from rich.markup import escape
    from rich.table import Table

    from meal_assets.event_store.tokens import tokens_of

    from .session import console, session

    with session() as s:
        found = tokens_of(s.store.database, household or s.household)
    if not found:
        console.print("No token was ever made: `meals token create NAME`")
        return
    table = Table("token", "name", "may", "for", "until", "used", "state")
    for token in found:
        used = f"{token.used_at.astimezone():%Y-%m-%d %H:%M}" if token.used_at else "never"
        until = f"{token.expires_at.astimezone():%Y-%m-%d}"
        whom = token.person or token.household
        table.add_row(token.id, escape(token.name), token.scope, whom, until, used, _state(token))
    console.print(table)


@tokens.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its id, as `meals token list` shows it.")],
    household: Annotated[str | None, typer.Option(help="Of another household than this machine's.")] = None,
) -> None:
    """Take a token back: from now on it opens nothing."""
    from meal_assets.event_store.tokens import revoke_token

    from .session import console, session

    with session() as s:
        revoked = revoke_token(s.store.database, household or s.household, token)
    console.print(f"{revoked.id} ({revoked.name}) opens nothing any more.", markup=False, highlight=False)


def _state(token: "Token") -> str:
    if token.revoked_at:
        return f"[red]revoked {token.revoked_at.astimezone():%Y-%m-%d}[/]"
    return "[green]stands[/]" if token.stands else "[yellow]expired[/]"
