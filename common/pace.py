"""How long a task usually takes: one that begins with much less time left would be paid for and thrown away."""

_WEIGHT = 0.1
"""Of the newest in the running average."""
_FAIR_SHARE = 1.25
"""Of its usual time, what a task must have had before its failing to end in time says something."""
_FORGETTING = 0.98
"""Applied whenever the time does not suffice, so that what was slow for a while is tried again."""


class Pace:
    """The running average of each task's latency, in seconds. A task may start with `share` of its usual time left."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._usual_s: dict[str, float] = {}

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
        self._usual_s[task] = usual_s * _FORGETTING
        return False
