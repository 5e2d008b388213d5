"""`meals doctor`: what is wrong with this installation, and how to mend it."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import typer

if TYPE_CHECKING:
    from meal_assets.event_store import Connection, EventStore
    from meal_assets.settings import Settings

OLDEST_POSTGRES = 150_000
"""As `server_version_num` says it."""
ENOUGH_BYTES = 1 << 30
Verdict = Literal["well", "look", "wrong"]
MARKS: dict[Verdict, str] = {"well": "[green]well[/]", "look": "[yellow]look[/]", "wrong": "[red]wrong[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and where it is not well, the way to mend it."""

    what: str
    verdict: Verdict
    told: str


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor() -> None:
    """Find what is wrong with this installation, and say how to mend it; ends with status 1 where something is.

    It only looks: nothing is changed, except that an embedded database is started to be asked.
    """
    from rich.markup import escape
    from rich.table import Table

    from meal_assets.errors import Unavailable
    from meal_assets.event_store import Database, EventStore
    from meal_assets.settings import Settings

    from .session import console

    settings = Settings()
    found = [*_about_files(settings)]
    try:
        with Database.open(settings) as database:
            store = EventStore(database)
            found += [*_about_database(store), *_about_key(store), *_about_work(store)]
    except Unavailable as error:
        found.append(Finding("database", "wrong", str(error)))
    found += [*_about_services(settings)]
    table = Table("", "what", "how it is, and what to do")
    for one in found:
        table.add_row(MARKS[one.verdict], one.what, escape(one.told))
    console.print(table)
    if any(one.verdict == "wrong" for one in found):
        raise typer.Exit(1)


def _about_files(settings: "Settings") -> Iterator[Finding]:
    home = settings.home
    free = shutil.disk_usage(home if home.exists() else home.parent).free
    told = f"{free / (1 << 30):,.1f} GiB are free at {home}"
    if free < ENOUGH_BYTES:
        yield Finding("disk", "wrong", f"{told}: make room, a database that cannot write stops")
    else:
        yield Finding("disk", "well", told)
    secrets = [settings.tandoor_token, settings.fatsecret_secret, *settings.notify_urls.values()]
    config = home / "meals.toml"
    if config.exists() and any(secrets) and config.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding("meals.toml", "wrong", f"others may read {config}, which holds secrets: chmod 600 {config}")


def _about_database(store: "EventStore") -> Iterator[Finding]:
    from meal_assets.event_store.database import fetch_row, newest_migration
    from meal_assets.event_store.households import NO_ROLE

    with store.database.transaction() as db:
        number, name = fetch_row(
            db, "SELECT current_setting('server_version_num')::int, current_setting('server_version')"
        )
        old = number < OLDEST_POSTGRES
        yield Finding("PostgreSQL", "wrong" if old else "well", f"{name}{': 15 or newer is needed' if old else ''}")
        yield Finding("migrations", "well", f"{newest_migration()}, the newest")
        roles = {str(role) for (role,) in db.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'meals\\_%'")}
        if "meals_app" not in roles:
            told = (
                "meals_app is missing, and only triggers keep the log from being changed: let an administrator make it"
            )
            yield Finding("roles", "look", told)
        elif "meals_reader" not in roles:
            yield Finding("roles", "wrong", f"the API cannot answer: {NO_ROLE}")
        else:
            yield Finding("roles", "well", "meals_app writes, meals_reader sees one household")
        yield _about_households(db)


def _about_households(db: "Connection") -> Finding:
    """A table that a household may read, and that does not say which of its rows."""
    open_to_all = db.execute(
        "SELECT relnamespace::regnamespace || '.' || relname FROM pg_class WHERE relkind IN ('r', 'p')"
        " AND relnamespace IN ('read'::regnamespace, 'log'::regnamespace) AND NOT relrowsecurity"
        " AND EXISTS (SELECT FROM pg_attribute a WHERE attrelid = pg_class.oid AND attname = 'household')"
        " AND EXISTS (SELECT FROM aclexplode(relacl) g JOIN pg_roles r ON r.oid = g.grantee"
        "             WHERE r.rolname = 'meals_reader') ORDER BY 1"
    ).fetchall()
    if open_to_all:
        names = ", ".join(str(name) for (name,) in open_to_all)
        return Finding(
            "households", "wrong", f"each sees the rows of all in {names}: `meals rebuild` their read models"
        )
    return Finding("households", "well", "each sees its own rows only, the database sees to it")


def _about_key(store: "EventStore") -> Iterator[Finding]:
    from meal_assets.errors import MealAssetsError

    with store.database.transaction() as db:
        kept = db.execute("SELECT EXISTS (SELECT FROM log.person_keys) OR EXISTS (SELECT FROM log.connections)")
        if kept.fetchone() != (True,):
            yield Finding("key", "well", "nothing is encrypted yet: one is made when it is first needed")
            return
        try:
            store.database.key_to_wrap_with(db)
        except MealAssetsError as error:
            yield Finding("key", "wrong", str(error))
        else:
            yield Finding("key", "well", "it opens the texts of persons; keep a copy apart from the database")


def _about_work(store: "EventStore") -> Iterator[Finding]:
    from meal_assets.clients.breaker import states
    from meal_assets.read_models.dead_letters import open_letters
    from meal_assets.subscriptions import standings

    stand = list(standings(store))
    stopped = {s.subscriber.name: s.stopped_because or "" for s in stand if s.stopped_at and not s.paused}
    for name, why in stopped.items():
        yield Finding(name, "wrong", f"cannot go on: {why}")
    paused = [s.subscriber.name for s in stand if s.paused]
    if paused:
        yield Finding("paused", "look", f"{', '.join(paused)}: `meals resume NAME` lets it go on")
    behind = [s.subscriber.name for s in stand if s.due and s.subscriber.name not in stopped]
    if behind:
        yield Finding("behind", "look", f"{', '.join(behind)}: `meals up`, or `meals follow`, brings them on")
    if not stopped and not behind:
        yield Finding("followers", "well", f"all {len(stand)} are where the log is, at {store.head():,}")
    with store.database.transaction() as db:
        letters = len(open_letters(db))
    if letters:
        yield Finding("dead letters", "wrong", f"{letters:,} wait for a decision: `meals dead-letters`")
    for remote in states(store.database):
        if remote.state != "closed":
            yield Finding(remote.remote, "look", f"{remote}: `meals remotes reset {remote.remote}` tries at once")


def _about_services(settings: "Settings") -> Iterator[Finding]:
    import httpx

    from .services import is_up, running

    if not is_up(settings.home):
        yield Finding("meals up", "look", "does not run: commands work without it, the API and Dagster do not")
        return
    for name, path in (("api", "/readyz"), ("url", "/server_info")):
        address = f"{running(settings.home).get(name)}{path}"
        what = {"api": "API", "url": "Dagster"}[name]
        try:
            status = httpx.get(address, timeout=5).status_code
        except httpx.HTTPError as error:
            yield Finding(
                what, "wrong", f"{address} does not answer ({type(error).__name__}): see {settings.home}/logs"
            )
        else:
            yield Finding(what, "well" if status == httpx.codes.OK else "wrong", f"{address} answers {status}")
