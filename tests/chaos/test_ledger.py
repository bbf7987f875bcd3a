"""The ledger, on evidence written by hand: each way of breaking the promise is reported, and only that."""

import itertools
from dataclasses import replace

from bench.chaos.evidence import (
    Accepted,
    Call,
    Evidence,
    HandOff,
    Interval,
    Move,
    Reply,
    StoredConversation,
    StoredSession,
    StoredTurn,
)
from bench.chaos.ledger import Ledger, ledger
from common.taxonomy import State

FIRST = (State.INIT, State.IDENTIFYING, State.UNDERSTANDING_INTENT)
NEXT = (State.AWAITING_USER, State.UNDERSTANDING_INTENT)
TO_REST = (State.PROCESSING, State.GENERATING_RESPONSE, State.SELECTING_MESSAGE_TYPE, State.AWAITING_USER)


def moves(turn_id: str, *states: State) -> tuple[Move, ...]:
    """The hops along the states."""
    return tuple(Move(before, after, turn_id) for before, after in itertools.pairwise(states))


SESSION = StoredSession(1, State.AWAITING_USER, (*moves("t1", *FIRST, *TO_REST), *moves("t2", *NEXT, *TO_REST)))
GOOD = Evidence(
    accepted=(Accepted("m1", "c", 0, 100.0), Accepted("m2", "c", 1, 110.0)),
    replies=(Reply("r1", ("m1",), 101.5), Reply("r2", ("m2",), 111.5)),
    turns=(StoredTurn("t1", "c", ("m1",)), StoredTurn("t2", "c", ("m2",))),
    conversations=(StoredConversation("c", 4, (SESSION,)),),
    calls=(Call("t1", "fsm", "ok", 100.1, 100.5), Call("t2", "fsm", "ok", 110.1, 110.5)),
)
"""Two messages of one conversation, each answered once, in order and in time."""


def test_a_run_without_a_flaw_has_no_breach() -> None:
    """Everything accepted is answered."""
    found = ledger(GOOD)

    assert found.breaches == ()
    assert (found.accepted, found.answered, found.lost, found.late, found.llm_calls) == (2, 2, 0, 0, 2)


def test_a_message_without_an_outcome_is_lost() -> None:
    """Neither reply nor hand-off nor dead letter."""
    found = ledger(replace(GOOD, replies=GOOD.replies[:1]))

    assert found.lost == 1
    assert_only(found, "lost: message m2")
    assert "turn t2, saved answer: none; conversation in AWAITING_USER" in found.breaches[0]


def test_a_dead_letter_with_its_reason_is_no_loss() -> None:
    """The account is closed with it."""
    found = ledger(replace(GOOD, replies=GOOD.replies[:1], dead={"m2": "text: too long"}))

    assert (found.lost, found.dead_lettered, found.breaches) == (0, 1, ())


def test_a_message_that_was_forwarded_to_a_person_is_no_loss() -> None:
    """The bot is silent, and the hand-off is the outcome."""
    found = ledger(replace(GOOD, replies=GOOD.replies[:1], hand_offs=(HandOff("t2", "forwarded", 111.0),)))

    assert (found.lost, found.escalated, found.with_person, found.breaches) == (0, 1, 1, ())


def test_a_hand_off_alone_does_not_answer_who_asked_for_a_person() -> None:
    """The customer who is handed over is told so; without that reply the message is lost."""
    found = ledger(replace(GOOD, replies=GOOD.replies[:1], hand_offs=(HandOff("t2", "human_request", 111.0),)))

    assert_only(found, "lost: message m2")


def test_a_hand_off_that_was_stored_and_never_published_is_lost() -> None:
    """The customer was told that a person takes over, and no person knows."""
    turns = (GOOD.turns[0], replace(GOOD.turns[1], hands_off=True))
    found = ledger(replace(GOOD, turns=turns))

    assert_only(found, "lost: the hand-off of t2")


