"""What engineers do in the Dagster UI, done by a browser over a running `meals up --demo`.

With SCREENSHOTS=FOLDER the pictures of the documentation are written there.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.flow.conftest import commands, home
from tests.flow.test_up import graphql, read_until, up

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60.0
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt install chromium")]
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

__all__ = ["home"]


@pytest.fixture
def url(home: Path) -> Iterator[str]:
    """Where the UI of a demo household answers."""
    with up(home, "--demo") as process:
        read_until(process, "Ctrl-C")
        yield json.loads((home / "up.json").read_text())["url"]
        process.send_signal(signal.SIGINT)
        process.wait(30)
    commands(home)("down")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1500, "height": 950})
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        yield page
        browser.close()


def keep(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_timeout(1_500)  # for the eye: what fades in is there
        page.screenshot(path=Path(folder) / f"{name}.png")


def until(url: str, query: str, *path: str | int, wanted: object) -> None:
    """Until GraphQL says so at the path."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found: Any = graphql(url, query)
        for part in path:
            found = found[part] if not isinstance(part, int) or len(found) > part else None
            if found is None:
                break
        if found == wanted:
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_an_engineer_looks_materializes_switches_and_backfills(url: str, page: Page) -> None:
    page.goto(f"{url}/asset-groups?expanded=global@global:topics,global@global:consumers,global@global:read_models")
    expect(page.get_by_text("read_models").first).to_be_visible()
    keep(page, "asset-graph")

    page.goto(f"{url}/assets/read_model/week_plan?view=lineage&lineageScope=upstream&lineageDepth=5")
    for name in ("plan_request", "generate_plan"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    keep(page, "lineage")

    page.goto(f"{url}/assets/read_model/reconciliation")
    expect(page.get_by_text("chain_head").first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.locator('img[src^="data:image/svg"]')
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    keep(page, "picture")

    page.goto(f"{url}/assets/read_model/recipe_catalogue")
    page.get_by_role("button", name="Materialize").first.click()
    runs = "{ runsOrError(limit: 1) { ... on Runs { results { status assetSelection { path } } } } }"
    until(url, runs, "runsOrError", "results", 0, wanted={
        "status": "SUCCESS", "assetSelection": [{"path": ["read_model", "recipe_catalogue"]}]
    })  # fmt: skip
    page.goto(f"{url}/assets/read_model/recipe_catalogue?view=events")
    expect(page.get_by_text("to_position").first).to_be_visible()
    keep(page, "read-model")

    sensor = (
        '{ sensorOrError(sensorSelector: {repositoryName: "__repository__", repositoryLocationName: "meal_assets",'
        ' sensorName: "follow_the_log"}) { ... on Sensor { sensorState { status } } } }'
    )
    page.goto(f"{url}/locations/meal_assets/sensors/follow_the_log")
    for status in ("STOPPED", "RUNNING"):
        page.locator("label:has(input[type=checkbox])").first.click()
        until(url, sensor, "sensorOrError", "sensorState", "status", wanted=status)
    keep(page, "sensor")

    week = [str(date.today() - timedelta(days=back)) for back in (7, 1)]
    page.goto(f"{url}/assets/read_model/daily_nutrition")
    page.get_by_role("button", name="Materialize").first.click()
    asked = page.get_by_placeholder("No matching partitions")
    asked.fill(f"[{week[0]}...{week[1]}]")
    asked.press("Enter")
    expect(page.get_by_text("7 partitions").first).to_be_visible()
    keep(page, "backfill")
    page.get_by_role("button", name="Launch backfill").click()
    backfills = (
        "{ partitionBackfillsOrError(limit: 1) { ... on PartitionBackfills { results { status numPartitions } } } }"
    )
    until(url, backfills, "partitionBackfillsOrError", "results", 0, wanted={
        "status": "COMPLETED_SUCCESS", "numPartitions": 7
    })  # fmt: skip
