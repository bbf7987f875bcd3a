"""What can be seen of the calls to an LLM; metrics implement it."""

from enum import StrEnum
from typing import Protocol

from common.breaker import BreakerState
from common.model_wire import Usage


class CallOutcome(StrEnum):
    """How one request to the provider ended."""

    OK = "ok"
    INVALID = "invalid"
    REFUSAL = "refusal"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    SERVER_ERROR = "server_error"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ModelObserver(Protocol):
    """Sees what happens, for metrics."""

    def call_finished(self, task: str, model: str, outcome: CallOutcome, latency_s: float, usage: Usage) -> None:
        """One request ended; `usage` is all zeros when none was reported."""

    def breaker_changed(self, task: str, state: BreakerState) -> None:
        """The circuit of a task moved."""


class NoObserver:
    """For those who do not look."""

    def call_finished(self, task: str, model: str, outcome: CallOutcome, latency_s: float, usage: Usage) -> None:
        """Nothing is noted."""

    def breaker_changed(self, task: str, state: BreakerState) -> None:
        """Nothing is noted."""
