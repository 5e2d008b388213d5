"""Chromium looking at pages that a real server serves, over a log that somebody follows."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from meal_assets import demo
from meal_assets.clients.outside import Outside
from meal_assets.event_store import Origin
from meal_assets.settings import Settings
from meal_assets.subscriptions import settle
from tests.api.conftest import Api, served, settings_of
from tests.conftest import copied

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PATIENCE = 60_000.0
LOOK_SECONDS = 2.0
SIZES = {"phone": (390, 844), "desktop": (1280, 860)}


@contextmanager
def followed(api: Api) -> Iterator[None]:
    """Read models and consumers react while it runs, as under `meals up`."""
    done = threading.Event()

    def follow() -> None:
        with api.store.listen() as wait:
            while not done.is_set():
                settle(api.store, Outside())
                wait(LOOK_SECONDS)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    yield
    done.set()
    thread.join(60)


@pytest.fixture(scope="module")
def fresh(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An empty household."""
    with copied(server_url, "migrated") as url, served(settings_of(tmp_path_factory.mktemp("home")), url) as api:
        api.settle()
        with followed(api):
            yield api


@pytest.fixture(scope="module")
def lived_in(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Ada and Ben, who have planned and eaten for some days."""
    with copied(server_url, "migrated") as url, served(settings_of(tmp_path_factory.mktemp("home")), url) as api:
        api.settle()
        for _, act in demo.steps(api.store, lambda: Origin("home", "ada"), Settings().today()):
            act()
            api.settle()
        with followed(api):
            yield api


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed here: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


def visit(chromium: Browser, api: Api, size: str = "desktop", *, script: bool = True, dark: bool = False) -> Page:
    """A browser of its own, logged in with a token; what its console complains of fails the test at its end."""
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=api.url,
        viewport={"width": width, "height": height},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/app/today")
    page.get_by_label("Token").fill(api.secret())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/app/today")
    return page


def listening(page: Page) -> Page:
    """Once its stream is open: what happens from now on is heard."""
    page.wait_for_selector("body[data-listening]")
    return page


def keep(page: Page, name: str) -> None:
    """The picture, for the documentation, where SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=Path(folder) / f"{name}.png")
