"""MsgtypeService: protobuf in, protobuf out; bad input is named here."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import grpc

from common.institution import Media
from common.serving import deadline_of
from common.turn import kind_number, provenance_to_proto, turn_from_proto
from msgtype_service.select_message_type import SelectMessageType
from protos.conversation.v1 import messages_pb2
from protos.msgtype.v1 import msgtype_pb2, msgtype_pb2_grpc


class MsgtypeServicer(msgtype_pb2_grpc.MsgtypeServiceServicer):
    """Chooses the reply's form."""

    def __init__(self, select_message_type: SelectMessageType) -> None:
        self._select_message_type = select_message_type

    async def SelectMessageType(  # noqa: N802 - the RPC's name
        self, request: msgtype_pb2.SelectMessageTypeRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> msgtype_pb2.SelectMessageTypeResponse:
        """In which form."""
        selected = await self._select_message_type.select(turn_from_proto(request.turn, "turn"), deadline_of(context))
        form = selected.stored.form
        return msgtype_pb2.SelectMessageTypeResponse(
            kind=kind_number(form.kind),
            options=[
                messages_pb2.ReplyOption(id=option.id, title=option.title, description=option.description)
                for option in form.options
            ],
            button_label=form.button_label,
            media=_media(form.media) if form.media else None,
            menu_id=form.menu_id,
            provenance=provenance_to_proto(selected.stored.provenance),
            repeated_call=selected.repeated,
        )


def _media(media: Media) -> messages_pb2.ReplyMedia:
    return messages_pb2.ReplyMedia(
        id=media.id,
        url=media.url,
        mime_type=media.mime_type,
        title=media.title,
        latitude=media.latitude,
        longitude=media.longitude,
    )
