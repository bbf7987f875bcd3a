"""One turn as plain values, and its protobuf form: what the FSM service decides and the two later tasks build on."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TypeVar, cast

from google.protobuf.descriptor import EnumDescriptor

from common.errors import InvalidInput
from common.taxonomy import Action, Category, MessageKind, Source, State, Vertente
from protos.conversation.v1 import conversation_pb2 as pb

E = TypeVar("E", bound=StrEnum)

MAX_TEXT = 16_384
MAX_ID = 255
"""What AMQP takes as a routing key or a message id, in bytes."""
RECENT_EXCHANGES = 6

_DESCRIPTORS: dict[type[StrEnum], tuple[EnumDescriptor, str]] = {
    State: (pb.State.DESCRIPTOR, "STATE_"),
    Vertente: (pb.Vertente.DESCRIPTOR, "VERTENTE_"),
    Category: (pb.Category.DESCRIPTOR, "CATEGORY_"),
    Action: (pb.Action.DESCRIPTOR, "ACTION_"),
    Source: (pb.Source.DESCRIPTOR, "SOURCE_"),
    MessageKind: (pb.MessageKind.DESCRIPTOR, "MESSAGE_KIND_"),
}
_BY_NUMBER: dict[type[StrEnum], dict[int, StrEnum]] = {
    kind: {descriptor.values_by_name[prefix + member.value].number: member for member in kind}
    for kind, (descriptor, prefix) in _DESCRIPTORS.items()
}


def state_number(value: State) -> pb.State.ValueType:
    """The protobuf form of a state."""
    return pb.State.Value(f"STATE_{value}")


def vertente_number(value: Vertente) -> pb.Vertente.ValueType:
    """The protobuf form of a business line."""
    return pb.Vertente.Value(f"VERTENTE_{value}")


def category_number(value: Category) -> pb.Category.ValueType:
    """The protobuf form of a category."""
    return pb.Category.Value(f"CATEGORY_{value}")


def action_number(value: Action) -> pb.Action.ValueType:
    """The protobuf form of an action."""
    return pb.Action.Value(f"ACTION_{value}")


def source_number(value: Source) -> pb.Source.ValueType:
    """The protobuf form of a source."""
    return pb.Source.Value(f"SOURCE_{value}")


def kind_number(value: MessageKind) -> pb.MessageKind.ValueType:
    """The protobuf form of a message kind."""
    return pb.MessageKind.Value(f"MESSAGE_KIND_{value}")


def member(kind: type[E], value: int, field: str) -> E:
    """The member with that protobuf number; InvalidInput names the field when it is unset or unknown."""
    found = _BY_NUMBER[kind].get(value)
    if not isinstance(found, kind):
        raise InvalidInput(field, f"expected one of {', '.join(kind)}, got number {value}")
    return found


def require(value: str, field: str, *, at_most: int = MAX_ID) -> str:
    """The value, or InvalidInput when it is empty or longer than `at_most` characters."""
    if not value:
        raise InvalidInput(field, "is required")
    return limit(value, field, at_most=at_most)


def limit(value: str, field: str, *, at_most: int) -> str:
    """The value, or InvalidInput when it is longer than `at_most` characters."""
    if len(value) > at_most:
        raise InvalidInput(field, f"expected at most {at_most} characters, got {len(value)}")
    return value


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the customer wrote and what was said to it."""

    customer_text: str
    reply_text: str


@dataclass(frozen=True, slots=True)
class Determination:
    """What the FSM service found out; fields as in protos/conversation/v1/conversation.proto."""

    action: Action
    vertente: Vertente
    category: Category
    intent: str
    confidence: float
    reasoning: str
    language: str = "pt"
    escalation_reason: str = ""
    injection: bool = False
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn, as the response and the message-type service see it."""

    turn_id: str
    conversation_id: str
    channel: str
    customer_text: str
    determination: Determination
    recent: tuple[Exchange, ...]
    first_attempt: bool = False
    without_model: bool = False


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a result came to be; stored with it."""

    source: Source
    context_version: str
    prompt_version: str = ""
    model: str = ""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    latency_ms: int = 0
    fallback_reason: str = ""
    llm_calls: int = 0


