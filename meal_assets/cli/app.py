"""The program `meals`: its commands, and how errors reach the person."""

import logging
import sys

import typer

from meal_assets.errors import MealAssetsError

from . import (
    bring,
    connect,
    doctor,
    eat,
    exchange,
    follow,
    inspect,
    kitchen,
    metrics,
    nutrition,
    outside,
    people,
    steering,
    subscribers,
    switches,
    system,
    tokens,
    week,
)

app = typer.Typer(
    name="meals",
    help="Plan, cook, log and reconcile a household's meals. Start with `meals demo`, or `meals up --demo`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
PARTS = (
    system,
    subscribers,
    follow,
    steering,
    inspect,
    metrics,
    doctor,
    exchange,
    switches,
    people,
    bring,
    outside,
    connect,
    tokens,
    nutrition,
    week,
    kitchen,
    eat,
)
for part in PARTS:
    part.add_to(app)


def main() -> None:
    """Run the command; an error made on purpose is told in one line and ends with status 1."""
    from pydantic import ValidationError
    from rich.console import Console
    from rich.markup import escape

    # a Ctrl-C in the middle of a query makes the driver warn that it could not roll back; the server does
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    try:
        app()
    except MealAssetsError as error:
        told = f"[bold red]{type(error).__name__}[/]: {escape(str(error))}"
        Console(stderr=True).print(told, highlight=False, soft_wrap=True)
        sys.exit(1)
    except ValidationError as error:
        for wrong in error.errors():
            where = ".".join(map(str, wrong["loc"])) or error.title
            Console(stderr=True).print(f"[bold red]{where}[/]: {wrong['msg']}", highlight=False, soft_wrap=True)
        sys.exit(1)
