"""Settings come from the environment, or from files for secrets; a wrong one stops the process and is named."""

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from common.errors import InvalidSetting

_NEARLY = 0.9
"""Likeness of two names, 0 to 1, from which one is taken for the other misspelt."""
_MAY_BE_EMPTY = frozenset({"llm_api_key"})
"""Without it the deterministic path answers; any other empty secret would switch protection off without a word."""
S = TypeVar("S", bound="Settings")


class _FilesNamedInEnvironment(PydanticBaseSettingsSource):
    """For each variable NAME, reads the file that NAME_FILE names (Docker and Kubernetes secrets)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[str | None, str, bool]:
        path = os.environ.get(f"{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        if os.environ.get(field_name.upper()):
            raise InvalidSetting(f"{field_name.upper()}, {field_name.upper()}_FILE: both are set; leave one out")
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InvalidSetting(f"{field_name.upper()}_FILE: cannot read {path!r} ({error.strerror})") from error
        if not text and field_name not in _MAY_BE_EMPTY:
            raise InvalidSetting(f"{field_name.upper()}_FILE: {path!r} is empty")
        return text, field_name, False

    def __call__(self) -> dict[str, object]:
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value is not None}


class Settings(BaseSettings):
    """The root of each service's settings: frozen, one docstring per field, variable name = field name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True, env_ignore_empty=True)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    metrics_listen: str = ""
    """host:port on which Prometheus metrics are served; empty for none."""
    otel_exporter_otlp_endpoint: str = ""
    """Where traces are sent by OTLP/gRPC, such as http://collector:4317; empty for no tracing."""
    trace_sample_ratio: float = Field(default=0.1, ge=0, le=1)
    """Share of messages whose trace is kept, 0 to 1."""
    grpc_tls_cert_file: str = ""
    """PEM certificate of this service; with grpc_tls_key_file it switches TLS on for its server."""
    grpc_tls_key_file: str = ""
    """PEM private key that belongs to grpc_tls_cert_file."""
    grpc_tls_ca_file: str = ""
    """PEM certificates that callers trust; set, it switches TLS on for calls (and asks callers for theirs on servers)."""
    grpc_auth_token: SecretStr = SecretStr("")
    """Shared token that every gRPC call must carry; empty for none."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Constructor arguments first, then the environment, then files that the environment names."""
        return init_settings, env_settings, _FilesNamedInEnvironment(settings_cls)


class StoreSettings(Settings):
    """What a service that persists needs."""

    mongodb_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017")
    """MongoDB, or a server that speaks its protocol; may hold a password, so MONGODB_URL_FILE works too."""
    mongodb_database_prefix: str = "pyloto"
    """Each service's database is <prefix>_<service>."""
    mongodb_timeout_s: float = Field(default=1.5, gt=0)
    """Longest wait for one operation, in seconds."""


def load(settings: Callable[[], S]) -> S:
    """Read the settings (a class of them) once; raise InvalidSetting that names each wrong variable and what is expected."""
    try:
        return settings()
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}, got {problem['input']!r}"
            if problem["type"] != "missing"
            else f"{'.'.join(str(part) for part in problem['loc']).upper()}: is not set and has no default"
            for problem in error.errors()
        ]
        raise InvalidSetting("; ".join(lines)) from None


def misspelt(settings: Settings) -> dict[str, str]:
    """Variables of the environment that nobody reads but whose name is nearly that of a setting, with that name."""
    known = {name for field in type(settings).model_fields for name in (field.upper(), f"{field.upper()}_FILE")}
    # OpenTelemetry reads many of its own, docker-compose.yml …_REPLICAS.
    unknown = [name for name in os.environ.keys() - known if not (name.startswith("OTEL_") or name.endswith("_REPLICAS"))]
    near = {name: difflib.get_close_matches(name, known, 1, cutoff=_NEARLY) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


def parse_address(value: str, setting: str) -> tuple[str, int]:
    """Split `host:port`; InvalidSetting names the setting otherwise."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise InvalidSetting(f"{setting}: expected host:port, such as 127.0.0.1:50051, got {value!r}")
    return host.strip("[]"), int(port)
