"""Scenario: every process is stopped by SIGTERM and started again, one after the other, under load; then the broker."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import orjson
from rich.console import Console

from bench.chaos import report
from bench.chaos.audit import Audit
from bench.chaos.faults import Breaker, consumers_return
from bench.chaos.ledger import Ledger, ledger
from bench.chaos.plan import BROKER, Fault, Kind
from bench.chaos.stage import SIMULATOR, STORE, Stage
from bench.chaos.storm import evidence, settled
from bench.chaos.traffic import Customers, Sent, messages
from bench.chaos.witness import Witness

_PAUSE_S = 2.0
_WARM_UP_S = 2.0
_RESUMED = re.compile(r"^pyloto_duplicates_suppressed_total ([\d.e+]+)$", re.MULTILINE)
_UNDER_LOAD = 100_000
_POLL_S = 0.3
_TOLD = b" - INFO - "
"""How the embedded store marks what is no complaint."""
_FAILED_CALLS = frozenset(
    {
        "turn is tried again",
        "no text from the response service, the canonical one is said",
        "no form from the message-type service, plain text goes out",
    }
)


@dataclass(frozen=True, slots=True)
class Rollout:
    """The account of the rolling restart, then that of the broker's restart."""

    services: Ledger
    resumed: int
    """Messages that the broker delivered again although their turn had begun; what waited unbegun is handed over freely."""
    resumed_at_broker_restart: int
    """The same while the broker restarted: nobody can acknowledge what was answered meanwhile."""
    errors: tuple[str, ...]
    """Lines of level error, and calls that failed, in any process's log."""
    broker: Ledger
    consumers_returned: bool
    breaches: tuple[str, ...]

    def show(self, console: Console) -> None:
        """Both accounts."""
        report.show_ledger(self.services, "rolling restart of every process (SIGTERM)", console)
        console.print(f"delivered again after their turn had begun: {self.resumed}; errors: {len(self.errors)}")
        report.show_ledger(self.broker, "restart of the broker", console)
        console.print(f"delivered again after their turn had begun: {self.resumed_at_broker_restart}, as it has to be")
        console.print(f"every gateway reads every partition again: {'yes' if self.consumers_returned else 'NO'}")
        report.show_breaches(self.breaches, console)

    def figures(self) -> dict[str, object]:
        """The rolling restart's ledger at the top, the broker's under `broker`."""
        return {**asdict(self.services), **asdict(self), "services": None}


async def rollout(stage: Stage, rate: float, seed: int, tell: Callable[[str], None]) -> Rollout:
    """The rolling restart of every process of ours; then, with its own account, the broker's."""
    names = [name for name in stage.children if name not in {STORE, SIMULATOR}]
    lives = _Resumed(stage)
    logs = {name: child.log_path.stat().st_size for name, child in stage.children.items()}
    services, sent = await _under_load(stage, rate, f"r{seed}", seed, names, tell, lives)
    errors = tuple(problem for name, child in stage.children.items() for problem in _errors(name, child.log_path, logs[name]))
    resumed = lives.total
    broker, _ = await _under_load(stage, rate, f"b{seed}", seed, [BROKER], tell, lives)
    returned = await consumers_return(stage)
    breaches = (
        *(f"rolling restart: {breach}" for breach in services.breaches),
        *(f"rolling restart: {len(sent.refused)} publishes refused" for _ in sent.refused[:1]),
        *(f"rolling restart: {error}" for error in errors),
        *(f"rolling restart: {resumed} messages delivered again after their turn had begun" for _ in range(resumed > 0)),
        *(f"broker restart: {breach}" for breach in broker.breaches),
        *(() if returned else ("broker restart: not every gateway reads every partition again",)),
    )
    return Rollout(services, resumed, lives.total - resumed, errors, broker, returned, breaches)


async def _under_load(
    stage: Stage, rate: float, run: str, seed: int, names: list[str], tell: Callable[[str], None], lives: "_Resumed"
) -> tuple[Ledger, Sent]:
    customers, breaker, over = Customers(stage.broker), Breaker(stage, tell), asyncio.Event()
    async with Witness(stage.broker, customers.sent.texts) as witness, Audit(stage.store_url) as audit:
        plan = messages(seed, rate, run, repeats=False)
        # First connections and the store's first files are no part of what is measured.
        await customers.write(plan, int(_WARM_UP_S * rate), lambda _: None)
        await settled(stage, customers.sent, witness, audit, tell)
        customers.sent.accepted.clear()
        async with asyncio.TaskGroup() as hands:
            hands.create_task(customers.write(plan, _UNDER_LOAD, lambda _: None, over=over))
            watch = hands.create_task(lives.watch(stop=over))
            for name in names:
                await asyncio.sleep(_PAUSE_S)
                await breaker.do(Fault(Kind.RESTART, name, 0.0, 0.0))
            await asyncio.sleep(_PAUSE_S)
            over.set()
            await watch
        await settled(stage, customers.sent, witness, audit, tell)
        await lives.read()
        seen = await evidence(stage, customers.sent, witness, audit, breaker.intervals)
    return ledger(seen), customers.sent


class _Resumed:
    """Messages that the gateways met again although their turn had begun, over all lives of their processes."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._by_life: dict[tuple[str, int], int] = {}

    @property
    def total(self) -> int:
        """The sum of the last count of each life."""
        return sum(self._by_life.values())

    async def watch(self, stop: asyncio.Event) -> None:
        """Reads the metric again and again, since it ends with its process."""
        while not stop.is_set():
            await self.read()
            await asyncio.sleep(_POLL_S)

    async def read(self) -> None:
        """What each gateway has counted so far."""
        for name in self._stage.gateways:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                found = _RESUMED.search(await self._stage.metrics_of(name))
                self._by_life[name, self._stage.children[name].pid] = round(float(found.group(1))) if found else 0


def _errors(name: str, log: Path, offset: int) -> list[str]:
    """What the process complained of since then, each kind once with its count."""
    found: Counter[str] = Counter()
    for line in log.read_bytes()[offset:].splitlines():
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            if _TOLD not in line:
                found[line.decode(errors="replace")[:100]] += 1
            continue
        if entry.get("level") in {"error", "critical"} or entry.get("event") in _FAILED_CALLS:
            found[f"{entry.get('event')}: {str(entry.get('error', ''))[:100]}"] += 1
    return [f"{name}: {what} ×{count}" for what, count in found.items()]
