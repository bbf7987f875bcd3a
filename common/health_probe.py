"""Asks a service whether it is well, for container health checks: `python -m common.health_probe [HOST:PORT]`.

With no argument it asks this container's own service, at the port in the file that PYLOTO_PORT_FILE names. TLS is used as
the settings say; the certificate must then be valid for HOST (`localhost` when no argument is given). Ends with 0 when the
service says SERVING, and with 1 and one line that says why when not.
"""

import os
import sys
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from common import process
from common.clients import channel
from common.errors import InvalidSetting
from common.settings import Settings, load, parse_address

TIMEOUT_S = 3.0

_USAGE = "the address to ask: expected HOST:PORT as the only argument, or PYLOTO_PORT_FILE set"


async def problem_of(target: str, settings: Settings) -> str:
    """Why the service at `host:port` is not well; empty when it is."""
    async with channel(target, settings) as connection:
        stub = health_pb2_grpc.HealthStub(connection)
        try:
            answer = await stub.Check(  # type: ignore[attr-defined]  # the stub's stubs leave its methods out
                health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            return f"{target}: {error.code().name}: {error.details()}"
    status = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
    return "" if answer.status == health_pb2.HealthCheckResponse.SERVING else f"{target}: {status}"


def target_of(arguments: list[str]) -> str:
    """The address to ask. InvalidSetting when none is given, or it is none."""
    if len(arguments) == 1:
        parse_address(arguments[0], "the argument")
        return arguments[0]
    port_file = os.environ.get("PYLOTO_PORT_FILE", "")
    if arguments or not port_file:
        raise InvalidSetting(_USAGE)
    try:
        port = Path(port_file).read_text(encoding="ascii").strip()
    except OSError as error:
        raise InvalidSetting(f"PYLOTO_PORT_FILE: nothing serves yet ({port_file!r}: {error.strerror})") from error
    return f"localhost:{port}"


async def main() -> None:
    """Ask once and end with the exit code."""
    problem = await problem_of(target_of(sys.argv[1:]), load(Settings))
    if problem:
        print(problem, file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    process.run(main)
