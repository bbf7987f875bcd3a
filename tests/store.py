"""Real stores for tests: one server per run, a database of its own per test."""

import atexit
import functools
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from cli.processes import accepts_connections, free_port, store_program
from common.settings import StoreSettings

_START_S = 20.0


@functools.cache
def embedded_url() -> str:
    """The store that `pyloto up` embeds (nx-27017), started once per run and killed at its end."""
    port = free_port()
    folder = _folder()
    _run(store_program(folder, port).arguments, port, folder)
    return f"mongodb://127.0.0.1:{port}"


@functools.cache
def ferretdb_url() -> str:
    """FerretDB v1 on SQLite, another server that speaks MongoDB's protocol; skips the test when there is none."""
    binary = os.environ.get("FERRETDB_BIN") or shutil.which("ferretdb")
    if not binary:
        pytest.skip("no FerretDB: put the v1 binary on PATH, or name it in FERRETDB_BIN")
    port = free_port()
    folder = _folder()
    arguments = (
        binary,
        *("--handler=sqlite", f"--sqlite-url=file:{folder}/", f"--listen-addr=127.0.0.1:{port}"),
        *("--debug-addr=-", f"--state-dir={folder}", "--telemetry=disable"),
    )
    _run(arguments, port, folder)
    return f"mongodb://127.0.0.1:{port}"


def store_settings(url: str | None = None, *, timeout_s: float = 3.0) -> StoreSettings:
    """Settings with a database prefix that no other test has."""
    return StoreSettings.model_validate(store_values(url, timeout_s=timeout_s))


def store_values(url: str | None = None, *, timeout_s: float = 3.0) -> dict[str, object]:
    """The same as values for the settings of any service."""
    return {
        "mongodb_url": SecretStr(url or embedded_url()),
        "mongodb_database_prefix": f"test_{secrets.token_hex(4)}",
        "mongodb_timeout_s": timeout_s,
    }


def nowhere_url() -> str:
    """An address at which no store answers."""
    return f"mongodb://127.0.0.1:{free_port()}"


def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="pyloto-test-store-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _run(arguments: Sequence[str], port: int, folder: Path) -> None:
    with (folder / "output.log").open("ab") as log:
        process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    atexit.register(_end, process)
    give_up_s = time.monotonic() + _START_S
    while not accepts_connections(port):
        if process.poll() is not None or time.monotonic() > give_up_s:
            raise RuntimeError((folder / "output.log").read_text(errors="replace")[-2_000:])
        time.sleep(0.02)


def _end(process: "subprocess.Popen[bytes]") -> None:
    # The embedded store does not stop on SIGTERM while connections are open.
    process.kill()
    process.wait()
