"""Scenario: about twice as much is published as can be answered; the queues take it, memory stays bounded, and it drains."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace

from rich.console import Console
from rich.table import Table

from bench.chaos import report
from bench.chaos.audit import Audit
from bench.chaos.evidence import RECOVERY_S, Interval
from bench.chaos.ledger import PROMISE_S, Ledger, ledger
from bench.chaos.plan import BROKER, Kind
from bench.chaos.stage import SIMULATOR, STORE, Stage
from bench.chaos.storm import evidence, settled
from bench.chaos.traffic import Customers, messages
from bench.chaos.witness import Witness
from bench.processes import usage
from cli.processes import accepts_connections
from common.errors import BrokerUnavailable
from common.health_probe import problem_of
from common.settings import Settings, load
from gateway.topology import Topology

GROWTH_MIB = 96.0
"""What a process of ours may grow by under the load, however long the queues become: a gateway holds at most its 400 turns
(GATEWAY_MAX_TURNS), some 0.15 MiB each, and 512 prefetched messages."""
_WARM_UP_RATE, _WARM_UP_S = 10.0, 3.0
_AFTERWARDS_RATE, _AFTERWARDS = 5.0, 25
_FOR_EVER = 10_000_000
_SAMPLE_S = 0.5
_TELL_S = 5.0
_STUCK_S = 30.0
"""The drain has failed when the queues have not become shorter for so long."""
_NOT_OURS = frozenset({STORE, SIMULATOR, BROKER})


@dataclass(frozen=True, slots=True)
class Pressure:
    """How much, for how long, which seed."""

    rate: float
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MiB of one process: before the load, at most, and when all was answered."""

    start: float
    peak: float
    end: float


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages that wait in all partitions together, without those that a gateway holds; seconds since the load began."""

    at_s: float
    waiting: int


@dataclass(frozen=True, slots=True)
class Overload:
    """The account, what the queues and the memory did, and who answers afterwards."""

    wanted: Pressure
    ledger: Ledger
    accepted_per_s: float
    """While the load lasted."""
    answered_per_s: float
    """While the load lasted; what was settled without a reply is not in it."""
    refusals: int
    """Publishes that the broker refused, because a partition was full, or did not confirm in time; they were repeated."""
    queue_limit: int
    depths: tuple[Depth, ...]
    drained_s: float | None
    """From the end of the load until no partition held a message; None when they did not drain."""
    memory: Mapping[str, Memory]
    silent: tuple[str, ...]
    """Processes that did not answer afterwards, or were not the same any more, each with the problem."""
    afterwards_slowest_s: float
    """Of the messages that were written when all had drained."""
    breaches: tuple[str, ...]

    @property
    def queue_peak(self) -> int:
        """The most messages that waited in the partitions."""
        return max((depth.waiting for depth in self.depths), default=0)

    def show(self, console: Console) -> None:
        """The account, the memory, the queues, the breaches."""
        wanted = self.wanted
        options = f"--scenario backpressure --rate {wanted.rate:g} --seconds {wanted.seconds:g}"
        if self.queue_limit != Topology().partition_max_length:
            options += f" --queue-limit {self.queue_limit}"
        report.show_ledger(self.ledger, f"pyloto chaos {options}", console)
        table = Table("MiB", "start", "peak", "end", title="memory", title_justify="left")
        for name, memory in self.memory.items():
            table.add_row(name, f"{memory.start:.0f}", f"{memory.peak:.0f}", f"{memory.end:.0f}")
        console.print(table)
        drained = "NOT drained" if self.drained_s is None else f"drained {self.drained_s:.1f} s after the load"
        console.print(
            f"published {self.accepted_per_s:.0f}/s, answered {self.answered_per_s:.0f}/s while it lasted;"
            f" at most {self.queue_peak} waited in the queues, {drained};"
            f" publishes refused or not confirmed, and repeated: {self.refusals}",
            soft_wrap=True,
        )
        if not self.queue_peak:
            console.print("nothing ever waited: this was no overload here, raise --rate", soft_wrap=True)
        console.print(f"afterwards: every process answers: {'NO' if self.silent else 'yes'}", end="")
        console.print(f"; the slowest new message took {self.afterwards_slowest_s:.2f} s")
        report.show_breaches(self.breaches, console)

    def figures(self) -> dict[str, object]:
        """The ledger's fields at the top, and the rest beside them."""
        return {**asdict(self.ledger), **asdict(self), "ledger": None, "queue_peak": self.queue_peak}