def test_a_hand_off_with_its_reply_is_counted_as_escalated() -> None:
    """And not as answered, so that the sum is right."""
    found = ledger(replace(GOOD, hand_offs=(HandOff("t2", "commercial", 111.0),)))

    assert (found.answered, found.escalated, found.with_person, found.breaches) == (1, 1, 0, ())


def test_the_same_reply_twice_is_counted_and_is_no_breach() -> None:
    """Consumers drop it by its reply id."""
    found = ledger(replace(GOOD, replies=(*GOOD.replies, Reply("r1", ("m1",), 112.0))))

    assert (found.duplicates_before_dedupe, found.duplicates, found.breaches) == (1, 0, ())


def test_what_only_our_own_connection_repeated_is_not_counted_against_the_system() -> None:
    """The broker says that it delivers again."""
    found = ledger(replace(GOOD, replies=(*GOOD.replies, Reply("r2", ("m2",), 112.0, again=True))))

    assert (found.duplicates_before_dedupe, found.reader_redeliveries) == (0, 1)


def test_a_message_under_two_reply_ids_was_answered_twice() -> None:
    """No dedupe key helps against that."""
    found = ledger(replace(GOOD, replies=(*GOOD.replies, Reply("r3", ("m2",), 112.0))))

    assert found.duplicates == 1
    assert any(breach.startswith("answered twice: message m2 by r2, r3") for breach in found.breaches)


def test_an_answer_to_a_later_message_first_is_out_of_order() -> None:
    """Within one conversation."""
    found = ledger(replace(GOOD, replies=(Reply("r2", ("m2",), 111.0), Reply("r1", ("m1",), 111.5)), faults=STORE_DOWN))

    assert found.out_of_order == 1
    assert_only(found, "out of order: m1 of c")


def test_order_between_conversations_is_nobodys_promise() -> None:
    """They are answered concurrently."""
    accepted = (Accepted("m1", "a", 0, 100.0), Accepted("m2", "b", 0, 100.0))
    found = ledger(Evidence(accepted=accepted, replies=(Reply("r2", ("m2",), 101.0), Reply("r1", ("m1",), 101.5))))

    assert found.out_of_order == 0


def test_a_stored_move_that_the_table_lacks_is_illegal() -> None:
    """Whatever brought it about."""
    session = StoredSession(1, State.COMPLETED, (*moves("t1", *FIRST, State.PROCESSING, State.COMPLETED),))
    found = ledger(replace(GOOD, conversations=(StoredConversation("c", 4, (session,)),)))

    assert found.illegal_transitions == 1
    assert_only(found, "illegal transition: c session 1: PROCESSING → COMPLETED")


def test_a_move_that_does_not_begin_where_the_last_ended_is_reported() -> None:
    """A write was lost in between."""
    session = StoredSession(1, State.AWAITING_USER, (*moves("t1", *FIRST), *moves("t2", *NEXT, *TO_REST)))
    found = ledger(replace(GOOD, conversations=(StoredConversation("c", 4, (session,)),)))

    assert_only(found, "broken chain: c session 1: UNDERSTANDING_INTENT, then a move from AWAITING_USER")


def test_fewer_writes_than_the_turns_made_are_a_fork() -> None:
    """Somebody's write was overwritten by somebody who had not seen it."""
    found = ledger(replace(GOOD, conversations=(StoredConversation("c", 3, (SESSION,)),)))

    assert found.forks == 1
    assert_only(found, "fork: c has version 3 after 2 turns")


def test_two_turns_that_claim_one_message_are_a_fork() -> None:
    """It would be answered by both."""
    turns = (StoredTurn("t1", "c", ("m1", "m2")), StoredTurn("t2", "c", ("m2",)))
    found = ledger(replace(GOOD, turns=turns))

    assert_only(found, "fork: 2 turns claim message m2")


