"""The state table: which moves there are, and that a session cannot move in any other way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import IllegalTransition
from common.taxonomy import State
from fsm_service.session import Session
from fsm_service.states import FINAL, PROPOSABLE, RESTING, TABLE, TO_UNDERSTANDING, completion_path, is_legal, require_legal

ILLEGAL = [pair for pair in itertools.product(State, State) if not is_legal(*pair)]


def new_session(state: State = State.INIT) -> Session:
    """A session in the given state, with nothing in it."""
    return Session("ana", "session-1", 1, "console", opened_at_ms=0, updated_at_ms=0, state=state)


def test_all_eleven_states_are_in_the_table() -> None:
    """No state is without an answer to what comes next."""
    assert set(TABLE) == set(State)
    assert len(TABLE) == 11


def test_final_states_lead_nowhere_and_all_others_do() -> None:
    """A conversation can get stuck only where it is meant to end."""
    assert {state for state in State if not TABLE[state]} == FINAL
    assert FINAL < RESTING


@pytest.mark.parametrize("state", sorted(set(State) - {State.INIT}))
def test_every_state_is_reachable_from_the_start(state: State) -> None:
    """No state is there in vain."""
    reached, grown = {State.INIT}, True

    while grown:
        onward = {to for source in reached for to in TABLE[source]}
        grown = not onward <= reached
        reached |= onward

    assert state in reached


@given(data=st.data())
def test_a_walk_by_legal_moves_is_remembered_hop_by_hop(data: st.DataObject) -> None:
    """However a session moves, its history is one unbroken chain from INIT through the table to where it is."""
    session = new_session()

    for _ in range(data.draw(st.integers(0, 30))):
        if session.ended:
            break
        chosen = data.draw(st.sampled_from(sorted(TABLE[session.state])))
        session = session.moved(chosen, trigger="test", turn_id="turn", at_ms=len(session.history))

    hops = [(move.from_state, move.to_state) for move in session.history]
    assert all(is_legal(*hop) for hop in hops)
    assert [State.INIT, *(to for _, to in hops)] == [*(source for source, _ in hops), session.state]


@pytest.mark.parametrize(("source", "target"), ILLEGAL)
def test_an_illegal_move_is_refused_and_says_what_is_legal(source: State, target: State) -> None:
    """The table has the last word, and its refusal helps."""
    session = new_session(source)

    with pytest.raises(IllegalTransition, match=f"{source} → {target} is not legal"):
        session.moved(target, trigger="test", turn_id="turn", at_ms=1)

    assert session == new_session(source)


def test_a_path_with_one_illegal_hop_is_refused_as_a_whole() -> None:
    """Half a walk is never kept."""
    session = new_session()

    with pytest.raises(IllegalTransition, match="IDENTIFYING → PROCESSING"):
        session.moved(State.IDENTIFYING, State.PROCESSING, trigger="test", turn_id="turn", at_ms=1)

    assert session.history == ()


@pytest.mark.parametrize("start", sorted(TO_UNDERSTANDING))
@pytest.mark.parametrize("rest", sorted(set(PROPOSABLE) - {State.SPAM}))
def test_a_whole_turn_stays_in_the_table(start: State, rest: State) -> None:
    """From where a turn may begin to where it may rest, every hop is legal."""
    session = new_session(start)

    session = session.moved(
        *TO_UNDERSTANDING[start], State.PROCESSING, *completion_path(rest), trigger="t", turn_id="t", at_ms=1
    )

    assert session.state is rest


@pytest.mark.parametrize("start", sorted(TO_UNDERSTANDING))
def test_spam_ends_a_turn_without_the_two_later_tasks(start: State) -> None:
    """Nothing is generated for a sender who is dismissed."""
    session = new_session(start).moved(*TO_UNDERSTANDING[start], State.SPAM, trigger="t", turn_id="t", at_ms=1)

    assert session.ended


def test_require_legal_lets_a_legal_move_pass() -> None:
    """Only what the table lacks is an error."""
    require_legal(State.ESCALATING, State.AWAITING_USER)
