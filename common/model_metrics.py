"""What happens on the way to the LLM, as metrics."""

from common import metrics
from common.breaker import BreakerState
from common.model_observer import CallOutcome
from common.model_wire import Usage

_STATE_NUMBERS = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
_MILLION = 1_000_000


class ModelMetrics:
    """Counts calls, tokens and cost; prices are in USD per million tokens, 0 when unknown."""

    def __init__(self, *, input_price: float = 0.0, cached_price: float = 0.0, output_price: float = 0.0) -> None:
        self._input_price = input_price
        self._cached_price = cached_price
        self._output_price = output_price

    def call_finished(self, task: str, model: str, outcome: CallOutcome, latency_s: float, usage: Usage) -> None:
        """One request ended."""
        metrics.LLM_CALLS.labels(task, outcome.value).inc()
        metrics.LLM_CALL_SECONDS.labels(task).observe(latency_s)
        if not usage.prompt_tokens:
            return
        cached = usage.cached_tokens
        metrics.LLM_TOKENS.labels(task, "input").inc(usage.prompt_tokens)
        metrics.LLM_TOKENS.labels(task, "cached").inc(cached)
        metrics.LLM_TOKENS.labels(task, "output").inc(usage.completion_tokens)
        cost = (
            (usage.prompt_tokens - cached) * self._input_price
            + cached * self._cached_price
            + usage.completion_tokens * self._output_price
        )
        metrics.LLM_COST.labels(task).inc(cost / _MILLION)

    def breaker_changed(self, task: str, state: BreakerState) -> None:
        """The circuit of a task moved."""
        metrics.BREAKER_STATE.labels(task).set(_STATE_NUMBERS[state])
