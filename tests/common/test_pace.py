"""No call starts that cannot finish."""

from itertools import count

from common.pace import Pace

LATER = 0.125


def ticking() -> Pace:
    """Each look at the clock is later."""
    ticks = count()
    return Pace(0.6, now_s=lambda: next(ticks) * LATER)


def test_a_task_never_seen_may_start_with_any_time_left() -> None:
    """Nothing is known yet, so nothing is refused."""
    assert Pace(0.6).allows("response", 0.05)


def test_a_call_with_much_less_time_than_usual_is_refused() -> None:
    """It would be paid for and thrown away."""
    pace = Pace(0.6)

    pace.observe("response", 0.9)

    assert pace.allows("response", 0.6)
    assert not pace.allows("response", 0.3)


def test_tasks_have_their_own_pace() -> None:
    """A slow task says nothing about a quick one."""
    pace = Pace(0.6)

    pace.observe("response", 0.9)

    assert pace.allows("msgtype", 0.2)


def test_a_provider_that_was_slow_is_tried_again() -> None:
    """With time refusals forget a little, so that nobody is locked out for ever."""
    pace = ticking()
    pace.observe("response", 20.0)

    refusals = 0
    while not pace.allows("response", 2.0):
        refusals += 1

    assert 10 < refusals < 200


def test_what_ran_out_of_less_time_than_usual_had_no_fair_trial() -> None:
    """Unless it goes on like that: then the usual is out of date."""
    pace = ticking()
    pace.observe("response", 0.9)

    assert pace.was_fair("response", 1.4)
    assert [pace.was_fair("response", 1.25) for _ in range(6)] == [False] * 4 + [True] * 2


def test_many_that_fail_in_one_moment_say_no_more_than_one() -> None:
    """The process stood still for that moment; the provider did not."""
    pace = Pace(0.6, now_s=lambda: 0.0)
    pace.observe("response", 0.9)

    assert not any(pace.was_fair("response", 1.0) for _ in range(100))
