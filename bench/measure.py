"""One measured run at one rate, and what is computed from it; the rows are those of `pyloto bench --json`."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.load import Ledger
from bench.processes import Usage

# The simulated provider's delays, in milliseconds: task 1, then the longer of tasks 2 and 3.
DELAYS_MS = {"fsm": 400.0, "response": 900.0, "msgtype": 300.0}
CRITICAL_PATH_MS = DELAYS_MS["fsm"] + max(DELAYS_MS["response"], DELAYS_MS["msgtype"])


@dataclass(frozen=True, slots=True)
class ModelCalls:
    """What the simulator counted: calls, prompt tokens, and those of them that were cached."""

    calls: int
    prompt_tokens: int
    cached_tokens: int

    def since(self, before: "ModelCalls") -> "ModelCalls":
        """What came after `before`."""
        return ModelCalls(
            self.calls - before.calls, self.prompt_tokens - before.prompt_tokens, self.cached_tokens - before.cached_tokens
        )


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one rate; times in milliseconds, memory in MiB, CPU in milliseconds per message."""

    rate: float
    duration_s: float
    sent: int
    answered: int
    silent: int
    """Of the answered: the decision was to say nothing."""
    lost: int
    duplicated: int
    errors: int
    fallback: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    overhead_p50_ms: float
    overhead_p99_ms: float
    cpu_ms_per_message: Mapping[str, float]
    rss_mib: Mapping[str, float]
    llm_calls_per_message: float
    cached_prefix_share: float

    @property
    def sustained(self) -> bool:
        """Whether the rate is held: all answered in time, no error, and not by way of the deterministic path."""
        return not self.lost and not self.errors and self.p99_ms < 3000 and self.fallback <= 0.01 * self.sent


def row(
    rate: float, duration_s: float, ledger: Ledger, before: Mapping[str, Usage], after: Mapping[str, Usage], calls: ModelCalls
) -> Row:
    """The figures of a run."""
    latencies = ledger.latencies_ms()
    sent = len(ledger.sent_at)
    cpu = {name: (after[name].cpu_s - before[name].cpu_s) * 1000 / max(sent, 1) for name in after if name in before}
    return Row(
        rate=rate,
        duration_s=duration_s,
        sent=sent,
        answered=sent - ledger.lost,
        silent=len(ledger.silent),
        lost=ledger.lost,
        duplicated=ledger.duplicates,
        errors=ledger.errors,
        fallback=ledger.fallbacks,
        p50_ms=percentile(latencies, 0.50),
        p95_ms=percentile(latencies, 0.95),
        p99_ms=percentile(latencies, 0.99),
        max_ms=percentile(latencies, 1.0),
        overhead_p50_ms=percentile(latencies, 0.50) - CRITICAL_PATH_MS if latencies else 0.0,
        overhead_p99_ms=percentile(latencies, 0.99) - CRITICAL_PATH_MS if latencies else 0.0,
        cpu_ms_per_message={**{name: round(value, 2) for name, value in cpu.items()}, "total": round(sum(cpu.values()), 2)},
        rss_mib={name: round(used.rss_mib, 1) for name, used in after.items()},
        llm_calls_per_message=round(calls.calls / max(sent, 1), 3),
        cached_prefix_share=round(calls.cached_tokens / max(calls.prompt_tokens, 1), 3),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value at `share` of an ordered sequence; 0 for an empty one."""
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 1) if ordered else 0.0


def middle(values: Sequence[float]) -> float:
    """The median, for repeated measurements."""
    return statistics.median(values) if values else 0.0
