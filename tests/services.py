"""The real services in this process: gRPC on a free port, the real store, and the simulator where a model is wanted."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from common import mongo
from common.clients import Caller, channel
from common.context import ContextClient
from common.deadline import Deadline
from common.model import Model, OpenAIModel
from common.model_settings import ModelSettings
from common.model_task import Task
from common.mongo import Database
from common.serving import Server
from common.settings import Settings, StoreSettings
from common.turn import Turn, turn_to_proto
from context_service.current_context import CurrentContext
from context_service.parse import DOCUMENTS
from context_service.servicer import ContextServicer
from context_service.store import ContextStore
from fsm_service.__main__ import rules
from fsm_service.determine_state import DetermineState
from fsm_service.prompt import PROMPT_VERSION as FSM_PROMPT
from fsm_service.prompt import Proposal
from fsm_service.servicer import FsmServicer
from fsm_service.settings import FsmSettings
from fsm_service.store import SessionStore
from msgtype_service.prompt import PROMPT_VERSION as MSGTYPE_PROMPT
from msgtype_service.prompt import FormProposal
from msgtype_service.select_message_type import SelectMessageType
from msgtype_service.servicer import MsgtypeServicer
from msgtype_service.store import FormStore
from protos.context.v1 import context_pb2_grpc
from protos.fsm.v1 import fsm_pb2, fsm_pb2_grpc
from protos.msgtype.v1 import msgtype_pb2, msgtype_pb2_grpc
from protos.response.v1 import response_pb2, response_pb2_grpc
from response_service.generate_response import GenerateResponse
from response_service.prompt import PROMPT_VERSION as RESPONSE_PROMPT
from response_service.prompt import Judgement, Reply
from response_service.servicer import ResponseServicer
from response_service.store import ReplyStore
from simulator.server import Simulator
from tests.institution import shipped
from tests.store import store_values

LOCAL = "127.0.0.1:0"
MODEL = "gpt-4o-mini"


class Clock:
    """Real time, and as much more as the test wants to have passed."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._ahead_ms += int(seconds * 1000)

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return int(time.time() * 1000) + self._ahead_ms


@asynccontextmanager
async def context_service(settings: StoreSettings) -> AsyncIterator[str]:
    """Serves the shipped documents; yields its address."""
    async with mongo.connect(settings, "context") as database:
        store = ContextStore(database)
        current = CurrentContext(lambda _: shipped(), DOCUMENTS, store)
        await current.load_first()
        server = Server(settings, ["protos.context.v1.ContextService"])
        context_pb2_grpc.add_ContextServiceServicer_to_server(ContextServicer(current, store), server.grpc)
        port = await server.start(LOCAL)
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(0)


@asynccontextmanager
async def context_of(settings: StoreSettings) -> AsyncIterator[ContextClient]:
    """A client that has the shipped documents."""
    async with (
        context_service(settings) as target,
        channel(target, settings) as to_context,
        ContextClient(to_context, settings) as context,
    ):
        await context.current(Deadline.after(5))
        yield context


@asynccontextmanager
async def model_of(simulator: Simulator | None, **values: float) -> AsyncIterator[Model | None]:
    """The real client on a simulator; None without one."""
    if simulator is None:
        yield None
        return
    settings = ModelSettings.model_validate({"llm_base_url": await simulator.start(), "llm_api_key": "sk-test"} | values)
    model = OpenAIModel(settings)
    try:
        yield model
    finally:
        await model.close()
        await simulator.stop()


