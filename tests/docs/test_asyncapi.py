"""docs/asyncapi.yaml says what the broker is told and what the protobuf messages hold."""

import json
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from common.errors import InvalidInput
from common.turn import MAX_ID, MAX_TEXT
from gateway import dead_letters
from gateway.inbound import JSON, PROTOBUF, decode
from gateway.settings import GatewaySettings
from gateway.topology import Topology
from protos.conversation.v1 import messages_pb2 as pb

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
CHANNELS: dict[str, dict[str, Any]] = DOCUMENT["channels"]
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
RABBITMQ_4 = (4, 0, 0)

BY_NAME: dict[str, type[Message]] = {
    "InboundMessage": pb.InboundMessage,
    "OutboundMessage": pb.OutboundMessage,
    "Escalation": pb.Escalation,
    "Event": pb.Event,
}
SIMPLE = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "boolean",
    FieldDescriptor.TYPE_DOUBLE: "number",
    FieldDescriptor.TYPE_INT32: "integer",
}


def described(kind: str) -> dict[str, dict[str, Any]]:
    """The exchanges or queues of the document, by name; partitions one by one."""
    found = {}
    for channel in CHANNELS.values():
        part = channel["x-rabbitmq"].get(kind)
        if part is None:
            continue
        numbers = channel.get("parameters", {}).get("partition", {}).get("enum", [""])
        for number in numbers:
            name = part["name"].replace("{partition}", number)
            found[name] = {**part, "name": name}
    return found


def messages_within(descriptor: Descriptor) -> dict[str, Descriptor]:
    """The message and those inside it, by name."""
    found = {descriptor.name: descriptor}
    for field in descriptor.fields:
        if field.message_type is not None:
            found |= messages_within(field.message_type)
    return found


def enums_within(descriptor: Descriptor) -> dict[str, EnumDescriptor]:
    """The enums that the message uses, by name."""
    return {
        field.enum_type.name: field.enum_type
        for message in messages_within(descriptor).values()
        for field in message.fields
        if field.enum_type is not None
    }


