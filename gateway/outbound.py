"""What leaves the gateway, as protobuf and as publications; pure."""

from dataclasses import dataclass
from hashlib import sha256

from google.protobuf import json_format
from google.protobuf.message import Message

from common.ids import derived_id, pseudonym
from common.observability import outgoing_trace
from common.taxonomy import State
from common.turn import Determination, Exchange, category_number, exchanges_to_proto, kind_number, state_number, vertente_number
from gateway.broker import Delivery, Publication
from gateway.compose import Composed
from gateway.inbound import JSON, PROTOBUF
from gateway.services import Determined
from gateway.topology import Topology
from gateway.turn_record import TurnRecord
from protos.conversation.v1 import conversation_pb2
from protos.conversation.v1 import messages_pb2 as pb

DEAD_LETTERED = "dead_lettered"
_MOST_MS = 2**31 - 1
"""The largest latency that an event can say: what is replayed may be a month old."""


def outbound_message(turn: TurnRecord, composed: Composed, state: State, *, fallback: bool, now_ms: int) -> pb.OutboundMessage:
    """The reply; its id depends on the turn alone."""
    asset = composed.asset
    return pb.OutboundMessage(
        reply_id=derived_id("reply", turn.turn_id),
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        channel=turn.channel,
        recipient_id=turn.sender_id,
        in_reply_to=turn.message_ids,
        kind=kind_number(composed.kind),
        text=composed.text,
        further_texts=composed.further_texts,
        options=[
            pb.ReplyOption(id=choice.id, title=choice.title, description=choice.description) for choice in composed.choices
        ],
        button_label=composed.button_label,
        media=pb.ReplyMedia(
            id=asset.id,
            url=asset.url,
            mime_type=asset.mime_type,
            title=asset.title,
            latitude=asset.latitude,
            longitude=asset.longitude,
        )
        if asset
        else None,
        state=state_number(state),
        fallback=fallback,
        composed_at_ms=now_ms,
        degraded=composed.degraded,
    )


def escalation(turn: TurnRecord, determined: Determined, reply: str, now_ms: int) -> pb.Escalation:
    """The hand-off; what was collected goes along so that the person does not ask again."""
    found = determined.determination
    exchanges = (*determined.recent, Exchange(determined.said, reply))
    return pb.Escalation(
        escalation_id=derived_id("escalation", turn.turn_id),
        turn_id=turn.turn_id,
        conversation_id=turn.conversation_id,
        session_id=determined.session_id,
        channel=turn.channel,
        sender_id=turn.sender_id,
        sender_name=turn.sender_name,
        reason=found.escalation_reason,
        vertente=vertente_number(found.vertente),
        category=category_number(found.category),
        intent=found.intent,
        summary=summary(found, exchanges),
        recent=exchanges_to_proto(exchanges),
        created_at_ms=now_ms,
        message_ids=turn.message_ids,
    )


REASONS = {
    "commercial": "pedido comercial",
    "negotiation": "negociação",
    "incident": "ocorrência",
    "legal": "dúvida jurídica",
    "human_request": "pediu uma pessoa",
    "anger": "cliente aborrecido",
    "unclear": "não foi possível entender",
    "forwarded": "nova mensagem com a conversa já com uma pessoa",
}
"""Why a person takes over, as attendants and product people read it."""


def summary(found: Determination, exchanges: tuple[Exchange, ...]) -> str:
    """One paragraph in Portuguese for the attendant: why, about what, and what the customer has said so far."""
    said = " | ".join(exchange.customer_text.replace("\n", " / ") for exchange in exchanges if exchange.customer_text)
    reason = REASONS.get(found.escalation_reason, found.escalation_reason)
    about = f"{found.vertente}, {found.category}{f', {found.intent}' if found.intent else ''}"
    return f"Motivo: {reason}. Assunto: {about}. O cliente disse: {said}"


@dataclass(frozen=True, slots=True)
class Happening:
    """What an event says besides the turn it belongs to."""

    type: str
    determination: Determination
    from_state: State
    to_state: State
    fallback: bool
    message_count: int
    latency_ms: int = 0
    composed: Composed | None = None
    reason: str = ""


def event(turn: TurnRecord, happening: Happening, pseudonym_key: str, now_ms: int) -> pb.Event:
    """The event; no personal data is in it, and no text."""
    found = happening.determination
    return pb.Event(
        event_id=derived_id("event", turn.turn_id, happening.type, happening.reason),
        type=happening.type,
        turn_id=turn.turn_id,
        conversation_key=pseudonym(pseudonym_key, turn.conversation_id),
        channel=turn.channel,
        from_state=state_number(happening.from_state),
        to_state=state_number(happening.to_state),
        vertente=vertente_number(found.vertente),
        category=category_number(found.category),
        intent=found.intent,
        confidence=found.confidence,
        kind=kind_number(happening.composed.kind) if happening.composed else pb.OutboundMessage().kind,
        fallback=happening.fallback,
        latency_ms=min(happening.latency_ms, _MOST_MS),
        reason=happening.reason,
        created_at_ms=now_ms,
        message_count=happening.message_count,
    )


def dead_letter_event(delivery: Delivery, field: str, pseudonym_key: str, now_ms: int) -> pb.Event:
    """The event of a message that was set aside; it may be unreadable, so that only its envelope says what it was."""
    return pb.Event(
        event_id=derived_id("event", DEAD_LETTERED, delivery.message_id, sha256(delivery.body).hexdigest()),
        type=DEAD_LETTERED,
        conversation_key=pseudonym(pseudonym_key, delivery.routing_key),
        reason=field,
        created_at_ms=now_ms,
        message_count=1,
    )


def reply_publication(message: pb.OutboundMessage, content_type: str, topology: Topology) -> Publication:
    """The reply on its way to the channel's adapter, in the encoding that the adapter wrote in."""
    binary = content_type.startswith(PROTOBUF)
    return Publication(
        exchange=topology.outbound,
        routing_key=message.channel,
        body=message.SerializeToString() if binary else to_json(message),
        content_type=PROTOBUF if binary else JSON,
        message_id=message.reply_id,
        headers={"x-conversation-id": message.conversation_id, "x-turn-id": message.turn_id, **outgoing_trace()},
    )


def escalation_publication(message: pb.Escalation, topology: Topology) -> Publication:
    """The hand-off on its way to the people's desk."""
    line = conversation_pb2.Vertente.Name(message.vertente).removeprefix("VERTENTE_").lower()
    return Publication(
        exchange=topology.escalations,
        routing_key=f"{line}.{message.reason}",
        body=to_json(message),
        content_type=JSON,
        message_id=message.escalation_id,
        headers={"x-conversation-id": message.conversation_id, "x-turn-id": message.turn_id, **outgoing_trace()},
    )


def event_publication(message: pb.Event, topology: Topology) -> Publication:
    """The event on its way to whoever listens; nobody need."""
    return Publication(
        exchange=topology.events,
        routing_key=message.type.replace("_", "."),
        body=to_json(message),
        content_type=JSON,
        message_id=message.event_id,
        headers={"x-turn-id": message.turn_id},
        mandatory=False,
    )


def to_json(message: Message) -> bytes:
    """Proto3 JSON with the field names of the .proto and every field present."""
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None, ensure_ascii=False
    )
    return text.encode()
