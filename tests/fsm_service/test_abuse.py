"""Abuse is found before any model is asked, and honest customers are not taken for it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_service.abuse import Abuse, AbuseLimits, arrived, check
from fsm_service.session import ARRIVALS_KEPT, TEXTS_KEPT, Session

LIMITS = AbuseLimits(flood_messages=20, flood_window_s=60, repeats=4)
NOW_MS = 1_000_000_000
LONG = "vocês fazem entrega na zona sul?"


def session_after(*texts: str, at_ms: int = NOW_MS, count: int = 1) -> Session:
    """A session that has seen these texts."""
    session = Session("ana", "s", 1, "console", 0, 0)
    for text in texts:
        session = arrived(session, text, count, at_ms)
    return session


def test_the_message_after_the_twentieth_within_a_minute_is_a_flood() -> None:
    """Twenty messages a minute are allowed, one more is not."""
    nineteen = session_after(*(f"mensagem {number}" for number in range(19)))
    twenty = arrived(nineteen, "mensagem 19", 1, NOW_MS)

    assert check(nineteen, "outra", NOW_MS, LIMITS) is None
    assert check(twenty, "outra", NOW_MS, LIMITS) is Abuse.FLOOD


def test_each_message_of_a_burst_counts() -> None:
    """Messages that are answered together are still messages."""
    session = session_after("vinte de uma vez", count=20)

    assert check(session, "mais uma", NOW_MS, LIMITS) is Abuse.FLOOD


def test_a_flood_is_over_when_the_window_has_passed() -> None:
    """Only the last minute counts."""
    session = session_after("vinte de uma vez", count=20)

    assert check(session, "mais uma", NOW_MS + 60_001, LIMITS) is None


def test_the_same_content_four_times_in_a_row_is_abuse() -> None:
    """Three times may be impatience."""
    assert check(session_after(LONG, LONG), LONG, NOW_MS, LIMITS) is None
    assert check(session_after(LONG, LONG, LONG), LONG, NOW_MS, LIMITS) is Abuse.REPEATED


def test_other_case_and_spacing_is_the_same_content() -> None:
    """A machine that varies the blanks is recognised."""
    session = session_after(LONG.upper(), f"  {LONG}", LONG.replace(" ", "  "))

    assert check(session, LONG, NOW_MS, LIMITS) is Abuse.REPEATED


@pytest.mark.parametrize("text", ["ok", "sim", "?", "1", "bom dia", ""])
def test_short_words_may_be_repeated(text: str) -> None:
    """Honest people say "sim" four times."""
    assert check(session_after(text, text, text, text), text, NOW_MS, LIMITS) is None


def test_something_else_in_between_starts_the_count_again() -> None:
    """Only repetition in a row is abuse."""
    assert check(session_after(LONG, LONG, "e na zona norte?"), LONG, NOW_MS, LIMITS) is None


def test_a_blocked_sender_stays_blocked_until_the_time_is_over() -> None:
    """The block ends by itself."""
    session = replace(session_after(), blocked_until_ms=NOW_MS)

    assert check(session, "oi", NOW_MS - 1, LIMITS) is Abuse.BLOCKED
    assert check(session, "oi", NOW_MS, LIMITS) is None


@given(
    texts=st.lists(st.text(max_size=40), max_size=60),
    count=st.integers(min_value=1, max_value=100),
)
def test_what_is_remembered_of_arrivals_is_bounded(texts: list[str], count: int) -> None:
    """Not even a flood makes the document grow."""
    session = session_after(*texts, count=count)

    assert len(session.arrivals_ms) <= ARRIVALS_KEPT
    assert len(session.text_hashes) <= TEXTS_KEPT


@given(texts=st.lists(st.text(max_size=40), max_size=19, unique_by=lambda text: " ".join(text.casefold().split())))
def test_different_messages_at_a_human_pace_are_never_abuse(texts: list[str]) -> None:
    """Up to nineteen different messages in the same second pass."""
    session = Session("ana", "s", 1, "console", 0, 0)

    for text in texts:
        assert check(session, text, NOW_MS, LIMITS) is None
        session = arrived(session, text, 1, NOW_MS)
