"""Every scenario's JSON has the keys that its readers rely on, at the top."""

import orjson
import pytest

from bench.chaos.backpressure import Memory, Overload, Pressure
from bench.chaos.deadline import Deadlines
from bench.chaos.evidence import Accepted, Evidence, Interval
from bench.chaos.ledger import ledger
from bench.chaos.report import Outcome
from bench.chaos.rollout import Rollout
from bench.chaos.storm import Storm, StormOutcome
from bench.chaos.traffic import Sent

PROMISED = (
    *("accepted", "answered", "escalated", "dead_lettered", "lost", "duplicates_before_dedupe", "duplicates", "out_of_order"),
    *("illegal_transitions", "llm_calls", "extra_llm_calls", "extra_llm_calls_explained", "late", "kills"),
)
KILLED = Interval("kill", "gateway", 1.0, 2.0, essential=True)
FOUND = ledger(Evidence(accepted=[Accepted("m1", "c", 0, 1.0)], faults=[KILLED]))
OVERLOAD = Overload(
    wanted=Pressure(160.0, 60.0, 1),
    ledger=FOUND,
    accepted_per_s=160.0,
    answered_per_s=80.0,
    refusals=0,
    queue_limit=100_000,
    depths=(),
    drained_s=12.0,
    memory={"gateway": Memory(90.0, 110.0, 100.0)},
    silent=(),
    afterwards_slowest_s=1.4,
    breaches=FOUND.breaches,
)
OUTCOMES = [
    StormOutcome(Storm(1, 30.0, 1), FOUND, Sent(), [KILLED]),
    Deadlines(FOUND, (), 1.0, breakers_closed=True, breaches=FOUND.breaches),
    Rollout(FOUND, 0, 0, (), FOUND, consumers_returned=True, breaches=FOUND.breaches),
    OVERLOAD,
]


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_the_figures_have_the_promised_keys_at_the_top(outcome: Outcome) -> None:
    """With the ledger's own values, as JSON numbers and one object."""
    figures = orjson.loads(orjson.dumps(outcome.figures()))

    assert {name: figures[name] for name in PROMISED[:-1]} == {name: getattr(FOUND, name) for name in PROMISED[:-1]}
    assert (figures["accepted"], figures["lost"]) == (1, 1)
    assert figures["kills"] == {"gateway": 1}
    assert figures["breaches"] == list(outcome.breaches)
