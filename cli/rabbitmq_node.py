"""A private RabbitMQ node in a temporary folder: own name, ports and data; any user may run it; nothing is left behind."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from common.errors import BrokerUnavailable

# The scripts themselves: the wrappers on PATH insist on root or the user rabbitmq.
_SCRIPT_FOLDERS = (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin"), Path("/usr/local/sbin"))
_AMQP_HEADER = b"AMQP\x00\x00\x09\x01"

_CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
log.file.level = warning
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
"""


def find_scripts() -> Path | None:
    """The folder with `rabbitmq-server` in it, or None where RabbitMQ is not installed."""
    on_path = shutil.which("rabbitmq-server")
    folders = (*_SCRIPT_FOLDERS, *([Path(on_path).resolve().parent] if on_path else []))
    return next((folder for folder in folders if os.access(folder / "rabbitmq-server", os.X_OK)), None)


def answers_amqp(host: str, port: int, *, timeout_s: float = 2.0) -> bool:
    """Whether a RabbitMQ greets at this address: it opens the port only when it has booted."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(_AMQP_HEADER)
            # A frame of type 1 (method) on channel 0 is Connection.Start; the refusal of the version would be "AMQP".
            return connection.recv(3) == b"\x01\x00\x00"
    except OSError:
        return False


class RabbitMQNode:
    """One node with the plugins for partitions. `start` → use `url` → `stop`, or `kill` for a crash; then `start` again.

    `config` is more lines of rabbitmq.conf. The data survives `stop` and `kill`, until `remove`. All calls block: from a
    coroutine use `asyncio.to_thread`.
    """

    def __init__(self, *, port: int | None = None, config: str = "") -> None:
        scripts = find_scripts()
        if scripts is None:
            raise BrokerUnavailable("RabbitMQ is not installed here (apt-get install rabbitmq-server)")
        self._scripts = scripts
        self._folder = Path(tempfile.mkdtemp(prefix="pyloto-rabbitmq-"))
        ports = free_ports(3)
        self.port = port or ports[0]
        self._epmd_port = ports[1]
        self._environment = self._write_environment(ports[2], config)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int | None:
        """The broker's process, for signals and for counting its CPU; None while it is down."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def start(self, *, timeout_s: float = 90.0) -> None:
        """Boot and wait until it takes connections; BrokerUnavailable with the end of its log otherwise."""
        output = (self._folder / "output.log").open("ab")
        with output:
            self._process = subprocess.Popen(  # noqa: S603 - the script found above
                [self._scripts / "rabbitmq-server"],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        gives_up_at_s = time.monotonic() + timeout_s
        while not answers_amqp("127.0.0.1", self.port):
            if self._process.poll() is not None or time.monotonic() > gives_up_at_s:
                self.kill()
                raise BrokerUnavailable(f"RabbitMQ did not start: {self.log_tail()}")
            time.sleep(0.1)  # a node announces to nobody that it is up

    def stop(self, *, timeout_s: float = 60.0) -> None:
        """An orderly shutdown; killed when it takes too long."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """A crash: SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def remove(self) -> None:
        """Stop, and delete the data."""
        self.stop()
        subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, check=False)  # noqa: S607
        shutil.rmtree(self._folder, ignore_errors=True)

    def ctl(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run `rabbitmqctl` on this node and return what it printed: `stop_app`, `start_app`, `list_queues` …"""
        return self._run("rabbitmqctl", *arguments, timeout_s=timeout_s)

    def plugins(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """Run `rabbitmq-plugins` on this node: `enable`, `disable`."""
        return self._run("rabbitmq-plugins", *arguments, timeout_s=timeout_s)

    def _run(self, tool: str, *arguments: str, timeout_s: float) -> str:
        done = subprocess.run(  # noqa: S603 - the script found above
            [self._scripts / tool, "--quiet", *arguments],
            env=self._environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0:
            raise BrokerUnavailable(f"{tool} {arguments!r} failed: {done.stderr.strip()}")
        return done.stdout

    def log_tail(self) -> str:
        """The last lines that the node wrote."""
        files = [self._folder / "output.log", *(self._folder / "log").glob("*.log")]
        return "\n".join(line for file in files if file.exists() for line in file.read_text().splitlines()[-10:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _write_environment(self, distribution_port: int, config: str) -> dict[str, str]:
        folder = self._folder
        (folder / "rabbitmq.conf").write_text(_CONFIG.format(port=self.port) + config)
        (folder / "enabled_plugins").write_text("[rabbitmq_consistent_hash_exchange,rabbitmq_sharding].\n")
        (folder / "env.conf").write_text("")
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            # Erlang keeps its cookie here: one of our own, so that nothing of the machine's node is touched.
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"pyloto-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # Idle schedulers sleep at once: on a small machine their spinning costs the others.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
            # Makes the script exec the Erlang machine, so that the process we started is the broker itself.
            "detached": "true",
        }


@contextmanager
def private_node() -> Iterator[RabbitMQNode]:
    """A running node that is removed at the end."""
    with RabbitMQNode() as node:
        yield node


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()
