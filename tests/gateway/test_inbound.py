"""What arrives on the wire becomes one valid message, or an error that names the field."""

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.turn import MAX_TEXT
from gateway.inbound import JSON, MAX_BODY_BYTES, PROTOBUF, Inbound, decode, lag_s
from protos.conversation.v1 import messages_pb2 as pb

CHANNELS = frozenset({"whatsapp", "console"})


def body(**changed: object) -> bytes:
    """A valid JSON body with some fields changed; None leaves a field out."""
    fields: dict[str, object] = {
        "message_id": "wamid.1",
        "conversation_id": "whatsapp:5511987654321",
        "channel": "whatsapp",
        "sender_id": "5511987654321",
        "text": "oi",
    }
    return orjson.dumps({name: value for name, value in {**fields, **changed}.items() if value is not None})


def read(raw: bytes, content_type: str = JSON) -> Inbound:
    """The message."""
    return decode(raw, content_type, CHANNELS)


def refusal(raw: bytes, content_type: str = JSON) -> InvalidInput:
    """The error for a message that must be refused."""
    with pytest.raises(InvalidInput) as refused:
        read(raw, content_type)
    return refused.value


def outcome(raw: bytes, content_type: str) -> str:
    """The message's key, or the field that is wrong."""
    try:
        return read(raw, content_type).key
    except InvalidInput as error:
        return error.field


def test_a_valid_message_is_read() -> None:
    """With the key by which its duplicates are known."""
    message = read(body())

    assert (message.text, message.channel, message.attachment) == ("oi", "whatsapp", "")
    assert message.key == "whatsapp:wamid.1"


@pytest.mark.parametrize("content_type", [JSON, "", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_however_it_is_announced(content_type: str) -> None:
    """Parameters, case, or nothing at all."""
    assert read(body(), content_type).text == "oi"


def test_binary_protobuf_is_told_by_its_content_type() -> None:
    """The same message in either encoding is the same."""
    message = pb.InboundMessage(
        message_id="wamid.1",
        conversation_id="whatsapp:5511987654321",
        channel="whatsapp",
        sender_id="5511987654321",
        text="oi",
    )

    assert read(message.SerializeToString(), PROTOBUF) == read(body())


def test_fields_that_we_do_not_know_are_passed_over() -> None:
    """A newer adapter may say more."""
    assert read(body(mood="good")).text == "oi"


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"\xff\xfe\x00", JSON),
        (b"{", JSON),
        (b"", JSON),
        (b"[]", JSON),
        (b'"oi"', JSON),
        (b'{"text": "\\ud800"}', JSON),
        (b"\xff\xff\xff", PROTOBUF),
        (body(), PROTOBUF),
    ],
)
def test_an_undecodable_body_is_named_as_such(raw: bytes, content_type: str) -> None:
    """Whatever is broken about it."""
    assert refusal(raw, content_type).field == "body"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "image/png"])
def test_an_unknown_content_type_is_named(content_type: str) -> None:
    """And the two known ones are said."""
    error = refusal(body(), content_type)

    assert error.field == "content_type"
    assert JSON in error.problem
    assert PROTOBUF in error.problem