def determination_to_proto(value: Determination) -> pb.Determination:
    """The protobuf form."""
    return pb.Determination(
        action=action_number(value.action),
        vertente=vertente_number(value.vertente),
        category=category_number(value.category),
        intent=value.intent,
        confidence=value.confidence,
        reasoning=value.reasoning,
        language=value.language,
        escalation_reason=value.escalation_reason,
        injection=value.injection,
        phrase=value.phrase,
    )


def determination_from_proto(message: pb.Determination, field: str) -> Determination:
    """The plain form; InvalidInput names what is wrong under `field`."""
    return Determination(
        action=member(Action, message.action, f"{field}.action"),
        vertente=member(Vertente, message.vertente, f"{field}.vertente"),
        category=member(Category, message.category, f"{field}.category"),
        intent=limit(message.intent, f"{field}.intent", at_most=128),
        confidence=message.confidence,
        reasoning=limit(message.reasoning, f"{field}.reasoning", at_most=2_048),
        language=message.language or "pt",
        escalation_reason=message.escalation_reason,
        injection=message.injection,
        phrase=message.phrase,
    )


def exchanges_to_proto(values: tuple[Exchange, ...]) -> list[pb.Exchange]:
    """The protobuf form."""
    return [pb.Exchange(customer_text=value.customer_text, reply_text=value.reply_text) for value in values]


def turn_to_proto(value: Turn) -> pb.Turn:
    """The protobuf form."""
    return pb.Turn(
        turn_id=value.turn_id,
        conversation_id=value.conversation_id,
        channel=value.channel,
        customer_text=value.customer_text,
        determination=determination_to_proto(value.determination),
        recent=exchanges_to_proto(value.recent),
        first_attempt=value.first_attempt,
        without_model=value.without_model,
    )


def turn_from_proto(message: pb.Turn, field: str) -> Turn:
    """The plain form; InvalidInput names what is wrong under `field`."""
    turn_id = require(message.turn_id, f"{field}.turn_id", at_most=128)
    if not message.HasField("determination"):
        raise InvalidInput(f"{field}.determination", "is required")
    return Turn(
        turn_id=turn_id,
        conversation_id=require(message.conversation_id, f"{field}.conversation_id"),
        channel=require(message.channel, f"{field}.channel", at_most=32),
        customer_text=limit(message.customer_text, f"{field}.customer_text", at_most=MAX_TEXT),
        determination=determination_from_proto(message.determination, f"{field}.determination"),
        recent=tuple(Exchange(exchange.customer_text, exchange.reply_text) for exchange in message.recent[-RECENT_EXCHANGES:]),
        first_attempt=message.first_attempt,
        without_model=message.without_model,
    )


def provenance_to_proto(value: Provenance) -> pb.Provenance:
    """The protobuf form."""
    return pb.Provenance(
        source=source_number(value.source),
        model=value.model,
        prompt_version=value.prompt_version,
        context_version=value.context_version,
        input_tokens=value.input_tokens,
        cached_tokens=value.cached_tokens,
        output_tokens=value.output_tokens,
        latency_ms=value.latency_ms,
        fallback_reason=value.fallback_reason,
        llm_calls=value.llm_calls,
    )


def provenance_to_document(value: Provenance) -> dict[str, object]:
    """The form in which the stores keep it. (`dataclasses.asdict` copies deeply, at many times the cost.)"""
    return {name: getattr(value, name) for name in _PROVENANCE_FIELDS}


def provenance_from_document(document: object) -> Provenance:
    """What `provenance_to_document` wrote; by an older or a newer version too, whose other fields are left out."""
    kept = cast("Mapping[str, object]", document)
    plain = {name: kept[name] for name in _PROVENANCE_FIELDS if name in kept}
    return Provenance(
        **{**plain, "source": Source(cast("str", kept["source"]))}  # type: ignore[arg-type]  # written from the same fields
    )


_PROVENANCE_FIELDS = tuple(field.name for field in fields(Provenance))
