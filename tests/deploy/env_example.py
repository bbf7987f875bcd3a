"""Writes .env.example from the settings classes: `python -m tests.deploy.env_example` (a test compares the two)."""

import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from common.model_settings import ModelSettings
from common.settings import Settings, StoreSettings

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".env.example"

_HEADER = """\
# Every variable, with its default; written by `python -m tests.deploy.env_example`, so edit the settings classes instead.
#
# Copy to .env and take the # away from what you change: docker-compose.yml reads .env; without containers, export it.
# A wrong value stops the process at start and is named. An empty value means the default. For each variable marked
# "secret", NAME_FILE may name a file that holds the value instead (Docker and Kubernetes secrets).
"""
_COMPOSE = """\
# ------------------------------------------------------------------------------------------------------------------
# docker-compose.yml alone

# Tag of the images.
#PYLOTO_VERSION=dev

# Replicas of each service.
#CONTEXT_REPLICAS=1
#FSM_REPLICAS=1
#RESPONSE_REPLICAS=1
#MSGTYPE_REPLICAS=1
#GATEWAY_REPLICAS=1

# Ports of this host, on the loopback interface only.
#RABBITMQ_PORT=5672
#RABBITMQ_MANAGEMENT_PORT=15672
#RABBITMQ_METRICS_PORT=15692
#MONGODB_PORT=27017
#FSM_PORTS=50051-50060
#SIMULATOR_PORT=8089

# Median delay of the LLM simulator's answers, in milliseconds (profile simulator).
#SIMULATOR_DELAY_MS=400
"""

_SHARED: dict[type[Settings], str] = {
    Settings: "Logs, metrics, traces, and how the services talk to one another",
    StoreSettings: "The store",
    ModelSettings: "The LLM",
}


@dataclass(frozen=True, slots=True)
class Section:
    """The variables that one settings class adds to those it inherits."""

    title: str
    fields: tuple[tuple[str, FieldInfo], ...]


def settings_classes() -> list[type[Settings]]:
    """Every settings class of the system, the shared ones first."""
    for package in ("gateway", "fsm_service", "response_service", "msgtype_service", "context_service", "channels"):
        for name in _settings_modules(package):
            importlib.import_module(name)
    shared = list(_SHARED)
    found = {each for each in _subclasses(Settings) if each not in shared and not each.__module__.startswith("tests")}
    return [*shared, *sorted(found, key=lambda each: each.__module__)]


def sections() -> list[Section]:
    """The classes' own fields, each variable in one section only."""
    seen: set[str] = set()
    listed = []
    for settings in settings_classes():
        own = tuple((name, field) for name, field in settings.model_fields.items() if name not in seen)
        seen.update(name for name, _ in own)
        listed.append(Section(_title(settings), own))
    return listed


def render() -> str:
    """The file's text."""
    parts = [_HEADER]
    for section in sections():
        lines = ["# " + "-" * 114, f"# {section.title}", ""]
        for name, field in section.fields:
            lines += [f"# {field.description}", f"# ({_type(field)}; {_users(name)})", f"#{name.upper()}={default(field)}", ""]
        parts.append("\n".join(lines))
    return "\n".join((*parts, _COMPOSE))


def default(field: FieldInfo) -> str:
    """The default as one would write it in the environment; empty where it depends on the machine."""
    value = field.default
    if field.default_factory is not None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.relative_to(ROOT))
    return str(value)


def _users(name: str) -> str:
    """Which services read a variable."""
    leaves = [each for each in settings_classes() if each not in _SHARED]
    users = [_package(each) for each in leaves if name in each.model_fields]
    return "every service" if len(users) == len(leaves) else ", ".join(users)


def _title(settings: type[Settings]) -> str:
    return _SHARED.get(settings) or f"{_package(settings)}: {(settings.__doc__ or '').strip().splitlines()[0]}"


def _package(settings: type[Settings]) -> str:
    return settings.__module__.removesuffix(".settings")


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    if annotation is SecretStr:
        return "text, secret"
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(str(each) for each in typing.get_args(annotation))
    names: dict[object, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "folder"}
    kind = names.get(annotation, str(annotation))
    bounds = [f"{symbol} {limit}" for symbol, limit in _bounds(field)]
    return ", ".join((kind, *bounds))


def _bounds(field: FieldInfo) -> Iterator[tuple[str, object]]:
    for constraint in field.metadata:
        for attribute, symbol in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
            if (limit := getattr(constraint, attribute, None)) is not None:
                yield symbol, limit


def _subclasses(of: type[Settings]) -> Iterator[type[Settings]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


def _settings_modules(package: str) -> Iterator[str]:
    module: types.ModuleType = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if found.name.rpartition(".")[2] == "settings":
            yield found.name


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
