"""One deadline per turn, as a point in time that each step asks for what is left."""

import time
from dataclasses import dataclass

from common.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock, in seconds."""

    at_s: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """The deadline that lies `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def remaining_s(self) -> float:
        """Seconds left; negative once it has passed."""
        return self.at_s - time.monotonic()

    def minus(self, reserve_s: float) -> "Deadline":
        """An earlier deadline, that keeps `reserve_s` for what has to happen afterwards."""
        return Deadline(self.at_s - reserve_s)

    def require_s(self, at_least_s: float = 0.0) -> float:
        """Seconds left, or DeadlineExceeded when fewer than `at_least_s` are: no call starts that cannot finish."""
        left = self.remaining_s()
        if left <= at_least_s:
            raise DeadlineExceeded(f"{max(left, 0.0) * 1000:.0f} ms are left and {at_least_s * 1000:.0f} ms are needed")
        return left
