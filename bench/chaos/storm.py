"""The main scenario: everything is broken in turn while customers write; then all heals, and the ledger is drawn up."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from rich.console import Console

from bench.chaos import report
from bench.chaos.audit import Audit
from bench.chaos.evidence import Call, Evidence, Interval
from bench.chaos.faults import Breaker, breakable
from bench.chaos.ledger import Ledger, ledger
from bench.chaos.plan import Fault, other_faults, process_faults
from bench.chaos.stage import Stage
from bench.chaos.traffic import Customers, Sent, messages
from bench.chaos.witness import Witness

_PATIENCE_S = 60.0
"""The wait for the rest ends when nothing more has come for so long."""
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Storm:
    """How much, how fast, which seed."""

    messages: int
    rate: float
    seed: int


@dataclass(frozen=True, slots=True)
class StormOutcome:
    """The ledger, with what was sent and broken."""

    wanted: Storm
    ledger: Ledger
    sent: Sent
    intervals: list[Interval]

    @property
    def breaches(self) -> tuple[str, ...]:
        """The ledger's."""
        return self.ledger.breaches

    def show(self, console: Console) -> None:
        """The ledger's table."""
        wanted = self.wanted
        title = f"pyloto chaos --messages {wanted.messages} --seed {wanted.seed} --rate {wanted.rate:g}"
        report.show_ledger(self.ledger, title, console)
        report.show_breaches(self.breaches, console)

    def figures(self) -> dict[str, object]:
        """The ledger's fields at the top, and each fault with its times."""
        sent = {"repeated_publishes": self.sent.repeats, "refused_publishes": len(self.sent.refused)}
        return {**asdict(self.ledger), **sent, "intervals": [asdict(interval) for interval in self.intervals]}


async def storm(stage: Stage, wanted: Storm, tell: Callable[[str], None]) -> StormOutcome:
    """The ledger of a run under faults."""
    customers = Customers(stage.broker)
    breaker = Breaker(stage, tell)
    async with Witness(stage.broker, customers.sent.texts) as witness, Audit(stage.store_url) as audit:
        over = asyncio.Event()

        def progress(sent: Sent) -> None:
            tell(f"{len(sent.accepted)} of {wanted.messages} accepted, {len(witness.replied)} answered")

        async with asyncio.TaskGroup() as hands:
            hands.create_task(_break(breaker, process_faults(wanted.seed, breakable(stage)), over))
            hands.create_task(_break(breaker, other_faults(wanted.seed), over))
            await customers.write(messages(wanted.seed, wanted.rate, f"s{wanted.seed}"), wanted.messages, progress)
            over.set()
        tell("everything heals; waiting for the rest")
        await settled(stage, customers.sent, witness, audit, tell)
        found = ledger(await evidence(stage, customers.sent, witness, audit, breaker.intervals))
        return StormOutcome(wanted, found, customers.sent, breaker.intervals)


async def _break(breaker: Breaker, faults: Iterator[Fault], over: asyncio.Event) -> None:
    """One fault after the other until the traffic is over."""
    while not over.is_set():
        fault = next(faults)
        with suppress(TimeoutError):
            async with asyncio.timeout(fault.pause_s):
                await over.wait()
        if not over.is_set():
            await breaker.do(fault)


async def settled(stage: Stage, sent: Sent, witness: Witness, audit: Audit, tell: Callable[[str], None]) -> None:
    """Wait until every accepted message has come to something, or nothing more comes."""
    last, since_s = -1, time.monotonic()
    while True:
        open_ids = sent.accepted.keys() - witness.replied
        turns = await audit.turn_of(open_ids)
        open_ids -= {message_id for message_id, turn_id in turns.items() if turn_id in witness.handed_off_turns}
        if open_ids:
            open_ids -= {letter.message_id for letter in await stage.broker.dead_letters(10_000)}
        if not open_ids:
            return
        if len(open_ids) != last:
            last, since_s = len(open_ids), time.monotonic()
            tell(f"{len(open_ids)} messages are open")
        if time.monotonic() - since_s > _PATIENCE_S:
            return
        await asyncio.sleep(_POLL_S)


async def evidence(stage: Stage, sent: Sent, witness: Witness, audit: Audit, faults: list[Interval]) -> Evidence:
    """All that was seen and stored. A hand-off or a repeated reply may come a moment after the last answer."""
    await asyncio.sleep(2 * _POLL_S)
    letters = await stage.broker.dead_letters(10_000)
    # The stage may have had another run before this one.
    turns = [turn for turn in await audit.turns() if sent.texts.keys() & set(turn.message_ids)]
    own = {turn.turn_id for turn in turns}
    talked = {turn.conversation_id for turn in turns}
    return Evidence(
        accepted=list(sent.accepted.values()),
        replies=list(witness.replies),
        hand_offs=list(witness.hand_offs),
        dead={letter.message_id: letter.reason for letter in letters},
        turns=turns,
        conversations=[each for each in await audit.conversations() if each.conversation_id in talked],
        calls=[Call(call.turn, call.task, call.outcome, call.from_s, call.to_s) for call in stage.calls() if call.turn in own],
        faults=faults,
    )
