"""Calls to another service: what a caller notices when a replica hangs."""

import asyncio
import time

from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.chaos.proxy import Proxy
from common.clients import Caller, channel
from common.deadline import Deadline
from common.serving import Server
from common.settings import Settings


async def test_a_replica_that_hangs_is_left_for_another_within_the_turns_time() -> None:
    """Given two replicas of which one holds its connection and answers no more, each call still ends well in time."""
    settings = Settings()
    hanging, alive = Server(settings, []), Server(settings, [])
    hanging_port, alive_port = await hanging.start("127.0.0.1:0"), await alive.start("127.0.0.1:0")
    async with Proxy(hanging_port) as proxy:
        calls = channel(f"ipv4:127.0.0.1:{proxy.port},127.0.0.1:{alive_port}", settings)
        stub, caller = health_pb2_grpc.HealthStub(calls), Caller(settings)
        await _both_connected(stub, caller)
        proxy.delay_s = 3600.0

        started_s = time.monotonic()
        deadline = Deadline.after(1.65)
        answers = await asyncio.gather(*(_check(stub, caller, deadline) for _ in range(4)))

        assert [answer.status for answer in answers] == [health_pb2.HealthCheckResponse.SERVING] * 4
        assert time.monotonic() - started_s < 1.5
        await calls.close()
    await asyncio.gather(hanging.stop(0.0), alive.stop(0.0))


async def _both_connected(stub: health_pb2_grpc.HealthStub, caller: Caller) -> None:
    for _ in range(10):
        await _check(stub, caller, Deadline.after(5.0))


async def _check(stub: health_pb2_grpc.HealthStub, caller: Caller, deadline: Deadline) -> health_pb2.HealthCheckResponse:
    check = stub.Check  # type: ignore[attr-defined]  # the stub's stubs leave its methods out
    request = health_pb2.HealthCheckRequest()
    answer: health_pb2.HealthCheckResponse = await caller.call(check, request, deadline=deadline, name="Check")
    return answer
