"""FsmService: protobuf in, protobuf out; bad input is named here."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import grpc

from common.errors import InvalidInput, NotFound
from common.masking import mask_text
from common.serving import deadline_of
from common.taxonomy import MessageKind, Source
from common.turn import (
    MAX_TEXT,
    determination_to_proto,
    exchanges_to_proto,
    limit,
    member,
    provenance_to_proto,
    require,
    state_number,
    vertente_number,
)
from fsm_service.complete_turn import Completion, complete_turn
from fsm_service.determine_state import Arrival, DetermineState
from fsm_service.resolve_escalation import resolve_escalation
from fsm_service.session import Transition
from fsm_service.store import SessionStore
from protos.fsm.v1 import fsm_pb2, fsm_pb2_grpc


class FsmServicer(fsm_pb2_grpc.FsmServiceServicer):
    """One state machine per conversation."""

    def __init__(self, determine_state: DetermineState, store: SessionStore) -> None:
        self._determine_state = determine_state
        self._store = store

    async def DetermineState(  # noqa: N802 - the RPC's name
        self, request: fsm_pb2.DetermineStateRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> fsm_pb2.DetermineStateResponse:
        """Where the turn goes."""
        turn_id = require(request.turn_id, "turn_id", at_most=128)
        if request.message_count < 1:
            raise InvalidInput("message_count", f"expected at least 1, got {request.message_count}")
        arrival = Arrival(
            turn_id=turn_id,
            conversation_id=require(request.conversation_id, "conversation_id"),
            channel=require(request.channel, "channel", at_most=32),
            text=limit(request.text, "text", at_most=MAX_TEXT),
            option_id=limit(request.option_id, "option_id", at_most=256),
            message_count=request.message_count,
            unreadable=request.unreadable,
            without_model=request.without_model,
            attachment=limit(request.attachment, "attachment", at_most=512),
        )
        determined = await self._determine_state.determine(arrival, deadline_of(context))
        return fsm_pb2.DetermineStateResponse(
            session_id=determined.session_id,
            state=state_number(determined.state),
            resting_state=state_number(determined.result.resting_state),
            determination=determination_to_proto(determined.result.determination),
            recent=exchanges_to_proto(determined.recent),
            provenance=provenance_to_proto(determined.result.provenance),
            repeated_call=determined.repeated,
            previous_state=state_number(determined.result.previous_state),
            said=determined.result.customer_text,
        )

    async def CompleteTurn(  # noqa: N802 - the RPC's name
        self, request: fsm_pb2.CompleteTurnRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> fsm_pb2.CompleteTurnResponse:
        """The end of the turn."""
        completion = Completion(
            turn_id=require(request.turn_id, "turn_id", at_most=128),
            conversation_id=require(request.conversation_id, "conversation_id"),
            reply_text=limit(request.reply_text, "reply_text", at_most=MAX_TEXT),
            reply_id=limit(request.reply_id, "reply_id", at_most=128),
            kind=member(MessageKind, request.kind, "kind") if request.kind else None,
            response_ms=request.response_ms,
            msgtype_ms=request.msgtype_ms,
            response_source=member(Source, request.response_source, "response_source") if request.response_source else None,
            msgtype_source=member(Source, request.msgtype_source, "msgtype_source") if request.msgtype_source else None,
            option_ids=tuple(request.option_ids[:16]),
        )
        state, repeated = await complete_turn(completion, self._store)
        return fsm_pb2.CompleteTurnResponse(state=state_number(state), repeated_call=repeated)

    async def GetConversation(  # noqa: N802 - the RPC's name
        self, request: fsm_pb2.GetConversationRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> fsm_pb2.GetConversationResponse:
        """The newest session with its whole history."""
        session = await self._store.newest(require(request.conversation_id, "conversation_id"))
        if session is None:
            raise NotFound("conversation_id: there is no such conversation")
        return fsm_pb2.GetConversationResponse(
            session_id=session.session_id,
            sequence=session.sequence,
            state=state_number(session.state),
            vertente=vertente_number(session.vertente),
            outcome=session.outcome,
            history=[_transition(move) for move in await self._store.full_history(session)],
            recent=exchanges_to_proto(session.recent),
            version=session.version,
            illegal_proposals=session.illegal_proposals,
            opened_at_ms=session.opened_at_ms,
            updated_at_ms=session.updated_at_ms,
        )

    async def ResolveEscalation(  # noqa: N802 - the RPC's name
        self, request: fsm_pb2.ResolveEscalationRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> fsm_pb2.ResolveEscalationResponse:
        """A person's decision."""
        if request.resolution not in {fsm_pb2.RESOLUTION_CLOSE, fsm_pb2.RESOLUTION_HAND_BACK}:
            raise InvalidInput("resolution", f"expected RESOLUTION_CLOSE or RESOLUTION_HAND_BACK, got {request.resolution}")
        session = await resolve_escalation(
            require(request.conversation_id, "conversation_id"),
            hand_back=request.resolution == fsm_pb2.RESOLUTION_HAND_BACK,
            attendant_id=_attendant(request.attendant_id),
            note=limit(request.note, "note", at_most=1_024),
            store=self._store,
        )
        return fsm_pb2.ResolveEscalationResponse(session_id=session.session_id, state=state_number(session.state))


def _attendant(attendant_id: str) -> str:
    require(attendant_id, "attendant_id", at_most=128)
    if mask_text(attendant_id) != attendant_id:
        raise InvalidInput("attendant_id", "expected an internal code; an e-mail address, CPF or telephone number would stay")
    return attendant_id


def _transition(move: Transition) -> fsm_pb2.Transition:
    return fsm_pb2.Transition(
        from_state=state_number(move.from_state),
        to_state=state_number(move.to_state),
        trigger=move.trigger,
        confidence=move.confidence,
        metadata=move.metadata,
        turn_id=move.turn_id,
        at_ms=move.at_ms,
    )
