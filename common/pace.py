"""How long the calls of a task usually take: one that has much less time than that would be paid for and thrown away."""

_SHARE = 0.6
"""A call may start with this share of the usual time left: models are not that regular."""
_WEIGHT = 0.1
"""Of the newest call in the running average."""
_FORGETTING = 0.98
"""Applied at each refusal, so that a provider that was slow for a while is tried again."""


class Pace:
    """The running average of each task's latency, in seconds."""

    def __init__(self) -> None:
        self._usual_s: dict[str, float] = {}

    def observe(self, task: str, latency_s: float) -> None:
        """A call of the task took so long."""
        usual_s = self._usual_s.get(task, latency_s)
        self._usual_s[task] = usual_s + _WEIGHT * (latency_s - usual_s)

    def allows(self, task: str, left_s: float) -> bool:
        """Whether a call of the task may start with so much time left."""
        usual_s = self._usual_s.get(task, 0.0)
        if left_s >= _SHARE * usual_s:
            return True
        self._usual_s[task] = usual_s * _FORGETTING
        return False