@dataclass
class Fsm:
    """The FSM service as its callers see it."""

    stub: "fsm_pb2_grpc.FsmServiceAsyncStub"
    caller: Caller
    clock: Clock
    store: SessionStore
    target: str
    turns: int = field(default=0)

    async def determine(
        self,
        text: str = "",
        *,
        conversation: str = "ana",
        turn_id: str = "",
        option_id: str = "",
        messages: int = 1,
        attachment: str = "",
        within_s: float = 5.0,
    ) -> fsm_pb2.DetermineStateResponse:
        """One DetermineState; a new turn id unless one is given."""
        self.turns += 1
        request = fsm_pb2.DetermineStateRequest(
            turn_id=turn_id or f"turn-{self.turns}",
            conversation_id=conversation,
            channel="console",
            text=text,
            option_id=option_id,
            message_count=messages,
            unreadable=bool(attachment),
            attachment=attachment,
        )
        return await self.caller.call(
            self.stub.DetermineState, request, deadline=Deadline.after(within_s), name="DetermineState"
        )

    async def complete(
        self, turn_id: str, reply: str = "resposta", *, conversation: str = "ana", option_ids: tuple[str, ...] = ()
    ) -> fsm_pb2.CompleteTurnResponse:
        """One CompleteTurn."""
        request = fsm_pb2.CompleteTurnRequest(
            turn_id=turn_id, conversation_id=conversation, reply_text=reply, reply_id=f"reply-{turn_id}", option_ids=option_ids
        )
        return await self.caller.call(self.stub.CompleteTurn, request, deadline=Deadline.after(5), name="CompleteTurn")

    async def turn(
        self,
        text: str = "",
        *,
        option_id: str = "",
        messages: int = 1,
        attachment: str = "",
        option_ids: tuple[str, ...] = (),
    ) -> fsm_pb2.DetermineStateResponse:
        """A whole turn of the conversation `ana`; the decision."""
        determined = await self.determine(text, option_id=option_id, messages=messages, attachment=attachment)
        await self.complete(f"turn-{self.turns}", option_ids=option_ids)
        return determined

    async def conversation(self, conversation: str = "ana") -> fsm_pb2.GetConversationResponse:
        """The newest session."""
        request = fsm_pb2.GetConversationRequest(conversation_id=conversation)
        return await self.caller.call(self.stub.GetConversation, request, deadline=Deadline.after(5), name="GetConversation")

    async def resolve(self, resolution: fsm_pb2.Resolution.ValueType) -> fsm_pb2.ResolveEscalationResponse:
        """A person's decision about the conversation `ana`."""
        request = fsm_pb2.ResolveEscalationRequest(
            conversation_id="ana", resolution=resolution, attendant_id="bia", note="resolvido"
        )
        return await self.caller.call(
            self.stub.ResolveEscalation, request, deadline=Deadline.after(5), name="ResolveEscalation"
        )


@asynccontextmanager
async def fsm_service(
    simulator: Simulator | None = None, open_store: Callable[[Database], SessionStore] = SessionStore, **values: object
) -> AsyncIterator[Fsm]:
    """The FSM service on a store of its own; values as in FsmSettings."""
    settings = FsmSettings.model_validate(store_values() | values)
    clock = Clock()
    async with AsyncExitStack() as stack:
        # The documents come from a store that is there, also when the test takes the service's own away.
        context = await stack.enter_async_context(context_of(_same_access(settings)))
        database = await stack.enter_async_context(mongo.connect(settings, "fsm"))
        model = await stack.enter_async_context(model_of(simulator))
        store = open_store(database)
        task = Task("fsm", Proposal, MODEL, FSM_PROMPT, max_output_tokens=400)
        determine_state = DetermineState(store, context, model, task, rules(settings), clock.now_ms)
        server = Server(settings, ["protos.fsm.v1.FsmService"])
        fsm_pb2_grpc.add_FsmServiceServicer_to_server(FsmServicer(determine_state, store), server.grpc)
        target = f"127.0.0.1:{await server.start(LOCAL)}"
        stack.push_async_callback(server.stop, 0)
        to_fsm = await stack.enter_async_context(channel(target, settings))
        yield Fsm(fsm_pb2_grpc.FsmServiceStub(to_fsm), Caller(settings), clock, store, target)


