"""The session as a document: what is written is what is read, through MongoDB's own encoding."""

import bson
from hypothesis import given
from hypothesis import strategies as st

from common.taxonomy import Action, Category, Source, State, Vertente
from common.turn import RECENT_EXCHANGES, Determination, Exchange, Provenance
from fsm_service.session import TURNS_KEPT, Session, Transition, TurnResult
from fsm_service.store import session_from_document, session_to_document

WORDS = st.text(max_size=30)
COUNTS = st.integers(min_value=0, max_value=2**53)
SHARES = st.floats(min_value=0, max_value=1)

TRANSITIONS = st.builds(
    Transition,
    from_state=st.sampled_from(State),
    to_state=st.sampled_from(State),
    trigger=WORDS,
    confidence=SHARES,
    metadata=st.dictionaries(st.sampled_from(["intent", "category", "source", "refused"]), WORDS),
    turn_id=WORDS,
    at_ms=COUNTS,
)
RESULTS = st.builds(
    TurnResult,
    turn_id=WORDS,
    determination=st.builds(
        Determination,
        action=st.sampled_from(Action),
        vertente=st.sampled_from(Vertente),
        category=st.sampled_from(Category),
        intent=WORDS,
        confidence=SHARES,
        reasoning=WORDS,
        language=st.sampled_from(["pt", "en", "es"]),
        escalation_reason=WORDS,
        injection=st.booleans(),
        phrase=WORDS,
    ),
    provenance=st.builds(Provenance, source=st.sampled_from(Source), context_version=WORDS, model=WORDS, input_tokens=COUNTS),
    previous_state=st.sampled_from(State),
    resting_state=st.sampled_from(State),
    completed=st.booleans(),
    customer_text=WORDS,
)
SESSIONS = st.builds(
    Session,
    conversation_id=WORDS,
    session_id=WORDS,
    sequence=COUNTS,
    channel=WORDS,
    opened_at_ms=COUNTS,
    updated_at_ms=COUNTS,
    version=COUNTS,
    state=st.sampled_from(State),
    vertente=st.sampled_from(Vertente),
    category=st.none() | st.sampled_from(Category),
    intents=st.lists(WORDS, max_size=4).map(tuple),
    clarifications=COUNTS,
    escalated=st.booleans(),
    blocked_until_ms=COUNTS,
    outcome=WORDS,
    illegal_proposals=COUNTS,
    history=st.lists(TRANSITIONS, max_size=3).map(tuple),
    history_pages=COUNTS,
    recent=st.lists(st.builds(Exchange, customer_text=WORDS, reply_text=WORDS), max_size=3).map(tuple),
    options_shown=st.lists(WORDS, max_size=3).map(tuple),
    turns=st.lists(RESULTS, max_size=2).map(tuple),
    arrivals_ms=st.lists(COUNTS, max_size=3).map(tuple),
    text_hashes=st.lists(WORDS, max_size=3).map(tuple),
)


@given(session=SESSIONS)
def test_a_session_comes_back_from_its_document_unchanged(session: Session) -> None:
    """No field is lost or changes its type on the way through BSON."""
    document = bson.decode(bson.encode(session_to_document(session)))

    assert session_from_document(document) == session


@given(results=st.lists(RESULTS, min_size=1, max_size=30))
def test_only_the_newest_results_are_kept_one_per_turn(results: list[TurnResult]) -> None:
    """A long conversation does not grow its document, and a repeated call finds the latest result of its turn."""
    session = Session("ana", "s", 1, "console", 0, 0)

    for result in results:
        session = session.with_result(result)

    assert len(session.turns) <= TURNS_KEPT
    assert len({kept.turn_id for kept in session.turns}) == len(session.turns)
    assert session.result_of(results[-1].turn_id) == results[-1]


def test_the_last_exchanges_are_remembered_and_older_ones_forgotten() -> None:
    """The next turn sees what was said lately, oldest first."""
    session = Session("ana", "s", 1, "console", 0, 0)

    for number in range(RECENT_EXCHANGES + 3):
        session = session.with_exchange(f"pergunta {number}", f"resposta {number}")

    assert len(session.recent) == RECENT_EXCHANGES
    assert session.recent[-1] == Exchange("pergunta 8", "resposta 8")
