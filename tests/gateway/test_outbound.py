"""What leaves: the reply in both encodings, the hand-off for a person, and events without personal data."""

from dataclasses import replace

import orjson
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from common.taxonomy import Action, Category, MessageKind, Source, State, Vertente
from common.turn import Determination, Exchange
from gateway import outbound
from gateway.compose import Asset, Choice, Composed
from gateway.inbound import JSON, PROTOBUF
from gateway.outbound import Happening
from gateway.services import Determined
from gateway.topology import Topology
from gateway.turn_record import TurnRecord
from protos.conversation.v1 import messages_pb2 as pb

TOPOLOGY = Topology()
TURN = TurnRecord(
    key="whatsapp:wamid.1",
    turn_id="turn-abc",
    conversation_id="whatsapp:5511987654321",
    channel="whatsapp",
    sender_id="5511987654321",
    sender_name="Ana Maria",
    message_keys=("whatsapp:wamid.1", "whatsapp:wamid.2"),
    message_ids=("wamid.1", "wamid.2"),
    text="meu cpf é 123.456.789-09\nquero falar com alguém",
    option_id="",
    attachment="",
    content_type=JSON,
    published_at_ms=1,
    opened_at_ms=2,
)
FOUND = Determination(
    action=Action.HAND_OFF,
    vertente=Vertente.ENTREGA,
    category=Category.COMERCIAL,
    intent="PRECO",
    confidence=0.9,
    reasoning="x",
    escalation_reason="commercial",
)
WORDS = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    composed=st.builds(
        Composed,
        kind=st.sampled_from(MessageKind),
        text=WORDS,
        further_texts=st.lists(WORDS, max_size=2).map(tuple),
        choices=st.lists(st.builds(Choice, id=WORDS, title=WORDS, description=WORDS), max_size=3).map(tuple),
        button_label=WORDS,
        asset=st.none() | st.builds(Asset, id=WORDS, url=WORDS, latitude=st.floats(-90, 90)),
        degraded=WORDS,
    ),
    state=st.sampled_from(State),
    fallback=st.booleans(),
)
def test_json_and_protobuf_say_the_same(composed: Composed, state: State, fallback: bool) -> None:
    """An adapter may read either and gets every field."""
    message = outbound.outbound_message(TURN, composed, state, fallback=fallback, now_ms=5)

    as_json = outbound.reply_publication(message, JSON, TOPOLOGY)
    as_binary = outbound.reply_publication(message, PROTOBUF, TOPOLOGY)

    assert json_format.Parse(as_json.body, pb.OutboundMessage()) == message
    assert pb.OutboundMessage.FromString(as_binary.body) == message
    assert (as_json.content_type, as_binary.content_type) == (JSON, PROTOBUF)


def test_json_has_the_names_of_the_proto_and_every_field() -> None:
    """A reader need not know what an absent field means."""
    message = outbound.outbound_message(TURN, Composed(MessageKind.TEXT, "olá"), State.AWAITING_USER, fallback=False, now_ms=5)

    data = orjson.loads(outbound.to_json(message))

    assert data["kind"] == "MESSAGE_KIND_TEXT"
    assert data["in_reply_to"] == ["wamid.1", "wamid.2"]
    assert data["fallback"] is False
    assert data["text"] == "olá"


def test_the_reply_id_depends_on_the_turn_alone() -> None:
    """A repetition is known by it, whatever was composed."""
    one = outbound.outbound_message(TURN, Composed(MessageKind.TEXT, "a"), State.COMPLETED, fallback=True, now_ms=1)
    other = outbound.outbound_message(TURN, Composed(MessageKind.TEXT, "b"), State.SPAM, fallback=False, now_ms=2)
    another = outbound.outbound_message(
        replace(TURN, turn_id="turn-x"), Composed(MessageKind.TEXT, "a"), State.COMPLETED, fallback=True, now_ms=1
    )

    assert one.reply_id == other.reply_id
    assert one.reply_id != another.reply_id


def test_a_reply_goes_to_its_channel_and_says_whose_it_is() -> None:
    """The adapter routes and dedupes without opening the body."""
    message = outbound.outbound_message(TURN, Composed(MessageKind.TEXT, "a"), State.COMPLETED, fallback=True, now_ms=1)

    publication = outbound.reply_publication(message, JSON, TOPOLOGY)

    assert (publication.exchange, publication.routing_key) == ("pyloto.outbound", "whatsapp")
    assert publication.message_id == message.reply_id
    assert publication.headers["x-turn-id"] == "turn-abc"
    assert publication.mandatory


def test_a_hand_off_tells_why_about_what_and_what_was_said() -> None:
    """So that the person does not ask again."""
    recent = (Exchange("vocês entregam na zona sul?", "Sim."),)

    determined = Determined(
        "session-1", State.INIT, State.ESCALATING, FOUND, recent, Source.MODEL, f"[áudio] {TURN.text}", repeated=False
    )

    message = outbound.escalation(TURN, determined, "Uma pessoa continua.", 9)
    publication = outbound.escalation_publication(message, TOPOLOGY)

    assert message.reason == "commercial"
    assert message.summary == (
        "Motivo: pedido comercial. Assunto: ENTREGA, COMERCIAL, PRECO. "
        "O cliente disse: vocês entregam na zona sul? | [áudio] meu cpf é 123.456.789-09 / quero falar com alguém"
    )
    assert message.recent[-1].reply_text == "Uma pessoa continua."
    assert message.message_ids == list(TURN.message_ids)
    assert (publication.exchange, publication.routing_key) == ("pyloto.escalations", "entrega.commercial")


def test_an_event_holds_no_personal_data() -> None:
    """Neither words, nor names, nor the telephone number that the conversation id holds."""
    happening = Happening("turn_answered", FOUND, State.INIT, State.ESCALATING, fallback=True, message_count=2)

    body = outbound.event_publication(outbound.event(TURN, happening, "key", 5), TOPOLOGY).body.decode()

    for personal in ("5511987654321", "Ana", "123.456.789-09", "quero falar", "wamid"):
        assert personal not in body


def test_a_message_that_is_replayed_after_a_month_has_an_event_like_any_other() -> None:
    """Its latency is the largest that the field can hold."""
    month_ms = 31 * 24 * 3_600_000
    happening = Happening("turn_answered", FOUND, State.INIT, State.INIT, fallback=False, message_count=1, latency_ms=month_ms)

    assert outbound.event(TURN, happening, "key", 5).latency_ms == 2**31 - 1


def test_nobody_need_listen_to_events() -> None:
    """An event without a queue is no failure."""
    happening = Happening("guard_blocked", FOUND, State.INIT, State.ESCALATING, fallback=True, message_count=2, reason="PRICE")

    publication = outbound.event_publication(outbound.event(TURN, happening, "key", 5), TOPOLOGY)

    assert not publication.mandatory
    assert publication.routing_key == "guard.blocked"
