"""What is written down is there, and what is there is written down."""

import re
from pathlib import Path

import pytest
import typer.main

from meal_assets.cli.app import app
from meal_assets.consumers import CONSUMERS
from meal_assets.contracts import TOPICS
from meal_assets.read_models import READ_MODELS
from meal_assets.settings import Settings

PROJECT = Path(__file__).parents[1]
DOCUMENTS = sorted([PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").glob("*.md")])
WRITTEN = "\n".join(d.read_text() for d in DOCUMENTS)
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [*TOPICS, *READ_MODELS, *CONSUMERS])
def test_every_topic_read_model_and_consumer_is_in_the_documentation(name: str) -> None:
    assert re.search(rf"\b{name}\b", WRITTEN)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_documentation(name: str) -> None:
    assert re.search(rf"\b(meals|make run.*`meals) {name}\b", WRITTEN)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_itself(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_documentation_with_its_default(name: str) -> None:
    written = (PROJECT / "docs" / "settings.md").read_text()
    (row,) = re.findall(rf"^\| `MEALS_{name.upper()}` \|.*$", written, flags=re.MULTILINE)
    default = Settings.model_fields[name].default
    assert ("–" if default is None else f"`{default}`") in row


def test_no_setting_is_documented_that_is_not_there() -> None:
    written = set(re.findall(r"\bMEALS_[A-Z_]+\b", WRITTEN))
    assert written <= {f"MEALS_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text()):
        assert (document.parent / target).exists(), target
