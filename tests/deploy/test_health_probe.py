"""The probe of the containers, against a real server."""

import shutil
import subprocess
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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for localhost that is its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return str(folder / "certificate.pem"), str(folder / "key.pem")


async def test_a_service_over_mutual_tls_is_asked_with_the_same_settings(certificate: tuple[str, str]) -> None:
    """The probe trusts, and shows, what the service does; without that it is refused."""
    pem, key = certificate
    settings = Settings(grpc_tls_cert_file=pem, grpc_tls_key_file=key, grpc_tls_ca_file=pem)
    server = Server(settings, [])
    port = await server.start("localhost:0")

    with_certificate = await problem_of(f"localhost:{port}", settings)
    without_one = await problem_of(f"localhost:{port}", Settings(grpc_tls_ca_file=pem))

    await server.stop(0)
    assert with_certificate == ""
    assert "UNAVAILABLE" in without_one
