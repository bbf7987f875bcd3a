"""How long a task usually takes: one that begins with much less time left would be paid for and thrown away."""

import math
import time
from collections.abc import Callable

_WEIGHT = 0.1
"""Of the newest in the running average."""
_FAIR_SHARE = 1.5
"""Of its usual time, what a task must have had before its failing to end in time says something."""
_FORGETTING, _FORGETS_EVERY_S = 0.98, 0.1
"""Applied when the time does not suffice, so that what was slow for a while is tried again; not more often than this, since a
moment in which the process stood still fails many at once."""


class Pace:
    """The running average of each task's latency, in seconds. A task may start with `share` of its usual time left."""

    def __init__(self, share: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._now_s = now_s
        self._usual_s: dict[str, float] = {}
        self._forgot_at_s: dict[str, float] = {}

    def observe(self, task: str, latency_s: float) -> None:
        """The task took so long."""
        usual_s = self._usual_s.get(task, latency_s)
        self._usual_s[task] = usual_s + _WEIGHT * (latency_s - usual_s)

    def allows(self, task: str, left_s: float) -> bool:
        """Whether the task may start with so much time left."""
        return self._suffices(task, left_s, self._share)

    def was_fair(self, task: str, had_s: float) -> bool:
        """Whether a task that ran out of so much time had had clearly more than it usually takes."""
        return self._suffices(task, had_s, _FAIR_SHARE)

    def _suffices(self, task: str, time_s: float, share: float) -> bool:
        usual_s = self._usual_s.get(task, 0.0)
        if time_s >= share * usual_s:
            return True
        now_s = self._now_s()
        if now_s - self._forgot_at_s.get(task, -math.inf) >= _FORGETS_EVERY_S:
            self._usual_s[task], self._forgot_at_s[task] = usual_s * _FORGETTING, now_s
        return False
