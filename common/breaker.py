"""A circuit breaker: stops calling what keeps failing, and finds out by one call at a time when it works again.

CLOSED ──too many failures──▶ OPEN ──open_s later──▶ HALF_OPEN ──the probe succeeds──▶ CLOSED
                               ▲                         │
                               └─────the probe fails─────┘
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "CLOSED"
    HALF_OPEN = "HALF_OPEN"
    OPEN = "OPEN"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When it opens, and for how long."""

    consecutive_failures: int = 5
    """So many failures in a row open it."""
    failure_ratio: float = 0.5
    """So large a share of failures within the window opens it."""
    window_s: float = 10.0
    least_calls: int = 20
    """The share counts only from so many calls in the window on."""
    open_s: float = 2.0
    """How long it stays open before a probe."""


class Breaker:
    """One circuit. Not thread-safe: it belongs to one event loop."""

    def __init__(
        self,
        rules: BreakerRules,
        changed: Callable[[BreakerState], None] = lambda _: None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._changed = changed
        self._now_s = now_s
        self._state = BreakerState.CLOSED
        self._generation = 0
        self._open_until_s = 0.0
        self._probing = False
        self._in_a_row = 0
        self._window: deque[tuple[float, bool]] = deque()
        self._failures_in_window = 0

    @property
    def state(self) -> BreakerState:
        """The state as the last call left it; OPEN becomes HALF_OPEN with the first call after `open_s`."""
        return self._state

    def refuses(self) -> bool:
        """Whether a call would be refused now."""
        if self._state is BreakerState.OPEN:
            return self._now_s() < self._open_until_s
        return self._state is BreakerState.HALF_OPEN and self._probing

    def admit(self) -> "Permit | None":
        """A permit for one call, to be used as a context manager; None when the circuit refuses it."""
        if self.refuses():
            return None
        if self._state is BreakerState.OPEN:
            self._move(BreakerState.HALF_OPEN)
        if self._state is BreakerState.HALF_OPEN:
            self._probing = True
        return Permit(self, self._generation)

    def _ended(self, generation: int, failed: bool | None) -> None:
        """A call of `generation` ended; `failed` is None when it said nothing about the other side."""
        if generation != self._generation:
            return  # it began before the last change of state, and tells about that time
        self._probing = False
        if failed is None:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._move(BreakerState.OPEN if failed else BreakerState.CLOSED)
            return
        self._remember(failed)
        if failed and self._too_many_failures():
            self._move(BreakerState.OPEN)

    def _remember(self, failed: bool) -> None:
        now_s = self._now_s()
        self._in_a_row = self._in_a_row + 1 if failed else 0
        self._window.append((now_s, failed))
        self._failures_in_window += failed
        while self._window[0][0] < now_s - self._rules.window_s:
            self._failures_in_window -= self._window.popleft()[1]

    def _too_many_failures(self) -> bool:
        calls = len(self._window)
        return self._in_a_row >= self._rules.consecutive_failures or (
            calls >= self._rules.least_calls and self._failures_in_window >= calls * self._rules.failure_ratio
        )

    def _move(self, state: BreakerState) -> None:
        self._state = state
        self._generation += 1
        self._probing = False
        if state is BreakerState.OPEN:
            self._open_until_s = self._now_s() + self._rules.open_s
        if state is BreakerState.CLOSED:
            self._in_a_row = self._failures_in_window = 0
            self._window.clear()
        self._changed(state)


class Permit:
    """One admitted call. Leaving the block without a verdict, as a cancelled call does, counts for nothing."""

    __slots__ = ("_breaker", "_generation", "_verdict")

    def __init__(self, breaker: Breaker, generation: int) -> None:
        self._breaker = breaker
        self._generation = generation
        self._verdict: bool | None = None

    def succeeded(self) -> None:
        """The other side works."""
        self._verdict = False

    def failed(self) -> None:
        """The other side does not work."""
        self._verdict = True

    def __enter__(self) -> "Permit":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._breaker._ended(self._generation, self._verdict)
