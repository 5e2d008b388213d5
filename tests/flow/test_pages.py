"""Recipes from web pages, on the command line."""

from pathlib import Path

import pytest

from tests.clients.remote_server import says, serving
from tests.recipe_files.test_page import SOUP, page

from .conftest import Meals

pytestmark = pytest.mark.slow


def test_a_saved_page_is_imported_and_again_is_nothing_new(meals: Meals, tmp_path: Path) -> None:
    file = tmp_path / "soup.html"
    file.write_text(page(SOUP, head='<link rel="canonical" href="https://kitchen.example/soup">'))
    assert "1 read: 1 new or changed" in meals("import", "recipe", str(file)).stdout
    assert "nothing new" in meals("import", "recipe", str(file)).stdout
    empty = tmp_path / "menu.html"
    empty.write_text(page(body="<p>Our menu</p>"))
    assert "Looked for schema.org JSON-LD" in meals("import", "recipe", str(empty)).stdout
    missing = meals("import", "recipe", "no-such-file.html")
    assert missing.returncode != 0
    assert "there is no file no-such-file.html" in missing.stderr


def test_a_page_inside_is_not_fetched_and_one_is_told_what_to_do(meals: Meals) -> None:
    with serving(says(200)) as server:
        done = meals("import", "recipe", f"{server.url}/soup?token=hush")
        assert server.asked == []
    assert done.returncode != 0
    assert "token" in done.stdout
    assert "not public" in done.stderr
    assert "import the file" in done.stderr
    assert "hush" not in done.stdout + done.stderr
    assert "hush" not in meals("events").stdout
