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
