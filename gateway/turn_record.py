"""A turn as the gateway keeps it: which messages it answers, and the reply once there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.ids import derived_id
from gateway.inbound import Inbound
from protos.conversation.v1 import messages_pb2 as pb


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One document. Its key is the first message's, so that two replicas cannot open the same turn twice."""

    key: str
    turn_id: str
    conversation_id: str
    channel: str
    sender_id: str
    sender_name: str
    message_keys: tuple[str, ...]
    message_ids: tuple[str, ...]
    text: str
    option_id: str
    attachment: str
    content_type: str
    published_at_ms: int
    opened_at_ms: int
    answer: "SavedAnswer | None" = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """What the last door stopped, with one finding; kept for review."""

    text: str
    violation: str
    rule: str
    reason: str
    context_version: str


@dataclass(frozen=True, slots=True)
class SavedAnswer:
    """What the turn came to, saved before anything of it leaves: a repetition sends the same again.

    `outbound` is None when the bot stays silent; `escalation` when no person is involved.
    """

    outbound: pb.OutboundMessage | None
    escalation: pb.Escalation | None
    events: tuple[pb.Event, ...]
    completion: bytes
    """The serialized CompleteTurnRequest."""
    blocked: tuple[Blocked, ...] = ()


def open_turn(messages: Sequence[Inbound], content_type: str, now_ms: int) -> TurnRecord:
    """The turn that answers these messages of one conversation, oldest first, together."""
    first = messages[0]
    texts = [message.text.strip() for message in messages]
    return TurnRecord(
        key=first.key,
        turn_id=derived_id("turn", first.conversation_id, first.key),
        conversation_id=first.conversation_id,
        channel=first.channel,
        sender_id=first.sender_id,
        sender_name=first.sender_name,
        message_keys=tuple(message.key for message in messages),
        message_ids=tuple(message.message_id for message in messages),
        text="\n".join(text for text in texts if text),
        option_id=next((message.option_id for message in reversed(messages) if message.option_id), ""),
        attachment=" ".join(message.attachment for message in messages if message.attachment),
        content_type=content_type,
        published_at_ms=min((message.published_at_ms for message in messages if message.published_at_ms), default=0),
        opened_at_ms=now_ms,
    )
