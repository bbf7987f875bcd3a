"""Scenario: the LLM hangs, is slow, or returns rubbish for every call; each message is answered in time all the same."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import cast

import orjson
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from bench.chaos import report
from bench.chaos.audit import Audit
from bench.chaos.evidence import Interval
from bench.chaos.ledger import PROMISE_S, Ledger, ledger
from bench.chaos.plan import Kind
from bench.chaos.stage import Stage
from bench.chaos.storm import evidence, settled
from bench.chaos.traffic import Customers, Message, messages
from bench.chaos.witness import Witness
from gateway.broker import Publication, Reader

PHASES: Mapping[str, Mapping[str, JsonValue]] = {
    "hang": {"rates": {"hang": 1.0}},
    "slow": {"delay": {"median_ms": 6000.0}},
    "rubbish": {"rates": {"not_json": 0.3, "schema_miss": 0.3, "cut_json": 0.2, "refusal": 0.1, "invented_enum": 0.1}},
    "errors": {"rates": {"server_error": 0.5, "rate_limit": 0.3, "disconnect": 0.2}},
}
"""What every call meets, one after the other."""
RECOVERY_LIMIT_S = 15.0
"""A circuit stays open for 2 s; then one call at a time finds out whether the model works again."""
_MODEL_USERS = ("fsm", "fsm-2", "response", "response-2", "msgtype", "msgtype-2")
_BREAKER = re.compile(r'^pyloto_llm_breaker_state\{task="(\w+)"\} ([\d.]+)$', re.MULTILINE)
_FALLBACKS = re.compile(r"^pyloto_task_fallbacks_total\{([^}]*)\} ([\d.e+]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Phase:
    """What came of the messages of one phase."""

    name: str
    answered: int
    slowest_s: float
    fallback_replies: int
    events: int
    fallback_events: int
    stored: int
    fallback_stored: int
    """Of the response task's stored results, those whose source is the deterministic path."""
    fallback_metric: int
    """Growth of `pyloto_task_fallbacks_total` for the response task, over its replicas."""
    breakers_opened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The whole scenario; `recovered_s` from the model's recovery until a reply is the model's own again."""

    ledger: Ledger
    phases: tuple[Phase, ...]
    recovered_s: float
    breakers_closed: bool
    breaches: tuple[str, ...]

    def show(self, console: Console) -> None:
        """A line per phase, the recovery, the breaches."""
        table = Table("the LLM", "replies", "slowest s", "marked: reply", "event", "stored", "metric", "circuits opened")
        for phase in self.phases:
            marks = (f"{phase.fallback_events}/{phase.events}", f"{phase.fallback_stored}/{phase.stored}")
            cells = (phase.name, phase.answered, phase.slowest_s, f"{phase.fallback_replies}/{phase.answered}", *marks)
            table.add_row(*map(str, cells), str(phase.fallback_metric), ", ".join(phase.breakers_opened))
        console.print(table)
        report.show_ledger(self.ledger, "all messages of the scenario", console)
        console.print(f"after the recovery: the model answers and every circuit is closed within {self.recovered_s} s")
        report.show_breaches(self.breaches, console)

    def figures(self) -> dict[str, object]:
        """The ledger's fields at the top, and the phases."""
        return {**asdict(self.ledger), **asdict(self), "ledger": None}


async def deadline(stage: Stage, per_phase: int, rate: float, seed: int, tell: Callable[[str], None]) -> Deadlines:
    """Every phase, then the recovery."""
    events = await stage.broker.subscribe(stage.broker.topology.events, "turn.answered")
    customers = Customers(stage.broker)
    plan = messages(seed, rate, f"d{seed}")
    async with Witness(stage.broker, customers.sent.texts) as witness, Audit(stage.store_url) as audit:
        # What happens once per process (first connections, first files of the store) is no part of what is measured.
        await customers.write(plan, int(2 * rate), lambda _: None)
        await settled(stage, customers.sent, witness, audit, tell)
        phases, intervals = [], []
        for name, behaviour in PHASES.items():
            tell(f"the LLM: {name}")
            from_s = time.time()
            phases.append(await _phase(stage, name, behaviour, customers, plan, per_phase, witness, audit, events, tell))
            # What is asked twice because the answer was rubbish is the repair that is meant to be.
            intervals.append(Interval(Kind.LIE, name, from_s, time.time(), essential=False))
        tell("the LLM works again")
        recovered_s = await _recovery(stage, customers, plan, witness)
        closed = not await _open_breakers(stage)
        await settled(stage, customers.sent, witness, audit, tell)
        seen = await evidence(stage, customers.sent, witness, audit, intervals)
        found = ledger(seen)
    breaches = (
        *found.breaches,
        *(problem for phase in phases for problem in _problems(phase)),
        *(() if recovered_s <= RECOVERY_LIMIT_S else (f"no answer of the model within {RECOVERY_LIMIT_S:g} s",)),
        *(() if closed else ("a circuit is still open after the recovery",)),
    )
    return Deadlines(found, tuple(phases), recovered_s, closed, breaches)


