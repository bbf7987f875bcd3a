"""JSON lines become inbound messages, or an error that names the field."""

import json

import pytest

from cli.messages import parse_line
from common.errors import InvalidInput
from protos.conversation.v1 import messages_pb2 as pb

CHANNELS = frozenset({"whatsapp", "console"})


def test_the_short_form_needs_conversation_and_text_only() -> None:
    """The rest is made up: a channel for terminals, a sender, an id of its own."""
    message = parse_line('{"conversation": "c1", "text": "oi"}', CHANNELS)

    assert (message.conversation_id, message.text, message.channel, message.sender_id) == ("c1", "oi", "console", "c1")
    assert message.message_id != parse_line('{"conversation": "c1", "text": "oi"}', CHANNELS).message_id


def test_the_short_form_can_tap_an_option() -> None:
    """`option` makes it a tap."""
    message = parse_line('{"conversation": "c1", "text": "CRM", "option": "crm"}', CHANNELS)

    assert (message.kind, message.option_id) == (pb.INBOUND_KIND_OPTION, "crm")


def test_a_whole_message_is_taken_as_it_is() -> None:
    """As the channel adapters write it."""
    whole = {
        "message_id": "m1",
        "conversation_id": "c1",
        "channel": "whatsapp",
        "sender_id": "s",
        "kind": 3,
        "published_at_ms": 1764000000007,
    }

    message = parse_line(json.dumps(whole), CHANNELS)

    assert (message.message_id, message.channel, message.kind, message.published_at_ms) == ("m1", "whatsapp", 3, 1764000000007)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("oi", "line"),
        ('["oi"]', "line"),
        ('{"conversation": "c1", "txt": "oi"}', "txt"),
        ('{"conversation": 7, "text": "oi"}', "conversation_id"),
        ('{"conversation": "c1", "text": "oi", "channel": "fax"}', "channel"),
        ('{"text": "oi"}', "conversation"),
        ('{"message_id": "m", "channel": "console", "sender_id": "s"}', "conversation_id"),
        ('{"conversation": "c1", "text": "' + "a" * 20_000 + '"}', "text"),
    ],
    ids=lambda value: value[:40],
)
def test_a_wrong_line_is_named_by_its_field(line: str, field: str) -> None:
    """What the gateway would set aside is refused before it is published."""
    with pytest.raises(InvalidInput) as refused:
        parse_line(line, CHANNELS)

    assert refused.value.field == field
