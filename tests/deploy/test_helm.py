"""The chart's values: by Kubernetes' own models always, and by the chart itself where there is one."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import Field, Shape
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema

from meal_assets.platform.sensor import CONSUMERS

from .servers import PROJECT
from .test_files import told, tool

VALUES = PROJECT / "deploy" / "helm" / "values.yaml"
values: dict[str, Any] = yaml.safe_load(VALUES.read_text())
DEPLOYMENT: dict[str, Any] = values["dagster-user-deployments"]["deployments"][0]
OURS = {"code": DEPLOYMENT, "daemon": values["dagsterDaemon"], "webserver": values["dagsterWebserver"]}
MODELS = {
    "podSecurityContext": "V1PodSecurityContext",
    "securityContext": "V1SecurityContext",
    "resources": "V1ResourceRequirements",
    "readinessProbe": "V1Probe",
    "livenessProbe": "V1Probe",
    "startupProbe": "V1Probe",
}


def kubernetes(name: str, given: dict[str, Any]) -> Any:
    """The object Kubernetes makes of it; raises for a name it does not know."""
    from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict  # they take seconds
    from kubernetes import client

    model = getattr(client, name)
    return k8s_model_from_dict(model, k8s_snake_case_dict(model, given))


@pytest.mark.parametrize("name", OURS)
def test_a_pod_is_described_in_words_kubernetes_knows_and_may_do_no_more_than_it_must(name: str) -> None:
    given = OURS[name]
    made = {
        n: kubernetes(m, {k: v for k, v in given[n].items() if k != "enabled"}) for n, m in MODELS.items() if n in given
    }
    assert {"podSecurityContext", "securityContext", "resources", "livenessProbe", "startupProbe"} <= set(made)
    assert made["podSecurityContext"].run_as_non_root
    assert made["podSecurityContext"].seccomp_profile.type == "RuntimeDefault"
    assert made["securityContext"].read_only_root_filesystem
    assert made["securityContext"].allow_privilege_escalation is False
    assert made["securityContext"].capabilities.drop == ["ALL"]
    assert made["resources"].limits["memory"]
    assert [kubernetes("V1Volume", v).name for v in given["volumes"]] == [m["name"] for m in given["volumeMounts"]]


def test_the_manifests_beside_the_chart_are_whole() -> None:
    kinds = {"Job": "V1Job", "PodDisruptionBudget": "V1PodDisruptionBudget"}
    made = {m["kind"]: kubernetes(kinds[m["kind"]], m) for m in values["extraManifests"]}
    (migrate,) = made["Job"].spec.template.spec.containers
    image = DEPLOYMENT["image"]
    assert migrate.image == f"{image['repository']}:{image['tag']}"
    assert migrate.command == ["dagster", "instance", "migrate"]
    assert made["PodDisruptionBudget"].spec.selector.match_labels["deployment"] == DEPLOYMENT["name"]
    assert DEPLOYMENT["replicaCount"] > made["PodDisruptionBudget"].spec.max_unavailable


def test_the_run_launcher_takes_its_settings() -> None:
    from dagster_k8s.launcher import K8sRunLauncher

    given = {_snake(k): v for k, v in values["runLauncher"]["config"]["k8sRunLauncher"].items()}
    given["run_k8s_config"] = {_snake(k): v for k, v in given["run_k8s_config"].items()}
    by_the_chart = {"service_account_name": "meals", "instance_config_map": "meals", "dagster_home": "/opt/dagster"}
    config_type = Field(Shape(K8sRunLauncher.config_type())).config_type
    result = validate_config(config_type, given | by_the_chart)
    assert result.success, result.errors


def test_one_consumer_keeps_no_other_from_running() -> None:
    (limit,) = values["concurrency"]["runs"]["tagConcurrencyLimits"]
    assert limit["key"] == "meals/consumer"
    assert limit["value"] == {"applyLimitPerUniqueValue": True}
    assert values["concurrency"]["runs"]["maxConcurrentRuns"] >= len(CONSUMERS) * limit["limit"]


def test_the_chart_makes_of_it_an_instance_that_dagster_takes() -> None:
    """With `helm` and DAGSTER_CHART, the folder of the unpacked chart."""
    from dagster_k8s.launcher import K8sRunLauncher

    chart = os.environ.get("DAGSTER_CHART") or pytest.skip(
        "there is no chart here: helm pull dagster/dagster --untar, and DAGSTER_CHART=its folder"
    )
    done = told(tool("helm", "https://helm.sh"), "template", "meals", Path(chart), "-f", VALUES)
    assert done.returncode == 0, done.stderr
    made = [m for m in yaml.safe_load_all(done.stdout) if m]
    (instance,) = [yaml.safe_load(m["data"]["dagster.yaml"]) for m in made if "dagster.yaml" in (m.get("data") or ())]
    result = validate_config(Field(Shape(dagster_instance_config_schema())).config_type, instance)
    assert result.success, result.errors
    assert instance["run_launcher"]["class"] == "K8sRunLauncher"
    launcher = validate_config(
        Field(Shape(K8sRunLauncher.config_type())).config_type, instance["run_launcher"]["config"]
    )
    assert launcher.success, launcher.errors
    assert instance["event_log_storage"]["config"]["postgres_db"]["params"]["options"] == "-csearch_path=dagster"
    assert {"Deployment", "Job", "PodDisruptionBudget"} <= {m["kind"] for m in made}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
