"""No call starts that cannot finish."""

from common.pace import Pace


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
    """Each refusal forgets a little, so that nobody is locked out for ever."""
    pace = Pace(0.6)
    pace.observe("response", 20.0)

    refusals = 0
    while not pace.allows("response", 2.0):
        refusals += 1

    assert 10 < refusals < 200


def test_what_ran_out_of_less_time_than_usual_had_no_fair_trial() -> None:
    """Unless it goes on like that: then the usual is out of date."""
    pace = Pace(0.6)
    pace.observe("response", 0.9)

    assert pace.was_fair("response", 1.2)
    assert [pace.was_fair("response", 1.0) for _ in range(8)] == [False] * 6 + [True] * 2
