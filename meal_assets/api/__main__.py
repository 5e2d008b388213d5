"""`python -m meal_assets.api`: the API as a process, as `meals up` runs it."""

import argparse
import sys

import uvicorn

from meal_assets.event_store import Database
from meal_assets.settings import Settings

from .app import create_app

END_SECONDS = 2
"""What requests get to end by themselves, when it is told to."""


def main() -> None:
    """Serve until told to end. `--open` lets everybody on this machine in, and listens nowhere else."""
    parser = argparse.ArgumentParser(prog="meal_assets.api", description=main.__doc__)
    parser.add_argument("--port", type=int)
    parser.add_argument("--open", action="store_true")
    asked = parser.parse_args()
    settings = Settings()
    if asked.open and not settings.api_is_local:
        sys.exit(f"--open is for this machine only, and MEALS_API_HOST is {settings.api_host}: make a token instead")
    with Database.open(settings) as database:
        uvicorn.run(
            create_app(settings, database, open=asked.open),
            host=settings.api_host,
            port=asked.port or settings.api_port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=END_SECONDS,
        )


if __name__ == "__main__":
    main()
