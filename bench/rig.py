"""The system under load: RabbitMQ, store, simulator and services as separate processes, and one client to drive them."""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
from pydantic import SecretStr

from bench.load import CHANNEL, Ledger, Load, Reader, conversations_for, drive
from bench.measure import DELAYS_MS, ModelCalls, Row, row
from bench.processes import Usage, usage
from bench.texts import questions, replies
from cli.processes import Child, Program, free_port, module
from cli.rabbitmq_node import RabbitMQNode
from cli.system import Wanted, bring_up
from common import mongo, process
from common.settings import StoreSettings
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.store import TurnStore
from gateway.topology import Topology
from simulator.config import Behaviour, Delay, SimulatorConfig

FLOOR = {
    "fsm": "bench.floor.fsm",
    "response": "bench.floor.response",
    "msgtype": "bench.floor.msgtype",
    "gateway": "bench.floor.gateway",
}


@dataclass(frozen=True, slots=True)
class RigPlan:
    """What to bring up. An empty `amqp_url` starts a private RabbitMQ node."""

    amqp_url: str = ""
    gateways: int = 1
    replicas: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    floor: bool = False


class Rig:
    """A running system and the ways to load and look at it."""

    def __init__(
        self, pids: Mapping[str, int], broker: RabbitBroker, reader: Reader, simulator_url: str, turns: TurnStore
    ) -> None:
        self.pids = pids
        self.broker = broker
        self.reader = reader
        self._simulator_url = simulator_url
        self._turns = turns

    async def run(
        self,
        rate: float,
        duration_s: float,
        tell: Callable[[float, Ledger], None],
        conversations: int = 0,
    ) -> Row:
        """One open-loop run at a rate."""
        name = f"r{rate:g}-{time.time_ns() // 1_000_000}"
        load = Load(rate, duration_s, conversations or conversations_for(rate), name)
        before, calls = self._usage(), await self.model_calls()
        ledger = await drive(self.broker, self.reader, load, tell)
        after = self._usage()
        ledger.silent = await self._silent(ledger.unanswered())
        return row(rate, duration_s, ledger, before, after, (await self.model_calls()).since(calls))

    async def _silent(self, message_ids: set[str]) -> set[str]:
        found = await self._turns.turns_of([f"{CHANNEL}:{message_id}" for message_id in message_ids]) if message_ids else {}
        return {key.partition(":")[2] for key, turn in found.items() if turn.answer and turn.answer.outbound is None}

    async def model_calls(self) -> ModelCalls:
        """What the simulator has counted so far."""
        async with aiohttp.ClientSession() as session, session.get(f"{self._simulator_url}/simulator/stats") as response:
            stats = orjson.loads(await response.read())
        tokens = stats["tokens"]
        return ModelCalls(stats["calls"], tokens["prompt"], tokens["cached"])

    def _usage(self) -> dict[str, Usage]:
        return {**usage(self.pids), **usage({"load": os.getpid()}, children=False)}


@asynccontextmanager
async def open_rig(plan: RigPlan, tell: Callable[[str], None]) -> AsyncIterator[Rig]:
    """Everything up, and warm enough that the first rate is not measured cold."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyloto-bench-", ignore_cleanup_errors=True)))
        pids: dict[str, int] = {}
        amqp_url = plan.amqp_url
        if not amqp_url:
            tell("starting a private RabbitMQ node")
            node = RabbitMQNode()
            await asyncio.to_thread(node.start)
            stack.callback(node.remove)
            stack.callback(node.stop)
            amqp_url, pids["rabbitmq"] = node.url, node.pid or 0
        tell("choosing what customers and the model say")
        simulator = Child(await asyncio.to_thread(_simulator, folder), folder)
        stack.push_async_callback(simulator.stop)
        await simulator.start()
        simulator_url = f"http://127.0.0.1:{simulator.program.port}"
        wanted = Wanted(
            amqp_url=amqp_url,
            llm_url=f"{simulator_url}/v1",
            data_dir=folder / "system",
            gateways=plan.gateways,
            replicas=plan.replicas,
            environment=plan.environment,
            packages=FLOOR if plan.floor else {},
        )
        system = await stack.enter_async_context(bring_up(wanted, tell))
        pids |= {"simulator": simulator.pid, **{name: child.pid for name, child in system.children.items()}}
        broker = RabbitBroker(RabbitOptions(url=amqp_url, replica="bench"), Topology())
        await broker.start()
        stack.push_async_callback(broker.close)
        reader = await stack.enter_async_context(Reader(broker))
        settings = StoreSettings(mongodb_url=SecretStr(system.mongodb_url))
        turns = TurnStore(await stack.enter_async_context(mongo.connect(settings, "gateway")))
        rig = Rig(pids, broker, reader, simulator_url, turns)
        tell("warming up")
        process.rest_collector()
        await rig.run(20, 3, lambda *_: None)
        yield rig


def _simulator(folder: Path) -> Program:
    questions()  # read now, not while the clock runs
    tasks = {task: Behaviour(delay=Delay(median_ms=delay)) for task, delay in DELAYS_MS.items()}
    tasks["response"] = Behaviour(delay=tasks["response"].delay, variety=[{"text": text} for text in replies()])
    config = folder / "simulator.json"
    config.write_text(SimulatorConfig(tasks=tasks).model_dump_json(), encoding="utf-8")
    port = free_port()
    program = module("simulator", "simulator", {}, port)
    return Program("simulator", (*program.arguments, "--port", str(port), "--config", str(config)), {}, port, announces=False)
