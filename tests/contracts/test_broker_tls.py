"""RabbitMQ over TLS: the server's certificate is checked, and the client shows its own."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.rabbitmq_node import RabbitMQNode, find_scripts, free_ports
from common.errors import BrokerUnavailable, InvalidSetting
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from tests.contracts.brokers import send, small

pytestmark = pytest.mark.rabbitmq


def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in a folder."""
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem, and localhost.pem and .key signed by it, which serve both ends."""
    folder = tmp_path_factory.mktemp("tls")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA", "-days", "2")
    openssl(folder, "req", *key, "-keyout", "localhost.key", "-out", "localhost.csr", "-subj", "/CN=localhost")
    (folder / "extensions").write_text("subjectAltName=DNS:localhost\n")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions", "-days", "2")
    openssl(folder, "x509", "-req", "-in", "localhost.csr", *signing, "-out", "localhost.pem")
    return folder


@pytest.fixture(scope="module")
def tls_url(certificates: Path) -> Iterator[str]:
    """A node that demands a client certificate."""
    if find_scripts() is None or shutil.which("openssl") is None:
        pytest.skip("no RabbitMQ with TLS: it or openssl is not installed here")
    [port] = free_ports(1)
    config = f"""\
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {certificates / "ca.pem"}
ssl_options.certfile = {certificates / "localhost.pem"}
ssl_options.keyfile = {certificates / "localhost.key"}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""
    with RabbitMQNode(config=config):
        yield f"amqps://guest:guest@localhost:{port}/"


async def test_a_client_with_its_certificate_publishes(tls_url: str, certificates: Path) -> None:
    """Both ends know each other by the same authority."""
    files = [str(certificates / name) for name in ("ca.pem", "localhost.pem", "localhost.key")]
    options = RabbitOptions(tls_url, tls_ca_file=files[0], tls_cert_file=files[1], tls_key_file=files[2])
    broker = RabbitBroker(options, small())

    await broker.start()
    await send(broker, "oi")

    assert broker.counters.published == 1
    await broker.close()


async def test_a_server_of_an_unknown_authority_is_not_trusted(tls_url: str) -> None:
    """Without our authority's certificate no connection is made."""
    broker = RabbitBroker(RabbitOptions(tls_url, start_timeout_s=0.5), small())

    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        await broker.start()
    await broker.close()


async def test_a_missing_certificate_file_is_a_wrong_setting(tls_url: str) -> None:
    """It is named."""
    broker = RabbitBroker(RabbitOptions(tls_url, tls_ca_file="nowhere.pem"), small())

    with pytest.raises(InvalidSetting, match=r"nowhere\.pem"):
        await broker.start()