def test_a_missing_session_is_a_fork() -> None:
    """Sessions of a conversation are numbered without gaps."""
    found = ledger(replace(GOOD, conversations=(StoredConversation("c", 4, (replace(SESSION, sequence=2),)),)))

    assert_only(found, "fork: c has sessions [2]")


def test_a_text_that_the_guard_would_stop_is_reported() -> None:
    """It has reached the customer."""
    priced = replace(GOOD.replies[1], violations=("PRICE",))
    found = ledger(replace(GOOD, replies=(GOOD.replies[0], priced)))

    assert found.unguarded == 1
    assert_only(found, "unguarded text: reply r2: PRICE")


STORE_DOWN = (Interval("kill", "store", 99.0, 113.0, essential=True),)
SECOND_CALL = (*GOOD.calls, Call("t2", "fsm", "ok", 110.6, 111.0))


def test_a_second_call_for_the_same_question_needs_an_explanation() -> None:
    """Nothing was broken, so nothing may be paid twice."""
    found = ledger(replace(GOOD, calls=SECOND_CALL))

    assert (found.extra_llm_calls, found.extra_llm_calls_explained) == (1, 0)
    assert_only(found, "extra call not explained: fsm of t2")


def test_a_fault_that_fell_into_it_explains_a_second_call() -> None:
    """The first answer was lost with the process that had it."""
    kill = Interval("kill", "fsm", 110.4, 110.9, essential=False)
    found = ledger(replace(GOOD, calls=SECOND_CALL, faults=(kill,)))

    assert (found.extra_llm_calls, found.extra_llm_calls_explained, found.breaches) == (1, 1, ())


def test_a_fault_at_another_time_explains_nothing() -> None:
    """It was over long before."""
    kill = Interval("kill", "fsm", 90.0, 95.0, essential=False)
    found = ledger(replace(GOOD, calls=SECOND_CALL, faults=(kill,)))

    assert_only(found, "extra call not explained: fsm of t2")


def test_a_call_that_the_provider_did_not_answer_is_not_paid() -> None:
    """The client left, or it failed."""
    found = ledger(replace(GOOD, calls=(*GOOD.calls, Call("t2", "fsm", "client_left", 110.0, 110.2))))

    assert (found.llm_calls, found.extra_llm_calls) == (2, 0)


LATE_REPLY = (GOOD.replies[0], Reply("r2", ("m2",), 114.5))


def test_an_answer_after_three_seconds_needs_an_explanation() -> None:
    """A model that is down is none: there is the deterministic path."""
    llm_down = Interval("kill", "simulator", 109.0, 114.0, essential=False)
    found = ledger(replace(GOOD, replies=LATE_REPLY, faults=(llm_down,)))

    assert (found.late, found.late_explained, found.latest_s, found.latest_unexplained_s) == (1, 0, 4.5, 4.5)
    assert_only(found, "late, not explained: m2 after 4.5 s")


def test_while_a_part_without_which_nothing_is_answered_was_away_late_is_explained() -> None:
    """And it is said how late."""
    found = ledger(replace(GOOD, replies=LATE_REPLY, faults=STORE_DOWN))

    assert (found.late, found.late_explained, found.latest_s, found.latest_unexplained_s) == (1, 1, 4.5, 0.0)
    assert found.breaches == ()


def test_kills_are_counted_by_process() -> None:
    """Orderly restarts among them."""
    faults = (
        *STORE_DOWN,
        Interval("kill", "store", 200.0, 201.0, essential=True),
        Interval("freeze", "fsm", 1.0, 2.0, essential=False),
    )
    found = ledger(replace(GOOD, faults=faults))

    assert found.kills == {"store": 2}
    assert found.faults == {"freeze fsm": 1, "kill store": 2}


def assert_only(found: Ledger, breach: str) -> None:
    """Exactly one breach, which begins so."""
    assert len(found.breaches) == 1, found.breaches
    assert found.breaches[0].startswith(breach)
