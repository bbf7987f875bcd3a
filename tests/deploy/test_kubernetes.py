"""The manifests agree with one another, with the settings classes and with how the services stop."""

from typing import Any

import pytest
import yaml

from common.serving import DRAIN_S
from gateway.settings import GatewaySettings
from gateway.topology import Topology
from tests.deploy.env_example import settings_classes
from tests.deploy.images import ROOT, extras_by_service

FOLDER = ROOT / "deploy/kubernetes"
NAMES = ("context", "fsm", "response", "msgtype", "gateway")


def manifests(name: str) -> dict[str, dict[str, Any]]:
    """The manifests of one file, by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))}


def pod(name: str) -> dict[str, Any]:
    """The pod's specification."""
    spec: dict[str, Any] = manifests(name)["Deployment"]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    """Its only container."""
    [only] = pod(name)["containers"]
    return dict(only)


def fields_of(name: str) -> set[str]:
    """The variables that a service reads."""
    package = name if name == "gateway" else f"{name}_service"
    assert package in extras_by_service()
    return {
        field.upper()
        for settings in settings_classes()
        if settings.__module__ == f"{package}.settings"
        for field in settings.model_fields
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_one_that_the_service_reads(name: str) -> None:
    """And a variable that names a file names one that is mounted."""
    secrets = {
        item["path"]
        for volume in pod(name)["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
        for item in source["secret"]["items"]
    }

    for variable in container(name)["env"]:
        plain = variable["name"].removesuffix("_FILE")
        assert plain in fields_of(name)
        if plain != variable["name"]:
            assert variable["value"] == f"/run/secrets/pyloto/{plain.lower()}"
            assert plain.lower() in secrets


@pytest.mark.parametrize("name", NAMES)
def test_it_listens_where_it_is_probed_and_called(name: str) -> None:
    """One port, in five places."""
    variables = {each["name"]: each.get("value") for each in container(name)["env"]}
    port = next(each["containerPort"] for each in container(name)["ports"] if each["name"] == "grpc")
    targets = {each["value"] for other in NAMES for each in container(other)["env"] if each["name"] == f"{name.upper()}_TARGET"}

    assert variables[f"{name.upper()}_LISTEN"] == f"0.0.0.0:{port}"
    assert {container(name)[probe]["grpc"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {port}
    assert targets <= {f"dns:///{name}:{port}"}
    assert manifests(name)["Service"]["spec"]["ports"][0]["port"] == port


@pytest.mark.parametrize("name", NAMES)
def test_service_budget_and_deployment_mean_the_same_pods(name: str) -> None:
    """By the same labels; the service is headless, so that callers balance over all of them."""
    parts = manifests(name)
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert parts["Service"]["spec"]["clusterIP"] == "None"
    assert parts["Service"]["spec"]["selector"] == labels
    assert parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_may_do_nothing_but_its_work(name: str) -> None:
    """No root, no writing, no capabilities, no token of the cluster."""
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["automountServiceAccountToken"] is False
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_has_time_to_drain(name: str) -> None:
    """The gateway drains its turns and then its calls."""
    pause_s = 6 if "lifecycle" in container(name) else 0
    drains = 2 if name == "gateway" else 1

    assert pod(name)["terminationGracePeriodSeconds"] > pause_s + drains * DRAIN_S


def test_each_gateway_has_a_name_of_its_own() -> None:
    """By it the partitions are shared."""
    [replica] = [each for each in container("gateway")["env"] if each["name"] == "GATEWAY_REPLICA"]

    assert replica["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}


def test_gateways_are_scaled_by_the_queues_that_they_read() -> None:
    """And never beyond the partitions, where more replicas would have nothing to do."""
    scaled = manifests("keda")["ScaledObject"]["spec"]
    [trigger] = scaled["triggers"]

    assert scaled["scaleTargetRef"]["name"] == manifests("gateway")["Deployment"]["metadata"]["name"]
    assert scaled["maxReplicaCount"] <= GatewaySettings().gateway_partitions
    assert trigger["metadata"]["queueName"] == rf"^{Topology().inbound}\.[0-9]+$".replace("pyloto.inbound", r"pyloto\.inbound")


def test_the_kustomization_lists_every_file() -> None:
    """So that one command applies them all."""
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))

    assert set(kustomization["resources"]) == {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert {each["name"] for each in kustomization["images"]} == {f"pyloto/{name}" for name in NAMES}
