"""Child processes of the embedded system, of the tests and of the benchmarks: start, wait until ready, stop, kill, restart."""

import asyncio
import functools
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.errors import InvalidSetting, PylotoError, Unavailable
from common.process import EXIT_SETTING

READY_S = 30.0
STOP_S = 15.0
_POLL_S = 0.02


ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""numpy's products are small here: on one core they are faster, and they leave the others to other processes."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `port` is where it will answer; `announces` when it writes its port file once it serves."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    port: int
    announces: bool = True


class Child:
    """One child process with its log file."""

    def __init__(self, program: Program, folder: Path) -> None:
        self.program = program
        self.log_path = folder / f"{program.name}.log"
        self._port_file = folder / f"{program.name}.port"
        self._log_from = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int:
        """The process id; 0 when it was never started."""
        return self._process.pid if self._process else 0

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it and wait until it serves. Unavailable, with the end of its log, when it does not."""
        self._port_file.unlink(missing_ok=True)
        environment = {**ONE_THREAD, **os.environ, **self.program.environment, "PYLOTO_PORT_FILE": str(self._port_file)}
        with self.log_path.open("ab") as log:
            self._log_from = log.tell()
            # In a session of its own: Ctrl-C at the terminal is for the parent, which then stops its children in order.
            self._process = await asyncio.create_subprocess_exec(
                *_ending_with_us(),
                *self.program.arguments,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_S):
                while not self._serves():
                    if self._process.returncode is not None:
                        raise self._failure(self._process.returncode)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            await self.stop()
            raise Unavailable(self._why_not(f"did not serve within {READY_S:.0f} s")) from None

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self, *, patience_s: float = STOP_S) -> None:
        """SIGTERM, then SIGKILL when it does not end in time."""
        if not self.running or self._process is None:
            return
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience_s):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        if self.running and self._process is not None:
            self._process.kill()
            await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it."""
        if self.running and self._process is not None:
            self._process.send_signal(number)

    def _serves(self) -> bool:
        if self.program.announces:
            return self._port_file.exists()
        return accepts_connections(self.program.port)

    def _failure(self, code: int) -> PylotoError:
        if code == EXIT_SETTING:
            return InvalidSetting(self._log_tail().removeprefix("pyloto: wrong setting\n"))
        return Unavailable(self._why_not(f"ended with exit code {code}"))

    def _why_not(self, what: str) -> str:
        return f"{self.name} {what}; the end of its log:\n{self._log_tail()}"

    def _log_tail(self) -> str:
        """The last lines since it was started."""
        log = self.log_path.read_bytes()[self._log_from :].decode(errors="replace")
        return "\n".join(log.splitlines()[-8:])


@functools.cache
def _ending_with_us() -> tuple[str, ...]:
    """On Linux, what makes a child end when this process is killed and can no longer stop it."""
    program = shutil.which("setpriv")
    return (program, "--pdeathsig", "TERM") if program and sys.platform == "linux" else ()


def accepts_connections(port: int) -> bool:
    """Whether something listens on the port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def module(name: str, package: str, environment: Mapping[str, str], port: int) -> Program:
    """One of our own packages, run with this interpreter."""
    return Program(name, (sys.executable, "-m", package), environment, port)


def store_program(folder: Path, port: int) -> Program:
    """The embedded store: MongoDB's protocol on SQLite, with files of its own."""
    data = folder / "store"
    data.mkdir(parents=True, exist_ok=True)
    arguments = (
        str(Path(sys.executable).with_name("nx-27017")),
        *("--host", "127.0.0.1", "--port", str(port), "--data-dir", str(data)),
        *("--pid-file", str(folder / "store.pid"), "--log-file", str(folder / "store-server.log")),
    )
    return Program("store", arguments, {}, port, announces=False)


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for logs, port files and data that goes away with its owner."""
    return tempfile.TemporaryDirectory(prefix="pyloto-", ignore_cleanup_errors=True)