async def _phase(
    stage: Stage,
    name: str,
    behaviour: Mapping[str, JsonValue],
    customers: Customers,
    plan: Iterator[Message],
    count: int,
    witness: Witness,
    audit: Audit,
    events: Reader[Publication],
    tell: Callable[[str], None],
) -> Phase:
    await stage.configure_simulator(tasks=stage.delays.tasks(**behaviour))
    before, from_reply, earlier = await _fallbacks(stage), len(witness.replies), set(customers.sent.accepted)
    opened: set[str] = set()
    watch = asyncio.create_task(_watch_breakers(stage, opened))
    try:
        await customers.write(plan, count, lambda _: None)
        await settled(stage, customers.sent, witness, audit, tell)
    finally:
        watch.cancel()
    ids = customers.sent.accepted.keys() - earlier
    # Of a reply that came again, for a message that was published again, the first counts.
    replies = {reply.reply_id: reply for reply in reversed(witness.replies[from_reply:]) if ids & set(reply.in_reply_to)}
    waits_s = [
        reply.at_s - customers.sent.accepted[message_id].published_at_s
        for reply in replies.values()
        for message_id in reply.in_reply_to
        if message_id in ids
    ]
    turns = set((await audit.turn_of(ids)).values())
    said = {turn_id: event for turn_id, event in (await _events(events)).items() if turn_id in turns and not event["reason"]}
    stored = [result for result in await audit.results("response", "replies") if result["_id"] in turns]
    sources = [str(cast("dict[str, object]", result["provenance"])["source"]) for result in stored]
    return Phase(
        name=name,
        answered=len(replies),
        slowest_s=round(max(waits_s, default=0.0), 2),
        fallback_replies=sum(reply.fallback for reply in replies.values()),
        events=len(said),
        fallback_events=sum(bool(event["fallback"]) for event in said.values()),
        stored=len(stored),
        fallback_stored=sources.count("FALLBACK"),
        fallback_metric=round(await _fallbacks(stage) - before),
        breakers_opened=tuple(sorted(opened)),
    )


def _problems(phase: Phase) -> list[str]:
    """What of the phase breaks the promise."""
    problems = []
    if phase.slowest_s > PROMISE_S:
        problems.append(f"{phase.name}: answered after {phase.slowest_s} s")
    for what, marked, count in (
        ("reply", phase.fallback_replies, phase.answered),
        ("event", phase.fallback_events, phase.events),
        ("stored result", phase.fallback_stored, phase.stored),
    ):
        if marked < count or not count:
            problems.append(f"{phase.name}: {marked} of {count} times the {what} says that the deterministic path wrote it")
    if phase.fallback_metric < phase.answered:
        problems.append(f"{phase.name}: the metric counted {phase.fallback_metric} for {phase.answered} replies")
    return problems


async def _recovery(stage: Stage, customers: Customers, plan: Iterator[Message], witness: Witness) -> float:
    """Seconds until a reply is the model's own again and every circuit that customers' messages reach is closed."""
    await stage.configure_simulator(tasks=stage.delays.tasks())
    began_s = time.monotonic()
    while (took_s := time.monotonic() - began_s) <= RECOVERY_LIMIT_S:
        from_reply = len(witness.replies)
        await customers.write(plan, 10, lambda _: None)
        await asyncio.sleep(1.0)
        model_again = any(not reply.fallback for reply in witness.replies[from_reply:])
        if model_again and not await _open_breakers(stage):
            return round(time.monotonic() - began_s, 1)
    return round(took_s, 1)


async def _watch_breakers(stage: Stage, opened: set[str]) -> None:
    while True:
        opened |= await _open_breakers(stage)
        await asyncio.sleep(0.5)


async def _open_breakers(stage: Stage) -> set[str]:
    """Tasks of which some replica's circuit is not closed."""
    texts = await asyncio.gather(*(stage.metrics_of(name) for name in _MODEL_USERS))
    return {task for text in texts for task, state in _BREAKER.findall(text) if float(state) > 0}


async def _fallbacks(stage: Stage) -> float:
    """Over all services, the answers of the deterministic path because the model gave none."""
    texts = await asyncio.gather(*(stage.metrics_of(name) for name in _MODEL_USERS))
    counts = [(labels, float(count)) for text in texts for labels, count in _FALLBACKS.findall(text)]
    return sum(count for labels, count in counts if 'task="response"' in labels)


async def _events(events: Reader[Publication]) -> dict[str, dict[str, object]]:
    """What has arrived, by turn."""
    found: dict[str, dict[str, object]] = {}
    with contextlib.suppress(TimeoutError):
        while True:
            event = orjson.loads((await events.next(timeout_s=0.3)).body)
            found[event["turn_id"]] = event
    return found