def without_words(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema's type alone."""
    return {key: value for key, value in schema.items() if key in ("type", "items", "$ref", "format")}


def expected(field: FieldDescriptor, message: str) -> dict[str, Any]:
    """What proto3 JSON makes of a field: 64-bit integers are written as strings, and read as numbers too."""
    if field.is_repeated:
        return {"type": "array", "items": one(field, message)}
    return one(field, message)


def one(field: FieldDescriptor, message: str) -> dict[str, Any]:
    """What proto3 JSON makes of one value."""
    named = field.message_type or field.enum_type
    if named is not None:
        return {"$ref": f"#/components/schemas/{named.name}"}
    if field.type == FieldDescriptor.TYPE_INT64:
        return {"type": ["integer", "string"] if message == "InboundMessage" else "string", "format": "int64"}
    simple = {"type": SIMPLE[field.type]}
    return simple | {"format": "int32"} if field.type == FieldDescriptor.TYPE_INT32 else simple


TOP = [cast("Descriptor", each.DESCRIPTOR) for each in BY_NAME.values()]
ALL_MESSAGES = {name: found for each in TOP for name, found in messages_within(each).items()}
ALL_ENUMS = {name: found for each in TOP for name, found in enums_within(each).items()}


def test_the_exchanges_are_those_that_are_declared() -> None:
    """Names and types."""
    declared = {each.name: {"name": each.name, "type": each.kind, "durable": True} for each in Topology().exchanges()}

    assert described("exchange") == declared


def test_the_queues_are_those_that_are_declared() -> None:
    """Names, bindings and every argument, as a RabbitMQ 4 gets them."""
    declared = {
        each.name: {
            "name": each.name,
            "durable": True,
            "binding": {"exchange": each.exchange, "key": each.binding},
            "arguments": each.arguments(RABBITMQ_4),
        }
        for each in Topology().queues()
    }

    assert described("queue") == declared


@pytest.mark.parametrize("name", CHANNELS)
def test_the_standard_binding_says_the_same(name: str) -> None:
    """For tools that read AsyncAPI and not our extension."""
    channel = CHANNELS[name]
    ours, theirs = channel["x-rabbitmq"], channel["bindings"]["amqp"]

    if theirs["is"] == "queue":
        assert theirs["queue"]["name"] == ours["queue"]["name"] == channel["address"]
    else:
        assert theirs["exchange"]["name"] == ours["exchange"]["name"]
        assert theirs["exchange"].get("type", "x-consistent-hash") == ours["exchange"]["type"]


@pytest.mark.parametrize("name", ALL_MESSAGES)
def test_every_field_of_a_message_is_in_its_schema(name: str) -> None:
    """With the type that proto3 JSON gives it, explained, and none besides."""
    properties = SCHEMAS[name]["properties"]

    assert {key: without_words(schema) for key, schema in properties.items()} == {
        field.name: expected(field, name) for field in ALL_MESSAGES[name].fields
    }
    assert all("$ref" in schema or schema["description"] for schema in properties.values())


@pytest.mark.parametrize("name", ALL_ENUMS)
def test_every_value_of_an_enum_is_in_its_schema(name: str) -> None:
    """In the order of their numbers."""
    assert SCHEMAS[name]["enum"] == [value.name for value in ALL_ENUMS[name].values]


@pytest.mark.parametrize("name", [name for name, message in MESSAGES.items() if name in BY_NAME and "examples" in message])
def test_the_examples_are_valid(name: str) -> None:
    """By the schema, and by protobuf's own reading of JSON."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}

    for example in MESSAGES[name]["examples"]:
        jsonschema.Draft7Validator(schema).validate(example["payload"])
        json_format.ParseDict(example["payload"], BY_NAME[name]())


@pytest.mark.parametrize("example", MESSAGES["InboundMessage"]["examples"], ids=lambda each: each["name"])
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_the_gateway_takes_the_inbound_examples(example: dict[str, Any], content_type: str) -> None:
    """In both encodings."""
    message = json_format.ParseDict(example["payload"], pb.InboundMessage())
    body = json.dumps(example["payload"]).encode() if content_type == JSON else message.SerializeToString()

    inbound = decode(body, content_type, GatewaySettings().channels)

    assert (inbound.message_id, inbound.text) == (message.message_id, message.text)


@pytest.mark.parametrize("field", SCHEMAS["InboundMessage"]["required"])
def test_the_gateway_refuses_a_message_without_what_is_required(field: str) -> None:
    """And names the field."""
    payload = {**MESSAGES["InboundMessage"]["examples"][0]["payload"]}
    del payload[field]

    with pytest.raises(InvalidInput, match=f"^{field}: "):
        decode(json.dumps(payload).encode(), JSON, GatewaySettings().channels)


def test_the_limits_are_the_ones_that_are_enforced() -> None:
    """Characters of ids and texts."""
    limits = {
        name: schema["maxLength"] for name, schema in SCHEMAS["InboundMessage"]["properties"].items() if "maxLength" in schema
    }

    assert limits.pop("text") == MAX_TEXT
    assert set(limits.values()) == {MAX_ID}


def test_the_headers_of_dead_letters_are_the_ones_that_are_written() -> None:
    """All four of them."""
    assert set(SCHEMAS["DeadLetterHeaders"]["required"]) == {
        dead_letters.REASON_HEADER,
        dead_letters.DEAD_AT_HEADER,
        dead_letters.PARTITION_HEADER,
        dead_letters.DELIVERY_COUNT_HEADER,
    }


def test_the_example_of_a_dead_letter_is_one() -> None:
    """The reason is what the gateway says of that body."""
    [example] = MESSAGES["DeadLetter"]["examples"]

    with pytest.raises(InvalidInput) as refused:
        decode(example["payload"].encode(), JSON, GatewaySettings().channels)
    assert str(refused.value) == example["headers"]["x-pyloto-reason"]