@pytest.mark.parametrize("field", ["message_id", "conversation_id", "channel", "sender_id"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_field_is_named(field: str, value: str | None) -> None:
    """Left out or empty."""
    error = refusal(body(**{field: value}))

    assert (error.field, error.problem) == (field, "is required")


@pytest.mark.parametrize("field", ["message_id", "conversation_id", "sender_id", "sender_name", "option_id"])
def test_a_field_that_is_too_long_is_named(field: str) -> None:
    """With the limit and what came."""
    error = refusal(body(**{field: "x" * 256}))

    assert (error.field, error.problem) == (field, "expected at most 255 characters, got 256")


@pytest.mark.parametrize("field", ["message_id", "text", "kind", "published_at_ms", "sender_name"])
@pytest.mark.parametrize("value", [{"a": 1}, [1], 1.5])
def test_a_field_of_another_type_is_named(field: str, value: object) -> None:
    """Where JSON allows anything, the contract does not."""
    assert refusal(body(**{field: value})).field == field


def test_an_enum_value_that_does_not_exist_is_named() -> None:
    """By name in JSON, and by number in either encoding."""
    by_number = pb.InboundMessage(
        message_id="1",
        conversation_id="c",
        channel="console",
        sender_id="s",
        kind=99,  # type: ignore[arg-type]  # that is the point
    )

    assert refusal(body(kind="INBOUND_KIND_SMELL")).field == "kind"
    assert refusal(body(kind=99)).field == "kind"
    assert refusal(by_number.SerializeToString(), PROTOBUF).field == "kind"


@pytest.mark.parametrize("channel", ["WhatsApp", "whats app", "whatsapp#", "telegram", "x" * 33])
def test_a_channel_that_may_not_send_is_named(channel: str) -> None:
    """Its reply would have nowhere to go."""
    assert refusal(body(channel=channel)).field == "channel"


def test_a_tap_without_its_option_is_named() -> None:
    """There is nothing else in it that could be answered."""
    assert refusal(body(kind="INBOUND_KIND_OPTION")).field == "option_id"


def test_a_megabyte_of_text_is_refused_by_its_size() -> None:
    """Before anything is parsed."""
    error = refusal(body(text="x" * 1_000_000))

    assert error.field == "body"
    assert str(MAX_BODY_BYTES) in error.problem


def test_a_text_over_the_limit_is_named() -> None:
    """One that still fits the body."""
    assert refusal(body(text="x" * (MAX_TEXT + 1))).field == "text"
    assert len(read(body(text="x" * MAX_TEXT)).text) == MAX_TEXT


@pytest.mark.parametrize("text", ["", "😀😀😀", "👩‍👩‍👧‍👦", "   "])
def test_a_text_without_words_is_a_message_like_any_other(text: str) -> None:
    """It gets an answer, not an error."""
    assert read(body(text=text)).text == text


@pytest.mark.parametrize(
    ("kind", "mime_type", "told"),
    [
        ("INBOUND_KIND_MEDIA", "audio/ogg; codecs=opus", "[áudio]"),
        ("INBOUND_KIND_MEDIA", "image/jpeg", "[foto]"),
        ("INBOUND_KIND_MEDIA", "Video/mp4", "[vídeo]"),
        ("INBOUND_KIND_MEDIA", "application/pdf", "[arquivo]"),
        ("INBOUND_KIND_MEDIA", "", "[arquivo]"),
        ("INBOUND_KIND_LOCATION", "", "[localização]"),
        ("INBOUND_KIND_OTHER", "", "[mensagem sem texto]"),
    ],
)
def test_what_cannot_be_read_as_text_is_told_in_words(kind: str, mime_type: str, told: str) -> None:
    """The caption, if any, is kept."""
    message = read(body(kind=kind, mime_type=mime_type, text="veja"))

    assert message.attachment == told
    assert message.text == "veja"


@given(raw=st.binary(max_size=200), content_type=st.sampled_from([JSON, PROTOBUF, "", "text/plain"]))
def test_any_bytes_are_a_message_or_an_error_that_names_a_field(raw: bytes, content_type: str) -> None:
    """Nothing that arrives can raise anything else."""
    assert outcome(raw, content_type)


@given(
    data=st.dictionaries(
        st.sampled_from(["message_id", "conversation_id", "channel", "sender_id", "kind", "text", "published_at_ms", "extra"]),
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=10) | st.lists(st.integers(), max_size=2),
    )
)
def test_any_json_object_is_a_message_or_an_error_that_names_a_field(data: dict[str, object]) -> None:
    """Types, ranges and nulls included."""
    try:
        raw = orjson.dumps(data)
    except (TypeError, ValueError):
        raw = repr(data).encode(errors="replace")
    assert outcome(raw, JSON)


@pytest.mark.parametrize("value", [1_764_000_000, -5, 1_764_000_000_000_000, "2026-11-26T10:00:00Z", 1.5])
def test_a_time_that_is_no_unix_milliseconds_is_named(value: object) -> None:
    """Seconds, microseconds, a date: the reason says what was expected."""
    error = refusal(body(published_at_ms=value))

    assert error.field == "published_at_ms"
    assert error.problem.startswith("expected a whole number of Unix milliseconds (13 digits)")


def test_the_lag_counts_from_publication() -> None:
    """The customer has been waiting since then."""
    now_ms = int(time.time() * 1000)

    assert 1.9 < lag_s(read(body(published_at_ms=now_ms - 2_000))) < 10


@pytest.mark.parametrize("published_at_ms", [0, 9 * 10**13])
def test_a_lag_that_cannot_be_known_is_none(published_at_ms: int) -> None:
    """No time, or one in the future."""
    assert lag_s(read(body(published_at_ms=published_at_ms))) == 0.0
