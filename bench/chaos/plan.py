"""Which faults, in which order, drawn from the seed: the same seed gives the same order."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is done to a target."""

    KILL = "kill"
    """SIGKILL, then a start."""
    RESTART = "restart"
    """An orderly stop (SIGTERM), then a start."""
    FREEZE = "freeze"
    """SIGSTOP, then SIGCONT: it holds its connections and does nothing."""
    CUT = "cut"
    """Every connection is reset."""
    SLOW = "slow"
    """Every chunk of data is late."""
    LIE = "lie"
    """The simulated LLM answers most calls with the fault that `target` names."""
    OVERLOAD = "overload"
    """More is published than can be answered; nothing is broken."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `lasts_s` is the time between breaking and mending, `pause_s` the quiet time after it."""

    kind: Kind
    target: str
    lasts_s: float
    pause_s: float


LIES = ("rate_limit", "server_error", "hang", "cut_json", "schema_miss", "overlay")
"""`overlay` is a text that quotes a price."""
LINES = ("connections", "store", "llm", "broker")
"""`connections`: the broker closes them all. The others: the proxy in front of that part resets them."""
SLOW_LINES = ("store", "llm")
BROKER = "rabbitmq"

SLOWNESS_S = 0.04


def process_faults(seed: int, processes: Sequence[str]) -> Iterator[Fault]:
    """For ever: every process once killed (the broker is stopped and started), then every process once frozen, shuffled."""
    draw = random.Random(f"{seed}:processes")
    while True:
        for kind in (Kind.KILL, Kind.FREEZE):
            for target in draw.sample(list(processes), len(processes)):
                lasts_s = draw.uniform(1.0, 2.0) if kind is Kind.FREEZE else draw.uniform(0.0, 1.0)
                orderly = kind is Kind.KILL and target == BROKER
                yield Fault(Kind.RESTART if orderly else kind, target, lasts_s, draw.uniform(1.0, 3.0))


def other_faults(seed: int) -> Iterator[Fault]:
    """For ever: lies, cuts and slow lines, shuffled each time."""
    draw = random.Random(f"{seed}:lines")
    deck = [
        *((Kind.LIE, target) for target in LIES),
        *((Kind.CUT, target) for target in LINES),
        *((Kind.SLOW, target) for target in SLOW_LINES),
    ]
    while True:
        for kind, target in draw.sample(deck, len(deck)):
            lasts_s = 0.0 if kind is Kind.CUT else draw.uniform(1.5, 2.5)
            yield Fault(kind, target, lasts_s, draw.uniform(2.0, 4.0))
