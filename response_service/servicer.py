"""ResponseService: protobuf in, protobuf out; bad input is named here."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import grpc

from common.errors import InvalidInput
from common.serving import deadline_of
from common.taxonomy import Action
from common.turn import provenance_to_proto, turn_from_proto
from protos.response.v1 import response_pb2, response_pb2_grpc
from response_service.generate_response import GenerateResponse


class ResponseServicer(response_pb2_grpc.ResponseServiceServicer):
    """Writes the reply's text."""

    def __init__(self, generate_response: GenerateResponse) -> None:
        self._generate_response = generate_response

    async def GenerateResponse(  # noqa: N802 - the RPC's name
        self, request: response_pb2.GenerateResponseRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> response_pb2.GenerateResponseResponse:
        """What to say."""
        turn = turn_from_proto(request.turn, "turn")
        if turn.determination.action is Action.STAY_SILENT:
            raise InvalidInput("turn.determination.action", "expected something to be said, got STAY_SILENT")
        generated = await self._generate_response.generate(turn, deadline_of(context))
        return response_pb2.GenerateResponseResponse(
            text=generated.reply.text,
            provenance=provenance_to_proto(generated.reply.provenance),
            blocked=[
                response_pb2.Blocked(violation=item.violation, rule=item.rule, reason=item.reason)
                for item in generated.reply.blocked
            ],
            repeated_call=generated.repeated,
        )
