"""No secret of the settings is ever in an event, a run, a log file, a dead letter or a word that is printed."""

import base64
import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
import pytest
from pydantic import SecretStr

from meal_assets.cli.services import free_port
from meal_assets.fakes.fatsecret import FakeFatSecret, demo_service, verifier_of
from meal_assets.fakes.tandoor import FakeTandoor, Space
from meal_assets.settings import Settings
from tests.clients.remote_server import wait_until
from tests.processes import PROJECT, run_meals
from tests.recipe_files.test_page import SOUP

from .conftest import environment
from .hunt import Hunt
from .test_up import read_until

PATIENCE = 240.0
APPLE = ("--food", "Apple", "--kcal", "78", "--protein", "0.4", "--carbs", "21", "--fat", "0.3")
TOKEN = "tda_Zq7/tandoor+Token=0f3"
PASSWORDS = {"database": "Zq7/database+pass wörd", "mail": "Zq7/mail&pass=word+9", "other": "Zq7nowhereword42x"}
KEY = "c0ffee5e" * 8
SHOWN = ("status", "events", "remotes", "dead-letters", "flags", "day ada", "events export log.jsonl.gz")
"""Commands that tell what is kept."""


def secrets_and_settings(settings: Settings, tandoor: str) -> tuple[dict[str, str | bytes], dict[str, str]]:
    """Name -> secret, and the variables that set them: each secret that the settings know of, also a new one."""
    mail = f"mailto://ada:{quote(PASSWORDS['mail'], safe='')}@127.0.0.1:{free_port(39_000)}?to=ada@example.org"
    urls = {"ada": f"{mail}&mode=insecure", "ben": f"nowhere://{PASSWORDS['other']}"}
    url = (settings.database_url or "").replace("@", f":{quote(PASSWORDS['database'], safe='')}@", 1).replace("::", ":")
    given = {
        "database_url": url,
        "key": KEY,
        "tandoor_token": TOKEN,
        "notify_urls": json.dumps(urls),
    }
    secrets: dict[str, str | bytes] = {
        **PASSWORDS,
        "key": KEY,
        "key as bytes": bytes.fromhex(KEY),
        "tandoor_token": TOKEN,
    }
    for name, field in Settings.model_fields.items():
        if name not in given and (not field.repr or SecretStr.__name__ in str(field.annotation)):
            given[name] = secrets[name] = f"Zq7{name}/secret+{len(name)}"
    variables = {f"MEALS_{name.upper()}": value for name, value in given.items()}
    return secrets, variables | {"MEALS_TANDOOR_URL": tandoor, "MEALS_PORT": str(free_port(38_000))}


