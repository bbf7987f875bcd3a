"""docker-compose.yml: complete, closed to the outside, and in agreement with the settings classes and the code."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.serving import DRAIN_S
from tests.deploy.env_example import FILE as ENV_EXAMPLE
from tests.deploy.env_example import settings_classes
from tests.deploy.images import ROOT, extras_by_service

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
PACKAGES = {name: service["build"]["args"]["SERVICE"] for name, service in OURS.items()}
SCRIPT = ROOT / "deploy/compose/init-secrets.sh"
REPLICATED = ("context", "fsm", "response", "msgtype", "gateway")
SERVICE_KEYS = {
    *("image", "build", "command", "environment", "env_file", "ports", "volumes", "secrets", "networks", "depends_on"),
    *("healthcheck", "deploy", "restart", "stop_grace_period", "init", "read_only", "tmpfs", "cap_drop", "security_opt"),
    *("hostname", "profiles"),
}


def fields_of(package: str) -> set[str]:
    """The variables that a service reads."""
    return {
        name.upper()
        for settings in settings_classes()
        if settings.__module__ == f"{package}.settings"
        for name in settings.model_fields
    }


def test_it_has_the_parts_that_compose_knows() -> None:
    """A misspelt key would be refused by Compose, and nobody here has an engine to find out."""
    assert set(COMPOSE) <= {"name", "services", "networks", "volumes", "secrets"} | {key for key in COMPOSE if key[:2] == "x-"}
    for name, service in SERVICES.items():
        assert set(service) <= SERVICE_KEYS, name


def test_the_servers_are_the_official_images() -> None:
    """And everything else is built from the one Dockerfile."""
    assert SERVICES["rabbitmq"]["image"] == "rabbitmq:4-management"
    assert SERVICES["mongo"]["image"] == "mongo:8"
    assert set(SERVICES) - set(OURS) == {"rabbitmq", "mongo"}
    assert set(PACKAGES.values()) == set(extras_by_service())


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_service_reads(name: str) -> None:
    """NAME_FILE stands for NAME."""
    known = fields_of(PACKAGES[name])

    for variable in OURS[name].get("environment", {}):
        assert variable.removesuffix("_FILE") in known or variable in known, variable


@pytest.mark.parametrize("name", REPLICATED)
def test_a_service_listens_inside_the_network_and_is_called_where_it_listens(name: str) -> None:
    """Its address is open to the other containers, and the callers' targets name its port."""
    listen = OURS[name]["environment"][f"{name.upper()}_LISTEN"]
    port = listen.rpartition(":")[2]
    targets = {
        service["environment"][f"{name.upper()}_TARGET"]
        for service in OURS.values()
        if f"{name.upper()}_TARGET" in service.get("environment", {})
    }

    assert listen == f"0.0.0.0:{port}"
    assert targets <= {f"dns:///{name}:{port}"}
    assert targets or name == "gateway"


@pytest.mark.parametrize("name", REPLICATED)
def test_the_number_of_replicas_is_a_variable(name: str) -> None:
    """And .env.example explains it."""
    assert OURS[name]["deploy"]["replicas"] == f"${{{name.upper()}_REPLICAS:-1}}"


def test_every_variable_of_the_file_itself_is_in_env_example() -> None:
    """With the same default."""
    used = set(re.findall(r"\$\{([A-Z_]+):-([^}]*)\}", TEXT))

    example = set(re.findall(r"^#([A-Z_]+)=(.*)$", ENV_EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    assert used <= example


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_the_loopback_interface_only(name: str) -> None:
    """Whoever wants more puts something with TLS and access control in front."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_is_bounded_and_comes_back(name: str) -> None:
    """A limit of memory and CPU, a restart policy, and time to stop."""
    service = SERVICES[name]

    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert service["restart"] == "unless-stopped"
    assert int(service["stop_grace_period"].removesuffix("s")) > 2 * DRAIN_S


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_change_nothing(name: str) -> None:
    """No capabilities, no new privileges, a read-only file system."""
    service = OURS[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs_to_be_healthy(name: str) -> None:
    """What is waited for has a health check: its own, or the image's."""
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert needed in OURS or "healthcheck" in SERVICES[needed]


def test_the_gateway_waits_for_everything() -> None:
    """It is the last to start, and so the first to stop."""
    assert set(SERVICES["gateway"]["depends_on"]) == set(SERVICES) - {"gateway", "simulator"}


def test_every_secret_that_is_used_is_written_by_the_script(tmp_path: Path) -> None:
    """With the names that the file mounts, and each password in its URL."""
    done = subprocess.run(["sh", str(SCRIPT), str(tmp_path / "secrets")], check=True, capture_output=True, text=True)

    files = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()} == set(files), done.stdout
    assert files["mongodb_password"] in files["mongodb_url"]
    assert files["rabbitmq_user.conf"].split()[-1] in files["amqp_url"]
    for name, service in SERVICES.items():
        used = {each if isinstance(each, str) else each["source"] for each in service.get("secrets", ())}
        assert used <= set(COMPOSE["secrets"]), name


def test_a_second_run_of_the_script_keeps_the_secrets(tmp_path: Path) -> None:
    """The stores have the first passwords."""
    command = ["sh", str(SCRIPT), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}

    subprocess.run(command, check=True, capture_output=True)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_of_a_secret_variable_is_mounted(name: str) -> None:
    """X_FILE=/run/secrets/y needs the secret y."""
    service = SERVICES[name]
    named = {
        value.removeprefix("/run/secrets/")
        for value in service.get("environment", {}).values()
        if str(value).startswith("/run/secrets/")
    }

    assert named <= set(service.get("secrets", ()) if name != "rabbitmq" else ())


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_path_exists(name: str) -> None:
    """Docker would make an empty folder of one that does not."""
    for volume in SERVICES[name].get("volumes", ()):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_broker_has_the_plugins_that_the_system_uses() -> None:
    """Partitions, the management pages, and metrics for the alerts."""
    plugins = (ROOT / "deploy/compose/enabled_plugins").read_text()

    assert set(re.findall(r"\w+", plugins)) == {
        "rabbitmq_management",
        "rabbitmq_consistent_hash_exchange",
        "rabbitmq_sharding",
        "rabbitmq_prometheus",
    }
