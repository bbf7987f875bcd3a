"""The probe of the containers, against a real server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.errors import InvalidSetting
from common.health_probe import problem_of, target_of
from common.serving import Server
from common.settings import Settings


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    """A running server and its port."""
    server = Server(Settings(), [])
    port = await server.start("127.0.0.1:0")
    yield server, port
    await server.stop(0)


async def test_a_service_that_serves_is_well(server: tuple[Server, int]) -> None:
    """No problem is found."""
    assert await problem_of(f"127.0.0.1:{server[1]}", Settings()) == ""


async def test_a_service_that_is_not_there_is_named(server: tuple[Server, int]) -> None:
    """With its address and what happened."""
    await server[0].stop(0)

    assert (await problem_of(f"127.0.0.1:{server[1]}", Settings())).startswith(f"127.0.0.1:{server[1]}: UNAVAILABLE")


def test_with_no_argument_it_asks_the_port_that_the_service_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the image needs to know no port."""
    (tmp_path / "port").write_text("50051")
    monkeypatch.setenv("PYLOTO_PORT_FILE", str(tmp_path / "port"))

    assert target_of([]) == "localhost:50051"


@pytest.mark.parametrize("arguments", [["nonsense"], ["a:1", "b:2"], []])
def test_without_an_address_it_says_what_is_expected(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong health check is a wrong setting."""
    monkeypatch.delenv("PYLOTO_PORT_FILE", raising=False)

    with pytest.raises(InvalidSetting, match=r"(?i)host:port"):
        target_of(arguments)