@dataclass
class Response:
    """The response service as its callers see it."""

    stub: "response_pb2_grpc.ResponseServiceAsyncStub"
    caller: Caller
    store: ReplyStore
    drain: Callable[[], Awaitable[None]]
    target: str

    async def generate(self, turn: Turn, *, within_s: float = 5.0) -> response_pb2.GenerateResponseResponse:
        """One GenerateResponse."""
        request = response_pb2.GenerateResponseRequest(turn=turn_to_proto(turn))
        return await self.caller.call(
            self.stub.GenerateResponse, request, deadline=Deadline.after(within_s), name="GenerateResponse"
        )


@asynccontextmanager
async def response_service(simulator: Simulator | None = None, **values: object) -> AsyncIterator[Response]:
    """The response service on a store of its own."""
    settings = StoreSettings.model_validate(store_values() | values)
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(context_of(_same_access(settings)))
        database = await stack.enter_async_context(mongo.connect(settings, "response"))
        model = await stack.enter_async_context(model_of(simulator))
        store = ReplyStore(database)
        task = Task("response", Reply, MODEL, RESPONSE_PROMPT, max_output_tokens=700)
        judge = Task("judge", Judgement, MODEL, RESPONSE_PROMPT, max_output_tokens=200)
        generate = GenerateResponse(store, context, model, task, judge, reserve_s=0.12)
        server = Server(settings, ["protos.response.v1.ResponseService"])
        response_pb2_grpc.add_ResponseServiceServicer_to_server(ResponseServicer(generate), server.grpc)
        target = f"127.0.0.1:{await server.start(LOCAL)}"
        stack.push_async_callback(generate.drain)
        stack.push_async_callback(server.stop, 0)
        to_service = await stack.enter_async_context(channel(target, settings))
        yield Response(response_pb2_grpc.ResponseServiceStub(to_service), Caller(settings), store, generate.drain, target)


@dataclass
class Msgtype:
    """The message-type service as its callers see it."""

    stub: "msgtype_pb2_grpc.MsgtypeServiceAsyncStub"
    caller: Caller
    target: str

    async def select(self, turn: Turn, *, within_s: float = 5.0) -> msgtype_pb2.SelectMessageTypeResponse:
        """One SelectMessageType."""
        request = msgtype_pb2.SelectMessageTypeRequest(turn=turn_to_proto(turn))
        return await self.caller.call(
            self.stub.SelectMessageType, request, deadline=Deadline.after(within_s), name="SelectMessageType"
        )


@asynccontextmanager
async def msgtype_service(simulator: Simulator | None = None, **values: object) -> AsyncIterator[Msgtype]:
    """The message-type service on a store of its own."""
    settings = StoreSettings.model_validate(store_values() | values)
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(context_of(_same_access(settings)))
        database = await stack.enter_async_context(mongo.connect(settings, "msgtype"))
        model = await stack.enter_async_context(model_of(simulator))
        task = Task("msgtype", FormProposal, MODEL, MSGTYPE_PROMPT, max_output_tokens=300)
        select = SelectMessageType(FormStore(database), context, model, task, reserve_s=0.12)
        server = Server(settings, ["protos.msgtype.v1.MsgtypeService"])
        msgtype_pb2_grpc.add_MsgtypeServiceServicer_to_server(MsgtypeServicer(select), server.grpc)
        target = f"127.0.0.1:{await server.start(LOCAL)}"
        stack.push_async_callback(server.stop, 0)
        to_service = await stack.enter_async_context(channel(target, settings))
        yield Msgtype(msgtype_pb2_grpc.MsgtypeServiceStub(to_service), Caller(settings), target)


def _same_access(settings: Settings) -> StoreSettings:
    """Settings with the same token, for a part beside it, on a store that is there."""
    return StoreSettings.model_validate(store_values() | {"grpc_auth_token": settings.grpc_auth_token})
