"""A new user's first `meals up --demo`: a week, how Dagster reacted, a browser in its UI, and an end without a trace.

The tests follow each other on one that runs. With SCREENSHOTS=FOLDER it writes the pictures of the documentation there.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import FloatRect, Page, expect, sync_playwright

from tests.processes import PROJECT

from .conftest import commands, environment
from .test_up import graphql, processes_of, read_until, up

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60.0
pytestmark = pytest.mark.slow
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@dataclass(frozen=True, slots=True)
class Demo:
    """One that runs: in which home, as which process, what it printed, and where its UI answers."""

    home: Path
    process: "subprocess.Popen[str]"
    shown: str
    url: str


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="meals-", dir="/tmp") as folder, pytest.MonkeyPatch.context() as patch:
        patch.delenv("MEALS_KEY")
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        with up(home, "--demo") as process:
            shown = read_until(process, "Ctrl-C")
            yield Demo(home, process, shown, json.loads((home / "up.json").read_text())["url"])
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


def keep(page: Page, name: str, clip: FloatRect | None = None) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_timeout(1_500)  # for the eye: what fades in is there
        page.screenshot(path=Path(folder) / f"{name}.png", clip=clip)


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


def test_the_week_is_shown_and_dagster_shows_what_led_to_it(demo: Demo) -> None:
    assert "Week of" in demo.shown
    assert "Planned against target" in demo.shown
    assert "Reconciled days" in demo.shown
    data = graphql(
        demo.url,
        "{ assetNodes { assetKey { path } dependencyKeys { path } assetMaterializations(limit: 1) { label } } "
        "runsOrError(limit: 60) { ... on Runs { results { status tags { key value } } } } }",
    )
    nodes = {"/".join(n["assetKey"]["path"]): n for n in data["assetNodes"]}  # type: ignore[attr-defined]
    assert {"path": ["topic", "plan"]} in nodes["read_model/week_plan"]["dependencyKeys"]
    for made in ("topic/plan", "read_model/week_plan", "consumer/generate_plan", "read_model/shopping_list"):
        assert nodes[made]["assetMaterializations"], made
    runs = data["runsOrError"]["results"]  # type: ignore[index,call-overload]
    consumers = {t["value"] for r in runs for t in r["tags"] if t["key"] == "meals/consumer"}
    assert consumers - {"sync_tandoor"} == {
        "fetch_recipes",
        "compute_nutrition",
        "generate_plan",
        "weigh_ingredients",
        "reconcile",
        "estimate_expenditure",
        "announce",
    }


def test_recipes_of_a_made_up_tandoor_come_in_by_a_sync(demo: Demo) -> None:
    deadline, said = time.monotonic() + PATIENCE, ""
    while "recipe.RecipesSynced" not in said:
        assert time.monotonic() < deadline, said
        said = commands(demo.home)("events", "--topic", "recipe", "--limit", "10").stdout
    assert '"listed":8,"fetched":8' in said
    assert "Grandmother's lentil stew" in said


def test_a_diary_of_a_made_up_fatsecret_comes_in_as_days_of_an_asset(demo: Demo) -> None:
    assert "Ben has an account at a made-up FatSecret" in demo.shown
    query = (
        '{ assetNodeOrError(assetKey: {path: ["sync", "fatsecret_diary"]})'
        " { ... on AssetNode { partitionStats { numMaterialized } } } }"
    )
    until(demo.url, query, "assetNodeOrError", "partitionStats", "numMaterialized", wanted=7)
    read = commands(demo.home)("events", "--topic", "diary", "--limit", "100").stdout
    assert read.count("diary.DiaryDayObserved by dagster") == 7


def test_another_account_is_connected_there_by_whoever_looks_around(demo: Demo) -> None:
    command = [sys.executable, "-m", "meal_assets.cli", "connect", "fatsecret", "ada"]
    pipe = subprocess.PIPE
    given = environment(demo.home)
    with subprocess.Popen(command, cwd=PROJECT, env=given, stdin=pipe, stdout=pipe, text=True) as connecting:
        assert connecting.stdout is not None
        page = next(line for line in connecting.stdout if "oauth_token=" in line).strip()
        code = re.search("<h1>(.*)</h1>", httpx.get(page, trust_env=False).text)
        assert code is not None
        connecting.communicate(f"{code[1]}\n")
    assert connecting.returncode == 0
    assert "7 days read, 7 of them new or changed." in commands(demo.home)("sync", "fatsecret", "ada").stdout


def test_a_second_one_says_that_one_is_running(demo: Demo) -> None:
    second = commands(demo.home)("up")
    assert second.returncode == 1
    assert "already up" in second.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium: apt install chromium")
def test_an_engineer_looks_materializes_switches_and_backfills(demo: Demo, page: Page) -> None:
    url = demo.url
    page.goto(f"{url}/asset-groups?expanded=global@global:topics,global@global:consumers,global@global:read_models")
    expect(page.get_by_text("read_models").first).to_be_visible()
    page.set_viewport_size({"width": 1700, "height": 2900})
    page.reload()  # it fits what it draws into the window
    expect(page.get_by_text("week_plan", exact=True).first).to_be_visible()
    keep(page, "asset-graph", {"x": 545, "y": 110, "width": 1120, "height": 2790})
    page.set_viewport_size({"width": 1500, "height": 950})

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
    switch = page.locator("label:has(input[type=checkbox])").first
    for status in ("STOPPED", "RUNNING"):
        expect(switch.locator("input")).to_be_checked(checked=status == "STOPPED")
        switch.click()
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


def test_ctrl_c_ends_all_of_it_and_the_week_is_kept(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert processes_of(demo.home) == []
    assert not (demo.home / "up.lock").exists()
    assert not (demo.home / "up.json").exists()
    assert "Week of" in commands(demo.home)("week").stdout
    assert "Nobody is connected" in commands(demo.home)("connect").stdout
    assert processes_of(demo.home) == []
