"""Breaks one thing and mends it again, and writes down from when to when."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from pydantic import JsonValue

from bench.chaos.evidence import Interval
from bench.chaos.plan import BROKER, SLOWNESS_S, Fault, Kind
from bench.chaos.stage import SIMULATOR, STORE, Stage
from common.errors import PylotoError

QUOTE = "Custa R$ 99,90 por mês, com 10% de desconto se fechar hoje."
"""What the lying model says where its answer has a text."""
LIE_SHARE = 0.6
_RETURN_S = 60.0
_POLL_S = 0.3


class Breaker:
    """Does faults to the stage; `intervals` says what was broken when."""

    def __init__(self, stage: Stage, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._tell = tell
        self.intervals: list[Interval] = []

    async def do(self, fault: Fault) -> None:
        """The fault, from beginning to end. What cannot be mended is told and leaves as an error of ours."""
        async with self._noted(fault):
            match fault.kind:
                case Kind.KILL:
                    await self._kill(fault)
                case Kind.RESTART:
                    await self._restart(fault)
                case Kind.FREEZE:
                    await self._freeze(fault)
                case Kind.CUT:
                    await self._cut(fault)
                case Kind.SLOW:
                    await self._slow(fault)
                case Kind.LIE:
                    await self._lie(fault)
                case Kind.OVERLOAD:
                    raise ValueError("the customers make an overload, not the breaker")

    @asynccontextmanager
    async def _noted(self, fault: Fault) -> AsyncIterator[None]:
        from_s = time.time()
        try:
            yield
        finally:
            to_s = time.time()
            self.intervals.append(Interval(fault.kind, fault.target, from_s, to_s, _essential(fault)))
            self._tell(f"{fault.kind} {fault.target}: {to_s - from_s:.1f} s")

    async def _kill(self, fault: Fault) -> None:
        child = self._stage.children[fault.target]
        await child.kill()
        await asyncio.sleep(fault.lasts_s)
        await child.start()

    async def _restart(self, fault: Fault) -> None:
        if fault.target == BROKER:
            await asyncio.to_thread(self._stage.node.stop)
            await asyncio.sleep(fault.lasts_s)
            await asyncio.to_thread(self._stage.node.start)
            await consumers_return(self._stage)
            return
        child = self._stage.children[fault.target]
        await child.stop()
        await asyncio.sleep(fault.lasts_s)
        await child.start()

    async def _freeze(self, fault: Fault) -> None:
        pid = self._stage.node.pid if fault.target == BROKER else self._stage.children[fault.target].pid
        assert pid, f"{fault.target} is not running"
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.lasts_s)
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _cut(self, fault: Fault) -> None:
        if fault.target == "connections":
            try:
                await asyncio.to_thread(self._stage.node.ctl, "close_all_connections", "chaos")
            except PylotoError as error:
                # The tool's diagnosis is a page; most often the other hand is restarting the broker.
                self._tell(f"the broker could not be told to close its connections: {str(error).splitlines()[0]}")
        else:
            self._stage.proxies[fault.target].cut()

    async def _slow(self, fault: Fault) -> None:
        proxy = self._stage.proxies[fault.target]
        proxy.delay_s = SLOWNESS_S
        try:
            await asyncio.sleep(fault.lasts_s)
        finally:
            proxy.delay_s = 0.0

    async def _lie(self, fault: Fault) -> None:
        behaviour: dict[str, JsonValue] = {"rates": {fault.target: LIE_SHARE}, "overlay": {"text": QUOTE}}
        await self._configure(behaviour)
        try:
            await asyncio.sleep(fault.lasts_s)
        finally:
            await self._configure({})

    async def _configure(self, behaviour: Mapping[str, JsonValue]) -> None:
        """The simulator may be down or frozen by the other hand: then until it takes it."""
        while True:
            try:
                await self._stage.configure_simulator(tasks=self._stage.delays.tasks(**behaviour))
                return
            except (aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(_POLL_S)


def consumers_are_back(stage: Stage) -> bool:
    """Whether each partition is read by every gateway, by the broker's own account."""
    prefix = f"{stage.broker.topology.inbound}."
    try:
        lines = stage.node.ctl("list_queues", "name", "consumers", "--no-table-headers").splitlines()
    except PylotoError:
        return False
    counts = [int(line.split()[-1]) for line in lines if line.startswith(prefix)]
    return len(counts) == stage.broker.topology.partitions and min(counts) >= len(stage.gateways)


async def consumers_return(stage: Stage) -> bool:
    """Wait for it, since the gateways come back by themselves; False when they did not."""
    gives_up_at_s = time.monotonic() + _RETURN_S
    while time.monotonic() < gives_up_at_s:
        if await asyncio.to_thread(consumers_are_back, stage):
            return True
        await asyncio.sleep(_POLL_S)
    return False


def _essential(fault: Fault) -> bool:
    """Whether nothing, or nothing of a partition, can be answered without what was broken.

    Both replicas of a service are never down at the same time, and the LLM is no such part: the deterministic path answers.
    """
    if fault.kind is Kind.LIE or fault.target == "llm":
        return False
    return fault.target in {STORE, BROKER, "broker", "connections"} or fault.target.startswith("gateway")


def breakable(stage: Stage) -> list[str]:
    """Every process, by name, the broker among them."""
    return [*sorted(name for name in stage.children if name not in {STORE, SIMULATOR}), SIMULATOR, STORE, BROKER]
