"""The FSM service as the commands ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from common.clients import Caller, channel
from common.deadline import Deadline
from common.errors import Unavailable
from common.settings import Settings, load
from protos.conversation.v1 import conversation_pb2
from protos.fsm.v1 import fsm_pb2, fsm_pb2_grpc

CALL_S = 5.0


class FsmClient:
    """Conversations as the FSM service keeps them; errors are those of `common.errors`."""

    def __init__(self, target: str, opened: grpc.aio.Channel, settings: Settings) -> None:
        self._target = target
        self._stub = fsm_pb2_grpc.FsmServiceStub(opened)
        self._caller = Caller(settings)

    async def conversation(self, conversation_id: str) -> fsm_pb2.GetConversationResponse:
        """The newest session with its history; NotFound when there is none."""
        request = fsm_pb2.GetConversationRequest(conversation_id=conversation_id)
        try:
            return await self._caller.call(
                self._stub.GetConversation, request, deadline=Deadline.after(CALL_S), name="GetConversation"
            )
        except Unavailable as error:
            raise self._unreachable(error) from error

    async def resolve(self, request: fsm_pb2.ResolveEscalationRequest) -> fsm_pb2.ResolveEscalationResponse:
        """End a hand-off; IllegalTransition when no person has the conversation."""
        try:
            return await self._caller.call(
                self._stub.ResolveEscalation, request, deadline=Deadline.after(CALL_S), name="ResolveEscalation"
            )
        except Unavailable as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: Unavailable) -> Unavailable:
        hint = "--fsm; `pyloto up` shows the address; with TLS, set the GRPC_TLS_… that the services have"
        return Unavailable(f"no FSM service answers at {self._target} ({hint}): {error}")


@asynccontextmanager
async def open_fsm(target: str) -> AsyncIterator[FsmClient]:
    """A client of the FSM service at host:port; TLS and token as the settings say."""
    settings = load(Settings)
    async with channel(target, settings) as opened:
        yield FsmClient(target, opened, settings)


def state_name(number: conversation_pb2.State.ValueType) -> str:
    """The state's name, such as AWAITING_USER."""
    return conversation_pb2.State.Name(number).removeprefix("STATE_")


def vertente_name(number: conversation_pb2.Vertente.ValueType) -> str:
    """The business line's name."""
    return conversation_pb2.Vertente.Name(number).removeprefix("VERTENTE_")
