"""The three services as the gateway calls them: plain values in, plain values out, each call with its deadline."""

import asyncio
from dataclasses import dataclass

import grpc

from common.clients import Caller
from common.deadline import Deadline
from common.taxonomy import MessageKind, Source, State
from common.turn import Determination, Exchange, Turn, determination_from_proto, member, turn_to_proto
from gateway.compose import Asset, Choice, Form
from gateway.turn_record import TurnRecord
from protos.fsm.v1 import fsm_pb2, fsm_pb2_grpc
from protos.msgtype.v1 import msgtype_pb2, msgtype_pb2_grpc
from protos.response.v1 import response_pb2, response_pb2_grpc

AGAIN_AFTER_S = 0.25
"""When a call that asks no model and usually takes milliseconds is made again beside the first: its replica may hang."""
_CALLS_AT_MOST = 4


@dataclass(frozen=True, slots=True)
class Determined:
    """Where the turn goes."""

    session_id: str
    previous_state: State
    resting_state: State
    determination: Determination
    recent: tuple[Exchange, ...]
    source: Source
    said: str
    """The turn in words: the text, the title of the option that was chosen, what came beside it."""
    repeated: bool


@dataclass(frozen=True, slots=True)
class Worded:
    """What to say."""

    text: str
    source: Source
    latency_ms: int
    blocked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formed:
    """In which form."""

    form: Form
    source: Source
    latency_ms: int


class Services:
    """Stubs of the FSM, the response and the message-type service."""

    def __init__(self, fsm: grpc.aio.Channel, response: grpc.aio.Channel, msgtype: grpc.aio.Channel, caller: Caller) -> None:
        self._fsm = fsm_pb2_grpc.FsmServiceStub(fsm)
        self._response = response_pb2_grpc.ResponseServiceStub(response)
        self._msgtype = msgtype_pb2_grpc.MsgtypeServiceStub(msgtype)
        self._caller = caller

    async def determine_state(self, turn: TurnRecord, deadline: Deadline, *, without_model: bool) -> Determined:
        """Where does the conversation go?"""
        request = fsm_pb2.DetermineStateRequest(
            turn_id=turn.turn_id,
            conversation_id=turn.conversation_id,
            channel=turn.channel,
            text=turn.text,
            option_id=turn.option_id,
            message_count=len(turn.message_keys),
            unreadable=bool(turn.attachment),
            without_model=without_model,
            attachment=turn.attachment,
        )
        response = await self._caller.call(self._fsm.DetermineState, request, deadline=deadline, name="DetermineState")
        return Determined(
            session_id=response.session_id,
            previous_state=member(State, response.previous_state, "previous_state"),
            resting_state=member(State, response.resting_state, "resting_state"),
            determination=determination_from_proto(response.determination, "determination"),
            recent=tuple(Exchange(item.customer_text, item.reply_text) for item in response.recent),
            source=member(Source, response.provenance.source, "provenance.source"),
            said=response.said or turn.text,  # during a roll-out the FSM service may be of the version before
            repeated=response.repeated_call,
        )

    async def generate_response(self, turn: Turn, deadline: Deadline) -> Worded:
        """What do we say?"""
        request = response_pb2.GenerateResponseRequest(turn=turn_to_proto(turn))
        response = await self._caller.call(self._response.GenerateResponse, request, deadline=deadline, name="GenerateResponse")
        return Worded(
            text=response.text,
            source=member(Source, response.provenance.source, "provenance.source"),
            latency_ms=response.provenance.latency_ms,
            blocked=tuple(item.violation for item in response.blocked),
        )

    async def select_message_type(self, turn: Turn, deadline: Deadline) -> Formed:
        """In which form?"""
        request = msgtype_pb2.SelectMessageTypeRequest(turn=turn_to_proto(turn))
        response = await self._caller.call(
            self._msgtype.SelectMessageType, request, deadline=deadline, name="SelectMessageType"
        )
        media = response.media
        form = Form(
            kind=member(MessageKind, response.kind, "kind"),
            choices=tuple(Choice(option.id, option.title, option.description) for option in response.options),
            button_label=response.button_label,
            asset=Asset(media.id, media.url, media.mime_type, media.title, media.latitude, media.longitude)
            if response.HasField("media")
            else None,
        )
        source = member(Source, response.provenance.source, "provenance.source")
        return Formed(form, source, response.provenance.latency_ms)

    async def complete_turn(self, completion: bytes, deadline: Deadline) -> None:
        """Record the end of the turn, from the request that was saved with the answer.

        The conversation's next message waits for this, and the call may be repeated as often as one likes: a replica that hangs
        with its connections open is not waited for until the pings find it out.
        """
        request = fsm_pb2.CompleteTurnRequest.FromString(completion)
        calls: set[asyncio.Task[fsm_pb2.CompleteTurnResponse]] = set()
        try:
            while True:
                name = "CompleteTurn"
                calls.add(asyncio.create_task(self._caller.call(self._fsm.CompleteTurn, request, deadline=deadline, name=name)))
                wait_s = AGAIN_AFTER_S if len(calls) < _CALLS_AT_MOST else None
                done, _ = await asyncio.wait(calls, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    await done.pop()
                    return
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
