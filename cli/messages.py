"""JSON lines as people and scripts write them → inbound messages; what is wrong is named by field."""

import uuid

import orjson
from google.protobuf import json_format

from common.errors import InvalidInput
from gateway.inbound import JSON, decode
from protos.conversation.v1 import messages_pb2 as pb

SHORT_FIELDS = frozenset({"conversation", "text", "channel", "id", "option", "sender"})
"""The short form: conversation and text; the rest is made up when it is left out."""


def parse_line(line: str | bytes, channels: frozenset[str]) -> pb.InboundMessage:
    """One message; InvalidInput names the field. The gateway would refuse exactly what is refused here."""
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("line", f"expected one JSON object: {error}") from None
    if not isinstance(data, dict):
        raise InvalidInput("line", f"expected one JSON object, got {type(data).__name__}")
    if data.keys().isdisjoint({"conversation_id", "message_id"}):
        data = _from_short_form(data)
    decode(orjson.dumps(data), JSON, channels)
    return json_format.ParseDict(data, pb.InboundMessage(), ignore_unknown_fields=True)


def new_message_id() -> str:
    """An id that nobody else uses."""
    return f"cli-{uuid.uuid4().hex}"


def _from_short_form(data: dict[str, object]) -> dict[str, object]:
    if unknown := sorted(data.keys() - SHORT_FIELDS):
        known = ", ".join(sorted(SHORT_FIELDS))
        raise InvalidInput(unknown[0], f"is not a field of the short form ({known}); or write a whole InboundMessage")
    if "conversation" not in data:
        raise InvalidInput("conversation", "is required (in a whole InboundMessage: conversation_id)")
    option = data.get("option", "")
    return {
        "message_id": data.get("id") or new_message_id(),
        "conversation_id": data["conversation"],
        "channel": data.get("channel", "console"),
        "sender_id": data.get("sender") or data["conversation"],
        "text": data.get("text", ""),
        "option_id": option,
        "kind": "INBOUND_KIND_OPTION" if option else "INBOUND_KIND_TEXT",
    }
