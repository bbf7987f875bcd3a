"""What crosses between the services comes out as it went in, or names the field that is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.institution_wire import from_proto, to_proto
from common.taxonomy import Action, Category, MessageKind, Source, State, Vertente
from common.turn import (
    RECENT_EXCHANGES,
    Determination,
    Exchange,
    Provenance,
    Turn,
    action_number,
    category_number,
    kind_number,
    member,
    provenance_from_document,
    provenance_to_document,
    source_number,
    state_number,
    turn_from_proto,
    turn_to_proto,
    vertente_number,
)
from protos.conversation.v1 import conversation_pb2 as pb
from tests.institution import shipped

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
EXCHANGES = st.builds(Exchange, customer_text=WORDS, reply_text=WORDS)
TURNS = st.builds(
    Turn,
    turn_id=IDS,
    conversation_id=IDS,
    channel=IDS,
    customer_text=WORDS,
    determination=st.builds(
        Determination,
        action=st.sampled_from(Action),
        vertente=st.sampled_from(Vertente),
        category=st.sampled_from(Category),
        intent=WORDS,
        confidence=st.floats(0, 1, width=32),
        reasoning=WORDS,
        language=IDS,
        escalation_reason=WORDS,
        injection=st.booleans(),
        phrase=WORDS,
    ),
    recent=st.lists(EXCHANGES, max_size=RECENT_EXCHANGES).map(tuple),
    first_attempt=st.booleans(),
)


@given(turn=TURNS)
def test_a_turn_comes_out_as_it_went_in(turn: Turn) -> None:
    """No field is forgotten on either side."""
    assert turn_from_proto(pb.Turn.FromString(turn_to_proto(turn).SerializeToString()), "turn") == turn


def test_the_institution_comes_out_as_it_went_in() -> None:
    """All three documents, by way of the wire."""
    message = to_proto(shipped())

    assert from_proto(type(message).FromString(message.SerializeToString())) == shipped()


def test_each_word_has_a_number_and_each_number_its_word() -> None:
    """Proto and Python name the same closed sets."""
    for state in State:
        assert member(State, state_number(state), "f") is state
    for vertente in Vertente:
        assert member(Vertente, vertente_number(vertente), "f") is vertente
    for category in Category:
        assert member(Category, category_number(category), "f") is category
    for action in Action:
        assert member(Action, action_number(action), "f") is action
    for source in Source:
        assert member(Source, source_number(source), "f") is source
    for kind in MessageKind:
        assert member(MessageKind, kind_number(kind), "f") is kind


@pytest.mark.parametrize("number", [0, 99, -1])
def test_a_number_without_a_word_names_its_field(number: int) -> None:
    """Unset or unknown."""
    with pytest.raises(InvalidInput, match=r"turn\.state: expected one of INIT, .*, got number"):
        member(State, number, "turn.state")


def test_every_word_of_the_contract_is_known_in_python() -> None:
    """A value that is added to a .proto must be added to the taxonomy."""
    assert {name.removeprefix("STATE_") for name in pb.State.keys()} == {"UNSPECIFIED", *State}  # noqa: SIM118 - no mapping
    assert {name.removeprefix("ACTION_") for name in pb.Action.keys()} == {"UNSPECIFIED", *Action}  # noqa: SIM118
    assert {name.removeprefix("CATEGORY_") for name in pb.Category.keys()} == {"UNSPECIFIED", *Category}  # noqa: SIM118


@given(found=st.builds(Provenance, source=st.sampled_from(Source), context_version=WORDS, model=WORDS, fallback_reason=WORDS))
def test_a_provenance_is_read_as_it_was_stored(found: Provenance) -> None:
    """Also where another version of the service, during a rollout, keeps a field more or less."""
    document = provenance_to_document(found)

    assert provenance_from_document(document) == found
    assert provenance_from_document({**document, "tariff": "night"}) == found
    assert provenance_from_document({"source": found.source.value, "context_version": found.context_version}) == Provenance(
        found.source, found.context_version
    )
