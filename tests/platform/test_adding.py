"""A new read model is one new file: the one that the documentation shows is added to a copy of the product."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
NAME = "favourite_dishes"
LIST = """
import json, definitions
from meal_assets.platform.keys import key_of
from meal_assets.read_models import READ_MODELS
repository = definitions.defs.get_repository_def()
graph = repository.asset_graph
key = key_of(READ_MODELS["favourite_dishes"])
(sensor,) = repository.sensor_defs
print(json.dumps({
    "asset": graph.has(key),
    "parents": sorted(k.to_user_string() for k in graph.get(key).parent_keys),
    "check": sorted(k.name for k in graph.asset_check_keys if k.asset_key == key),
    "sensor": key in sensor.targets[0].resolvable_to_job.selection.resolve(graph),
}))
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product with the documented file in it."""
    root = tmp_path_factory.mktemp("product")
    for folder in ("meal_assets", "tests"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("definitions.py", "pyproject.toml"):
        shutil.copy(PROJECT / file, root / file)
    shown = (PROJECT / "docs" / "adding.md").read_text()
    (code,) = re.findall(r"```python\n(\"\"\"Which dishes.*?)```", shown, flags=re.DOTALL)
    (root / "meal_assets" / "read_models" / f"{NAME}.py").write_text(code)
    return root


def python(product: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(product), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=product, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_its_asset_lineage_check_and_sensor_target_appear(product: Path) -> None:
    found = json.loads(python(product, "-c", LIST).splitlines()[-1])
    checks, parents = ["equals_rebuild", "is_current"], ["topic/diary", "topic/system"]  # a person may be forgotten
    assert found == {"asset": True, "parents": parents, "check": checks, "sensor": True}


@pytest.mark.slow
def test_the_tests_that_hold_for_every_read_model_run_for_it_and_pass(product: Path) -> None:
    ran = python(
        product,
        "-m",
        "pytest",
        "tests/read_models/test_every_read_model.py",
        "-k",
        NAME,
        "-vv",
        "-p",
        "no:cacheprovider",
    )
    assert NAME in ran
    assert re.search(r"\b\d+ passed", ran)
