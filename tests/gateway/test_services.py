"""The services as the gateway calls them, over real gRPC."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
import pytest

from common.clients import Caller
from common.deadline import Deadline
from common.errors import NotFound
from common.settings import Settings
from gateway.services import AGAIN_AFTER_S, Services
from protos.fsm.v1 import fsm_pb2

Context = grpc.aio.ServicerContext[fsm_pb2.CompleteTurnRequest, fsm_pb2.CompleteTurnResponse]
COMPLETION = fsm_pb2.CompleteTurnRequest(turn_id="turn-1", conversation_id="ana").SerializeToString()


class Fsm:
    """Answers each call with what `answers` says for it: the first call with the first."""

    def __init__(self, *answers: Callable[[Context], Awaitable[None]]) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []

    async def complete_turn(self, request: fsm_pb2.CompleteTurnRequest, context: Context) -> fsm_pb2.CompleteTurnResponse:
        """The RPC."""
        self.calls.append(request.turn_id)
        await self.answers[len(self.calls) - 1](context)
        return fsm_pb2.CompleteTurnResponse()


async def hangs(_: Context) -> None:
    await asyncio.Event().wait()


async def answers(_: Context) -> None:
    """At once."""


async def knows_no_such_turn(context: Context) -> None:
    await context.abort(grpc.StatusCode.NOT_FOUND, "turn_id: there is no such turn")


@asynccontextmanager
async def services(fsm: Fsm) -> AsyncIterator[Services]:
    server = grpc.aio.server()
    handlers: dict[str, grpc.RpcMethodHandler[fsm_pb2.CompleteTurnRequest, fsm_pb2.CompleteTurnResponse]] = {
        "CompleteTurn": grpc.unary_unary_rpc_method_handler(
            fsm.complete_turn,
            request_deserializer=fsm_pb2.CompleteTurnRequest.FromString,
            response_serializer=fsm_pb2.CompleteTurnResponse.SerializeToString,
        )
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("protos.fsm.v1.FsmService", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Services(channel, channel, channel, Caller(Settings()))
    await server.stop(0)


async def test_a_replica_that_hangs_does_not_hold_the_answer_up() -> None:
    """Completing a turn is asked for again beside the first call."""
    fsm = Fsm(hangs, hangs, answers)
    async with services(fsm) as gateway:
        deadline = Deadline.after(5)
        await gateway.complete_turn(COMPLETION, deadline)

    assert fsm.calls == ["turn-1"] * 3
    assert 5 - deadline.remaining_s() < AGAIN_AFTER_S * 6


async def test_who_answers_at_once_is_asked_once() -> None:
    """The usual turn costs one call."""
    fsm = Fsm(answers)
    async with services(fsm) as gateway:
        await gateway.complete_turn(COMPLETION, Deadline.after(5))

    assert fsm.calls == ["turn-1"]


async def test_a_refusal_is_told() -> None:
    """It is not asked again for what the service has answered."""
    fsm = Fsm(knows_no_such_turn)
    async with services(fsm) as gateway:
        with pytest.raises(NotFound):
            await gateway.complete_turn(COMPLETION, Deadline.after(5))

    assert fsm.calls == ["turn-1"]
