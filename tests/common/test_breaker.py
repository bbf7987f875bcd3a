"""The circuit opens on failures, probes one call at a time, and closes by itself."""

from hypothesis import given
from hypothesis import strategies as st

from common.breaker import Breaker, BreakerRules, BreakerState

RULES = BreakerRules(consecutive_failures=3, failure_ratio=0.5, window_s=10, least_calls=10, open_s=2)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def call(breaker: Breaker, *, fails: bool | None) -> bool:
    """One call; whether it was admitted. None leaves without a verdict, as a cancelled call does."""
    permit = breaker.admit()
    if permit is None:
        return False
    with permit:
        if fails is not None:
            (permit.failed if fails else permit.succeeded)()
    return True


def opened(clock: Clock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(RULES, now_s=clock)
    for _ in range(3):
        call(breaker, fails=True)
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """Then calls are refused."""
    breaker = opened(Clock())

    assert breaker.state is BreakerState.OPEN
    assert not call(breaker, fails=False)


def test_a_success_in_between_starts_the_row_again() -> None:
    """Only an unbroken row opens it."""
    breaker = Breaker(RULES, now_s=Clock())

    for fails in (True, True, False, True, True):
        call(breaker, fails=fails)

    assert breaker.state is BreakerState.CLOSED


def test_a_share_of_failures_in_the_window_opens_it() -> None:
    """Half of ten calls, never three in a row."""
    breaker = Breaker(RULES, now_s=Clock())

    for fails in [False, True] * 5:
        call(breaker, fails=fails)

    assert breaker.state is BreakerState.OPEN


def test_failures_outside_the_window_are_forgotten() -> None:
    """The same ten calls, but the first eight are long ago."""
    clock = Clock()
    breaker = Breaker(RULES, now_s=clock)

    for number, fails in enumerate([False, True] * 5):
        clock.now_s = 100.0 if number >= 8 else 0.0
        call(breaker, fails=fails)

    assert breaker.state is BreakerState.CLOSED


def test_after_a_while_one_probe_passes_and_closes_it() -> None:
    """Other calls wait for its verdict."""
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 2.0

    probe = breaker.admit()
    assert probe is not None
    assert not call(breaker, fails=False)
    with probe:
        probe.succeeded()

    assert breaker.state is BreakerState.CLOSED
    assert call(breaker, fails=False)


def test_a_failed_probe_opens_it_again() -> None:
    """For the whole time."""
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 2.0

    call(breaker, fails=True)

    assert breaker.state is BreakerState.OPEN
    clock.now_s = 3.9
    assert not call(breaker, fails=False)


def test_a_cancelled_probe_frees_the_place() -> None:
    """The next call is the probe: nothing is wedged."""
    clock = Clock()
    breaker = opened(clock)
    clock.now_s = 2.0

    assert call(breaker, fails=None)

    assert call(breaker, fails=False)
    assert breaker.state is BreakerState.CLOSED


def test_a_call_from_before_the_opening_is_no_probe() -> None:
    """Its late success tells about the time before: it neither closes the circuit nor frees the probe's place."""
    clock = Clock()
    breaker = Breaker(RULES, now_s=clock)
    early = breaker.admit()
    assert early is not None
    for _ in range(3):
        call(breaker, fails=True)
    clock.now_s = 2.0
    assert breaker.admit() is not None

    with early:
        early.succeeded()

    assert breaker.state is BreakerState.HALF_OPEN
    assert not call(breaker, fails=False)


def test_changes_are_told() -> None:
    """Once each, in order."""
    told: list[BreakerState] = []
    clock = Clock()
    breaker = Breaker(RULES, told.append, clock)

    for _ in range(3):
        call(breaker, fails=True)
    clock.now_s = 2.0
    call(breaker, fails=False)

    assert told == [BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED]


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.floats(0, 5))))
def test_whatever_happened_it_closes_again_when_calls_succeed(history: list[tuple[bool | None, float]]) -> None:
    """No sequence of verdicts, cancellations and pauses wedges it."""
    clock = Clock()
    breaker = Breaker(RULES, now_s=clock)
    for fails, pause_s in history:
        clock.now_s += pause_s
        call(breaker, fails=fails)

    clock.now_s += RULES.open_s

    assert call(breaker, fails=False)
    assert breaker.state is BreakerState.CLOSED
