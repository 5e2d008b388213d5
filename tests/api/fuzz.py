"""Schemathesis over the whole OpenAPI document, as a process of its own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

from meal_assets.event_store.tokens import Scope

ROLES: dict[str, tuple[Scope, str]] = {
    "admin": ("admin", "home"),
    "reader": ("read", "home"),
    "stranger": ("admin", "next-door"),
}
"""As whom it asks: scope and household."""
LEFT_OUT = (
    "positive_data_acceptance",  # a week without a plan is a good week, and cannot be accepted
)
CONFIG = """
[checks.missing_required_header]
expected-statuses = [400, 401, 403, 406, 415, 422]
"""


def fuzzed(
    url: str, secret: str, *, examples: int, seed: int, phases: str = "examples,fuzzing", seconds: int | None = None
) -> list[str]:
    """What it found wrong, each with the request that shows it."""
    httpx.get(f"{url}/openapi.json", timeout=120)  # it is made for the first who asks
    with tempfile.TemporaryDirectory(prefix="meals-fuzz-") as folder:
        report, config = Path(folder) / "report.json", Path(folder) / "schemathesis.toml"
        config.write_text(CONFIG)
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{url}/openapi.json"),
            *("--url", url, "--header", f"Authorization: Bearer {secret}", "--no-color", "--no-shrink"),
            *("--phases", phases, "--checks", "all", "--exclude-checks", ",".join(LEFT_OUT)),
            *("--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"),
            *("--report-json-path", str(report), "--suppress-health-check", "all", "--continue-on-failure"),
            *(("--max-time", str(seconds)) if seconds else ()),
        ]
        run = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        told = json.loads(report.read_text()) if report.exists() else {}
    return [] if run.returncode == 0 else [f"{run.stdout}\n{run.stderr}", json.dumps(told)[:20_000]]
