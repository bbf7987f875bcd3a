"""One point in time that every step asks for what is left."""

import pytest

from common.deadline import Deadline
from common.errors import DeadlineExceeded


def test_what_is_left_shrinks_and_never_starts_again() -> None:
    """It is a point on the clock, not a duration per step."""
    deadline = Deadline.after(10)

    first = deadline.remaining_s()

    assert deadline.remaining_s() <= first <= 10


def test_a_reserve_is_taken_from_the_end() -> None:
    """A step that leaves time for the next one gets an earlier deadline."""
    deadline = Deadline(100.0)

    assert deadline.minus(0.5) == Deadline(99.5)


def test_no_call_starts_that_cannot_finish() -> None:
    """Fewer seconds than needed are an error, before anything is begun."""
    deadline = Deadline.after(0.5)

    assert deadline.require_s(0.1) > 0.1
    with pytest.raises(DeadlineExceeded, match="1000 ms are needed"):
        deadline.require_s(1.0)


def test_a_passed_deadline_says_that_nothing_is_left() -> None:
    """Not a negative number of milliseconds."""
    with pytest.raises(DeadlineExceeded, match=r"^0 ms are left"):
        Deadline.after(-3).require_s()
