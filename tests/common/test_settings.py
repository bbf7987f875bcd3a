"""Settings: read once, from variables or files; a wrong one is named."""

import socket
from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError

from common import metrics
from common.errors import InvalidSetting
from common.settings import Settings, load, misspelt, parse_address
from gateway.settings import GatewaySettings


class ExampleSettings(Settings):
    """Settings of no service."""

    example_url: SecretStr = Field(default=...)
    """Has no default."""
    example_turns: int = Field(default=8, ge=1)
    """At least one."""


@pytest.fixture(autouse=True)
def _required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXAMPLE_URL", "amqp://host")


def test_a_variable_has_the_fields_name_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no prefix to remember."""
    monkeypatch.setenv("EXAMPLE_TURNS", "3")

    assert load(ExampleSettings).example_turns == 3


def test_a_misspelt_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would read it, and nobody would notice."""
    monkeypatch.setenv("EXAMPLE_TRUNS", "3")
    monkeypatch.setenv("HOME_OF_ANOTHER_PROGRAM", "x")

    assert misspelt(load(ExampleSettings)) == {"EXAMPLE_TRUNS": "EXAMPLE_TURNS"}


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator mends all of them in one go."""
    monkeypatch.setenv("EXAMPLE_TURNS", "0")
    monkeypatch.setenv("LOG_LEVEL", "loud")

    with pytest.raises(InvalidSetting) as refused:
        load(ExampleSettings)

    assert "EXAMPLE_TURNS: Input should be greater than or equal to 1, got '0'" in str(refused.value)
    assert "LOG_LEVEL" in str(refused.value)


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no default must be set."""
    monkeypatch.delenv("EXAMPLE_URL")

    with pytest.raises(InvalidSetting, match="EXAMPLE_URL: is not set and has no default"):
        load(ExampleSettings)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line `EXAMPLE_TURNS=` in an env file means the default."""
    monkeypatch.setenv("EXAMPLE_TURNS", "")

    assert load(ExampleSettings).example_turns == 8


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As Docker and Kubernetes hand secrets over, with the line break that editors add."""
    (tmp_path / "url").write_text("amqp://from-file\n", encoding="utf-8")
    monkeypatch.delenv("EXAMPLE_URL")
    monkeypatch.setenv("EXAMPLE_URL_FILE", str(tmp_path / "url"))

    assert load(ExampleSettings).example_url.get_secret_value() == "amqp://from-file"


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its path, so that the mount can be mended."""
    monkeypatch.delenv("EXAMPLE_URL")
    monkeypatch.setenv("EXAMPLE_URL_FILE", "/nowhere/url")

    with pytest.raises(InvalidSetting, match="EXAMPLE_URL_FILE: cannot read '/nowhere/url'"):
        load(ExampleSettings)


def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would switch protection off without a word."""
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    monkeypatch.setenv("GRPC_AUTH_TOKEN_FILE", str(tmp_path / "token"))

    with pytest.raises(InvalidSetting, match=r"GRPC_AUTH_TOKEN_FILE: .*token' is empty"):
        load(ExampleSettings)


def test_a_value_beside_its_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Which of them counts would be a guess, and a wrong one is found in production."""
    monkeypatch.setenv("EXAMPLE_URL", "amqp://old")
    monkeypatch.setenv("EXAMPLE_URL_FILE", str(tmp_path / "url"))

    with pytest.raises(InvalidSetting, match="EXAMPLE_URL, EXAMPLE_URL_FILE: both are set"):
        load(ExampleSettings)


def test_a_secret_shows_nowhere() -> None:
    """Not even when settings are printed."""
    assert "amqp://host" not in repr(load(ExampleSettings))


def test_settings_do_not_change_while_a_process_runs() -> None:
    """They are read once and passed down."""
    with pytest.raises(ValidationError, match="frozen"):
        load(ExampleSettings).example_turns = 4


@pytest.mark.parametrize(("value", "expected"), [("127.0.0.1:50051", ("127.0.0.1", 50051)), ("[::1]:0", ("::1", 0))])
def test_an_address_is_host_and_port(value: str, expected: tuple[str, int]) -> None:
    """IPv6 in brackets."""
    assert parse_address(value, "X_LISTEN") == expected


@pytest.mark.parametrize("value", ["", "50051", ":50051", "host:", "host:http", "host:70000"])
def test_a_wrong_address_names_its_variable(value: str) -> None:
    """And shows what one looks like."""
    with pytest.raises(InvalidSetting, match="X_LISTEN: expected host:port, such as"):
        parse_address(value, "X_LISTEN")


def test_channels_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong separator would make one channel of two, whose messages are refused."""
    monkeypatch.setenv("GATEWAY_CHANNELS", "whatsapp;console")

    with pytest.raises(InvalidSetting, match="GATEWAY_CHANNELS"):
        load(GatewaySettings)


def test_a_port_for_metrics_that_is_taken_is_named() -> None:
    """Two services on one machine were given the same."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(InvalidSetting, match=f"METRICS_LISTEN: cannot listen on '{listen}'"):
            metrics.serve(listen)
