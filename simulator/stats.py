"""What the simulator counted, for tests and benchmarks to assert on."""

from collections import Counter, defaultdict

from pydantic import JsonValue


class Stats:
    """Calls by task, outcome and turn; tokens; and how many were in flight."""

    def __init__(self) -> None:
        self.calls = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """task → outcome → calls; an outcome is `ok`, a fault, `client_left` or a refused request's status."""
        self.tokens: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """task → `prompt`, `cached` or `completion` → tokens; only of calls that were answered."""
        self.turns: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """turn marker → task → calls."""

    def arrived(self) -> None:
        """A call came in."""
        self.calls += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def left(self, task: str, outcome: str) -> None:
        """The call is over."""
        self.in_flight -= 1
        self.outcomes[task][outcome] += 1

    def spent(self, task: str, prompt: int, cached: int, completion: int) -> None:
        """An answer was produced."""
        counted = self.tokens[task]
        counted["prompt"] += prompt
        counted["cached"] += cached
        counted["completion"] += completion

    def reset(self) -> None:
        """Start counting again; calls in flight stay in flight."""
        in_flight = self.in_flight
        Stats.__init__(self)
        self.in_flight = self.max_in_flight = in_flight

    def of_task(self, task: str) -> int:
        """Finished calls of a task."""
        return sum(self.outcomes[task].values()) if task in self.outcomes else 0

    def by_outcome(self) -> Counter[str]:
        """Finished calls by outcome, over all tasks."""
        total: Counter[str] = Counter()
        for counted in self.outcomes.values():
            total.update(counted)
        return total

    def as_json(self, *, with_turns: bool = False) -> dict[str, JsonValue]:
        """The form of `GET /simulator/stats`; `by_turn` only on demand, because it grows with the traffic."""
        tokens: Counter[str] = Counter()
        for counted in self.tokens.values():
            tokens.update(counted)
        result: dict[str, JsonValue] = {
            "calls": self.calls,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "by_outcome": dict(self.by_outcome()),
            "by_task": {
                task: {
                    "calls": sum(counted.values()),
                    "outcomes": dict(counted),
                    "tokens": dict(self.tokens.get(task, Counter())),
                }
                for task, counted in self.outcomes.items()
            },
            "tokens": {kind: tokens[kind] for kind in ("prompt", "cached", "completion")},
            "turns": len(self.turns),
        }
        if with_turns:
            result["by_turn"] = {turn: dict(counted) for turn, counted in self.turns.items()}
        return result