class Household:
    """A machine with all secrets set, and everything that was printed on it."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self.environment = environment(home) | variables
        self.printed = ""

    def meals(self, *arguments: str) -> str:
        done = run_meals(arguments, self.environment)
        self.printed += done.stdout + done.stderr
        return done.stdout + done.stderr

    def connect(self, person: str, fatsecret: FakeFatSecret) -> list[str | bytes]:
        """At the terminal; the token to the account, and its secret."""
        command = [sys.executable, "-m", "meal_assets.cli", "connect", "fatsecret", person]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=PROJECT, env=self.environment, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
        ) as connecting:
            assert connecting.stdout is not None
            page = next(line for line in connecting.stdout if "oauth_token=" in line).strip()
            self.printed += connecting.communicate(f"{verifier_of(page.partition('oauth_token=')[2])}\n")[0]
        assert connecting.returncode == 0, self.printed
        ((token, account),) = fatsecret.service.accounts.items()
        return [token, account.secret]

    @contextmanager
    def up(self) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "-m", "meal_assets.cli", "up"],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            self.printed += read_until(process, "Ctrl-C")
            yield
            assert self.meals("down").startswith("Stopped.")
            assert process.wait(PATIENCE) == 0
        finally:
            process.terminate()
            self.printed += process.communicate(timeout=PATIENCE)[0]


def runs(url: str, status: str) -> int:
    """How many runs Dagster has with that status."""
    with psycopg.connect(url) as db:
        row = db.execute("SELECT count(*) FROM dagster.runs WHERE status = %s", (status,)).fetchone()
    return int(row[0]) if row else 0


def set_aside(url: str) -> set[str]:
    """The consumers that have made a dead letter."""
    with psycopg.connect(url) as db:
        rows = db.execute("SELECT payload ->> 'consumer' FROM log.events WHERE type = 'system.DeadLettered'")
        return {str(name) for (name,) in rows}


@pytest.mark.slow
def test_a_household_lives_and_fails_and_no_secret_of_it_is_found_anywhere(
    settings: Settings, home: Path, tmp_path: Path
) -> None:
    recipes = tmp_path / "recipes.jsonl"
    recipes.write_text("\n".join([json.dumps({**SOUP, "name": f"Soup {n}"}) for n in range(8)] + ["{broken"]))
    with FakeTandoor(Space(token=TOKEN)) as tandoor, FakeFatSecret(demo_service(settings.today())) as fatsecret:
        secrets, variables = secrets_and_settings(settings, tandoor.url)
        variables["MEALS_FATSECRET_URL"] = fatsecret.url
        fatsecret.service.key = variables["MEALS_FATSECRET_KEY"]
        fatsecret.service.secret = variables["MEALS_FATSECRET_SECRET"]
        url, house = variables["MEALS_DATABASE_URL"], Household(home, variables)
        with house.up():
            assert "8 new" in house.meals("import", "recipes", str(recipes))
            assert "not public" in house.meals("import", "recipe", f"{tandoor.url}/soup?token={quote(TOKEN, safe='')}")
            house.meals("sync", "tandoor", "--full")
            tandoor.space.token = "another"
            assert "the token is" in house.meals("sync", "tandoor", "--full")
            secrets |= zip(("token of ada", "its secret"), house.connect("ada", fatsecret), strict=True)
            assert "7 days read, 7 of them new or changed." in house.meals("sync", "fatsecret")
            house.meals("flags", "set", "fatsecret.diary", "on")
            house.meals("log", "ada", "lunch", *APPLE)
            fatsecret.service.accounts.clear()
            assert "revoked there" in house.meals("sync", "fatsecret")
            house.meals("log", "ada", "dinner", *APPLE)
            for person in ("ben", "ada"):  # one whose address is none, then one whose server is down
                house.meals("profile", person, "--weight", "62")
                house.meals("log", person, "snack", *APPLE, "--close")
            house.meals("plan")
            tandoor.faults.down = True
            house.meals("sync", "tandoor", "--full")
            wait_until(lambda: runs(url, "FAILURE") >= 1 and runs(url, "SUCCESS") >= 1, PATIENCE)
            wait_until(lambda: set_aside(url) >= {"sync_tandoor", "deliver", "push_diary"}, PATIENCE)
            for shown in SHOWN:
                *words, last = shown.split()
                house.meals(*words, str(tmp_path / last) if last.endswith(".gz") else last)
        hunt = Hunt(secrets)
        found = [*hunt.in_database(url), *hunt.in_folder(home), *hunt.in_folder(tmp_path)]
        assert [*found, *hunt.in_text(house.printed, "printed")] == []


@pytest.mark.parametrize("name", [*PASSWORDS, "token"])
def test_a_secret_is_found_however_it_is_written(name: str) -> None:
    secret = {**PASSWORDS, "token": TOKEN}[name]
    hunt = Hunt({name: secret})
    written = [
        secret,
        secret.upper(),
        quote(secret, safe=""),
        quote(secret, safe="").lower(),
        quote_plus(secret),
        json.dumps({"a": secret}),
        secret.encode().hex(),
        secret.encode().decode("latin-1"),
        *(base64.b64encode(("ab"[:n] + secret + tail).encode()).decode() for n in range(3) for tail in ("", "x", "xy")),
        base64.urlsafe_b64encode(f"ada:{secret}".encode()).decode(),
    ]
    assert [text for text in written if not hunt.in_text(f"before {text} after", "here")] == []
    assert hunt.in_text("before and after", "here") == []
    key = bytes.fromhex(KEY)
    assert Hunt({"key": key}).in_bytes(b"before" + key, "here")
    assert Hunt({"key": key}).in_text(base64.b64encode(b"a" + key).decode(), "here")


def test_a_secret_is_found_wherever_it_is_planted(database_url: str, tmp_path: Path) -> None:
    """In a text, in JSON, in bytes, packed or not, of a table of the log, a read model or Dagster; and in files."""
    secret = {"planted": TOKEN}
    hunt = Hunt(secret)
    assert list(hunt.in_database(database_url)) == []
    places = {
        "log.planted_text": ("text", TOKEN),
        "read.planted_json": ("jsonb", json.dumps({"url": f"https://x/?token={quote(TOKEN, safe='')}"})),
        "log.planted_bytes": ("bytea", f"Authorization: Bearer {TOKEN}".encode()),
        "public.planted_packed": ("bytea", zlib.compress(json.dumps({"tags": {"token": TOKEN}}).encode())),
        "public.planted_basic": ("text[]", [base64.b64encode(f"ada:{TOKEN}".encode()).decode()]),
    }
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute("CREATE SCHEMA IF NOT EXISTS read")
        for place, (kind, value) in places.items():
            db.execute(f"CREATE TABLE {place} (cell {kind})")
            db.execute(f"INSERT INTO {place} VALUES (%s)", (value,))
    assert {found.where.removesuffix(", packed") for found in hunt.in_database(database_url)} == places.keys()
    (tmp_path / "log.txt").write_text(f"GET /?key={TOKEN}")
    (tmp_path / "old.gz").write_bytes(gzip.compress(TOKEN.encode()))
    assert {Path(found.where.removesuffix(", packed")).name for found in hunt.in_folder(tmp_path)} == {
        "log.txt",
        "old.gz",
    }