async def backpressure(stage: Stage, wanted: Pressure, tell: Callable[[str], None]) -> Overload:
    """The load, the drain, and what is left of it afterwards."""
    customers, run = Customers(stage.broker), f"p{wanted.seed}"
    pids = {name: child.pid for name, child in stage.children.items()}
    async with Witness(stage.broker, customers.sent.texts) as witness, Audit(stage.store_url) as audit:
        # What happens once per process (first connections, first files of the store) is no part of what is measured.
        warm_up = messages(wanted.seed, _WARM_UP_RATE, f"w{run}", repeats=False)
        await customers.write(warm_up, int(_WARM_UP_RATE * _WARM_UP_S), lambda _: None)
        await settled(stage, customers.sent, witness, audit, tell)
        before, replied_before = len(customers.sent.accepted), len(witness.replied)

        gauge = _Gauge(stage, lambda: (len(customers.sent.accepted), len(witness.replied)), tell)
        async with gauge:
            from_s = time.time()
            over = asyncio.Event()
            plan = messages(wanted.seed, wanted.rate, run, repeats=False)
            async with asyncio.TaskGroup() as hands:
                writing = hands.create_task(customers.write(plan, _FOR_EVER, lambda _: None, over=over))
                await asyncio.sleep(wanted.seconds)
                accepted, replied = len(customers.sent.accepted) - before, len(witness.replied) - replied_before
                over.set()
                tell(f"the load is over: {accepted} accepted, {replied} answered, {gauge.waiting} wait in the queues")
                await writing  # what was refused is still being repeated
            drained_s = await gauge.empty(since_s=from_s + wanted.seconds)
            await settled(stage, customers.sent, witness, audit, tell)
        overload = Interval(Kind.OVERLOAD, "gateway", from_s, time.time(), essential=True)

        # So that none of these is excused by the load.
        await asyncio.sleep(RECOVERY_S)
        tell(f"all is answered; {_AFTERWARDS} messages more")
        earlier = set(customers.sent.accepted)
        afterwards = messages(wanted.seed, _AFTERWARDS_RATE, f"a{run}", repeats=False)
        await customers.write(afterwards, _AFTERWARDS, lambda _: None)
        await settled(stage, customers.sent, witness, audit, tell)
        silent = await _silent(stage, pids)
        found = ledger(await evidence(stage, customers.sent, witness, audit, [overload]))
    overloaded = Overload(
        wanted=wanted,
        ledger=replace(found, faults={}),
        accepted_per_s=round(accepted / wanted.seconds, 1),
        answered_per_s=round(replied / wanted.seconds, 1),
        refusals=customers.sent.retries,
        queue_limit=stage.broker.topology.partition_max_length,
        depths=tuple(gauge.depths),
        drained_s=drained_s,
        memory=gauge.memory(),
        silent=silent,
        afterwards_slowest_s=_slowest_s(customers, witness, earlier),
        breaches=(),
    )
    return replace(overloaded, breaches=_breaches(overloaded, customers))


def _breaches(found: Overload, customers: Customers) -> tuple[str, ...]:
    return (
        *found.ledger.breaches,
        *(f"{len(customers.sent.refused)} messages were refused for good" for _ in customers.sent.refused[:1]),
        *(() if found.drained_s is not None else (f"the queues did not become shorter for {_STUCK_S:g} s",)),
        *(
            f"memory: {name} grew from {memory.start:.0f} to {memory.peak:.0f} MiB, more than {GROWTH_MIB:g} MiB"
            for name, memory in found.memory.items()
            if name not in _NOT_OURS and memory.peak - memory.start > GROWTH_MIB
        ),
        *(f"afterwards: {problem}" for problem in found.silent),
        *(
            f"afterwards: a message took {found.afterwards_slowest_s:.2f} s"
            for _ in range(found.afterwards_slowest_s > PROMISE_S)
        ),
    )


