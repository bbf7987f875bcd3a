"""From a body on the wire to one valid inbound message, pure; what is wrong is named by field."""

import re
import time
from dataclasses import dataclass

import orjson
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from common.errors import InvalidInput
from common.turn import MAX_ID, MAX_TEXT, limit, require
from protos.conversation.v1 import messages_pb2 as pb

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
MAX_BODY_BYTES = 256 * 1024
_MAX_SKEW_MS = 60_000
_MILLISECONDS = range(10**12, 10**14)
"""Unix milliseconds from 2001 on; seconds, microseconds and nanoseconds of our time are outside."""
_MAX_REASON = 300
"""Protobuf quotes the wrong value, which may be the whole text; the reason travels in a header."""

_EXPECTED = {
    "body": "values of the schema's types",
    "kind": f"one of {', '.join(pb.InboundKind.keys())}",
    "published_at_ms": "a whole number of Unix milliseconds (13 digits)",
}
"""Of the fields in JSON; all others are strings."""
_CHANNEL = re.compile(r"[a-z0-9-]{1,32}")
_FIELD_IN_JSON_ERROR = re.compile(r"(?:Failed to parse |field: |named \")([\w.]+)")


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message of a customer; fields as in `InboundMessage`."""

    message_id: str
    conversation_id: str
    channel: str
    sender_id: str
    sender_name: str
    text: str
    option_id: str
    attachment: str
    """What came that is no text, in words for people: "[áudio]"; empty for text and taps."""
    published_at_ms: int

    @property
    def key(self) -> str:
        """The key by which duplicates are known: unique per channel."""
        return f"{self.channel}:{self.message_id}"


def decode(body: bytes, content_type: str, channels: frozenset[str]) -> Inbound:
    """The message; InvalidInput names the field and what was expected."""
    if len(body) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"expected at most {MAX_BODY_BYTES} bytes, got {len(body)}")
    message = _parse(body, content_type.partition(";")[0].strip().lower())
    channel = require(message.channel, "channel", at_most=32)
    if not _CHANNEL.fullmatch(channel):
        raise InvalidInput("channel", f"expected lower-case letters, digits and dashes, got {channel!r}")
    if channel not in channels:
        raise InvalidInput("channel", f"expected one of {', '.join(sorted(channels))} (GATEWAY_CHANNELS), got {channel!r}")
    if message.published_at_ms and message.published_at_ms not in _MILLISECONDS:
        # Not the number itself: masked as it is in every list and log, it would say nothing.
        got = "a negative one" if message.published_at_ms < 0 else f"{len(str(message.published_at_ms))} digits"
        raise InvalidInput("published_at_ms", f"expected {_EXPECTED['published_at_ms']}, got {got}")
    _require_kind(message.kind)
    if message.kind == pb.INBOUND_KIND_OPTION and not message.option_id:
        raise InvalidInput("option_id", "is required for kind INBOUND_KIND_OPTION")
    return Inbound(
        message_id=require(message.message_id, "message_id"),
        conversation_id=require(message.conversation_id, "conversation_id"),
        channel=channel,
        sender_id=require(message.sender_id, "sender_id"),
        sender_name=limit(message.sender_name, "sender_name", at_most=MAX_ID),
        text=limit(message.text, "text", at_most=MAX_TEXT),
        option_id=limit(message.option_id, "option_id", at_most=MAX_ID),
        attachment=_attachment(message),
        published_at_ms=message.published_at_ms,
    )


_MEDIA = {"image": "[foto]", "audio": "[áudio]", "video": "[vídeo]"}


def _attachment(message: pb.InboundMessage) -> str:
    if message.kind == pb.INBOUND_KIND_MEDIA:
        return _MEDIA.get(message.mime_type.partition("/")[0].lower(), "[arquivo]")
    return {pb.INBOUND_KIND_LOCATION: "[localização]", pb.INBOUND_KIND_OTHER: "[mensagem sem texto]"}.get(message.kind, "")


def lag_s(message: Inbound) -> float:
    """Seconds since it was published; 0 when that is unknown or the adapter's clock cannot be right."""
    lag_ms = time.time() * 1000 - message.published_at_ms
    return lag_ms / 1000 if message.published_at_ms and lag_ms > -_MAX_SKEW_MS and lag_ms > 0 else 0.0


def _parse(body: bytes, content_type: str) -> pb.InboundMessage:
    if content_type == PROTOBUF:
        try:
            return pb.InboundMessage.FromString(body)
        except DecodeError:
            raise InvalidInput("body", "expected a binary protos.conversation.v1.InboundMessage") from None
    if content_type not in {JSON, ""}:
        raise InvalidInput("content_type", f"expected {JSON} or {PROTOBUF}, got {content_type!r}")
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput("body", f"expected JSON in UTF-8: {error}") from None
    if not isinstance(data, dict):
        raise InvalidInput("body", f"expected a JSON object, got {type(data).__name__}")
    _require_kind(data.get("kind"))
    try:
        return json_format.ParseDict(data, pb.InboundMessage(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        named = _FIELD_IN_JSON_ERROR.search(str(error))
        field = named.group(1) if named else "body"
        raise InvalidInput(field, f"expected {_EXPECTED.get(field, 'a string')}: {error}"[:_MAX_REASON]) from None


_KINDS = (*pb.InboundKind.keys(), None)


def _require_kind(value: object) -> None:
    """A name or number of InboundKind, or nothing. (Protobuf's own JSON reader passes over a name that it does not know.)"""
    if value not in _KINDS and not (type(value) is int and value in pb.InboundKind.values()):
        raise InvalidInput("kind", f"expected one of {', '.join(pb.InboundKind.keys())}, got {str(value)[:40]!r}")
