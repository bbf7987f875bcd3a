"""A turn is known by its first message, answers all of a burst, and comes back from the store as it was."""

import bson
from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound import Inbound
from gateway.store import answer_from_document, answer_to_document, turn_from_document, turn_to_document
from gateway.turn_record import Blocked, SavedAnswer, TurnRecord, open_turn
from protos.conversation.v1 import messages_pb2 as pb

WORDS = st.text(st.characters(codec="utf-8"), max_size=20)
COUNTS = st.integers(0, 2**53)
ANSWERS = st.builds(
    SavedAnswer,
    outbound=st.none() | st.builds(pb.OutboundMessage, reply_id=WORDS.filter(bool), text=WORDS),
    escalation=st.none() | st.builds(pb.Escalation, escalation_id=WORDS.filter(bool), summary=WORDS),
    events=st.lists(st.builds(pb.Event, event_id=WORDS, type=WORDS), max_size=3).map(tuple),
    completion=st.binary(max_size=30),
    blocked=st.lists(st.builds(Blocked, WORDS, WORDS, WORDS, WORDS, WORDS), max_size=2).map(tuple),
)
TURNS = st.builds(
    TurnRecord,
    key=WORDS,
    turn_id=WORDS,
    conversation_id=WORDS,
    channel=WORDS,
    sender_id=WORDS,
    sender_name=WORDS,
    message_keys=st.lists(WORDS, max_size=3).map(tuple),
    message_ids=st.lists(WORDS, max_size=3).map(tuple),
    text=WORDS,
    option_id=WORDS,
    attachment=WORDS,
    content_type=WORDS,
    published_at_ms=COUNTS,
    opened_at_ms=COUNTS,
)


def message(number: int, text: str = "", option_id: str = "", published_at_ms: int = 0, *, attachment: str = "") -> Inbound:
    """The message with that number of one conversation."""
    return Inbound(f"m{number}", "ana", "console", "1", "Ana", text, option_id, attachment, published_at_ms)


@given(turn=TURNS)
def test_a_turn_comes_back_from_its_document_unchanged(turn: TurnRecord) -> None:
    """Through MongoDB's own encoding."""
    assert turn_from_document(bson.decode(bson.encode(turn_to_document(turn)))) == turn


@given(answer=ANSWERS)
def test_an_answer_comes_back_from_its_document_unchanged(answer: SavedAnswer) -> None:
    """Through MongoDB's own encoding."""
    assert answer_from_document(bson.decode(bson.encode(answer_to_document("console:m1", answer)))) == answer


@given(turn=TURNS, answer=ANSWERS)
def test_what_the_version_before_wrote_is_read(turn: TurnRecord, answer: SavedAnswer) -> None:
    """A roll-out must not set messages aside."""
    old_turn = {name: value for name, value in turn_to_document(turn).items() if name != "attachment"}
    old_answer = {name: value for name, value in answer_to_document("console:m1", answer).items() if name != "blocked"}

    assert turn_from_document(old_turn).turn_id == turn.turn_id
    assert answer_from_document(old_answer).completion == answer.completion


def test_the_messages_of_a_burst_are_joined_in_order() -> None:
    """Lines without words are left out."""
    turn = open_turn([message(1, " oi "), message(2, ""), message(3, "tem entrega?")], "application/json", 9)

    assert turn.text == "oi\ntem entrega?"
    assert turn.message_keys == ("console:m1", "console:m2", "console:m3")


def test_the_turn_id_depends_on_the_first_message_alone() -> None:
    """However the burst is grouped by another replica, its turn is the same."""
    alone = open_turn([message(1, "oi")], "application/json", 1)
    together = open_turn([message(1, "oi"), message(2, "tudo bem?")], "application/json", 2)

    assert alone.turn_id == together.turn_id
    assert alone.turn_id != open_turn([message(2, "oi")], "application/json", 1).turn_id


def test_the_promise_counts_from_the_oldest_known_publication() -> None:
    """A message without a time does not make it zero."""
    turn = open_turn([message(1), message(2, published_at_ms=50), message(3, published_at_ms=40)], "application/json", 99)

    assert turn.published_at_ms == 40


def test_the_last_tap_counts() -> None:
    """Of what came without words, all is told."""
    attached = [message(3, attachment="[áudio]"), message(4, attachment="[foto]")]
    turn = open_turn([message(1, option_id="a"), message(2, option_id="b"), *attached], "x", 1)

    assert turn.option_id == "b"
    assert turn.attachment == "[áudio] [foto]"