class _Gauge:
    """Reads queues and memory while it is entered, and tells how it goes."""

    def __init__(self, stage: Stage, progress: Callable[[], tuple[int, int]], tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._progress = progress
        self._tell = tell
        self._memory: dict[str, list[float]] = {}
        self._began_s = time.time()
        self._reading: asyncio.Task[None] | None = None
        self.depths: list[Depth] = []

    async def __aenter__(self) -> "_Gauge":
        await self._read()
        self._reading = asyncio.create_task(self._keep_reading())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._read()

    @property
    def waiting(self) -> int:
        """As read last."""
        return self.depths[-1].waiting

    def memory(self) -> dict[str, Memory]:
        """Of each process."""
        return {
            name: Memory(*(round(each, 1) for each in (read[0], max(read), read[-1]))) for name, read in self._memory.items()
        }

    async def empty(self, since_s: float) -> float | None:
        """Wait until nothing waits in the queues; the seconds since then, or None when they do not become shorter."""
        least, shorter_at_s = self.waiting, time.monotonic()
        while self.waiting:
            await asyncio.sleep(_SAMPLE_S)
            if self.waiting < least:
                least, shorter_at_s = self.waiting, time.monotonic()
            elif time.monotonic() - shorter_at_s > _STUCK_S:
                return None
        return round(max(time.time() - since_s, 0.0), 1)

    async def _keep_reading(self) -> None:
        told_at_s = time.monotonic()
        while True:
            await asyncio.sleep(_SAMPLE_S)
            await self._read()
            if time.monotonic() - told_at_s > _TELL_S:
                told_at_s = time.monotonic()
                accepted, answered = self._progress()
                self._tell(f"{accepted} accepted, {answered} answered, {self.waiting} wait in the queues")

    async def _read(self) -> None:
        pids = {name: child.pid for name, child in self._stage.children.items()} | {BROKER: self._stage.node.pid or 0}
        for name, used in usage(pids).items():
            self._memory.setdefault(name, []).append(used.rss_mib)
        try:
            depths = await self._stage.broker.depths()
        except BrokerUnavailable:
            return  # too busy to say so in time; the next reading will
        topology = self._stage.broker.topology
        waiting = sum(depths[topology.partition_queue(partition)] for partition in range(topology.partitions))
        self.depths.append(Depth(round(time.time() - self._began_s, 1), waiting))


async def _silent(stage: Stage, pids: Mapping[str, int]) -> tuple[str, ...]:
    """Who does not answer, or is not the process any more that it was before."""
    settings = load(Settings)

    async def problem(name: str) -> str:
        child = stage.children[name]
        if not child.running or child.pid != pids[name]:
            return f"{name} ended"
        if name in _NOT_OURS:
            return "" if accepts_connections(child.program.port) else f"{name} takes no connection"
        return await problem_of(f"127.0.0.1:{child.program.port}", settings)

    asked: list[Awaitable[str]] = [problem(name) for name in stage.children]
    found = [*(await asyncio.gather(*asked)), "" if stage.node.pid else f"{BROKER} ended"]
    return tuple(each for each in found if each)


def _slowest_s(customers: Customers, witness: Witness, earlier: set[str]) -> float:
    """Of the replies to the messages that were not there earlier."""
    sent = customers.sent.accepted
    waits_s = [
        reply.at_s - sent[message_id].published_at_s
        for reply in witness.replies
        for message_id in reply.in_reply_to
        if message_id in sent and message_id not in earlier
    ]
    return round(max(waits_s, default=0.0), 2)
