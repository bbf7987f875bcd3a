"""The whole system on a private RabbitMQ, with a proxy in front of store, LLM and broker, ready to be broken."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from pydantic import JsonValue

from bench.chaos.proxy import Proxy
from cli.processes import Child, Program, free_port, store_program
from cli.rabbitmq_node import RabbitMQNode
from cli.system import Wanted, plan
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.topology import Topology
from simulator.record import RecordedCall, recorded_calls

STORE, SIMULATOR = "store", "simulator"
_STORE_PATIENCE_S = 1.0
_QUICK_S = 5.0


@dataclass(frozen=True, slots=True)
class Delays:
    """What a call of each task takes, in milliseconds."""

    fsm: float = 400.0
    response: float = 900.0
    msgtype: float = 300.0

    def scaled(self, scale: float) -> "Delays":
        """The same, `scale` times as long."""
        return Delays(self.fsm * scale, self.response * scale, self.msgtype * scale)

    def tasks(self, **behaviour: JsonValue) -> dict[str, JsonValue]:
        """The simulator's configuration: these delays, and the same behaviour for each task."""
        return {
            task: {"delay": {"median_ms": median_ms}, **behaviour}
            for task, median_ms in (("fsm", self.fsm), ("response", self.response), ("msgtype", self.msgtype))
        }


class Stage:
    """Everything that runs, by name."""

    def __init__(
        self,
        folder: Path,
        node: RabbitMQNode,
        children: Mapping[str, Child],
        metrics_ports: Mapping[str, int],
        proxies: Mapping[str, Proxy],
        delays: Delays,
        store_url: str,
        topology: Topology,
    ) -> None:
        self.folder = folder
        self.node = node
        self.children = children
        self.metrics_ports = metrics_ports
        self.proxies = proxies
        self.delays = delays
        self.store_url = store_url
        self.broker = RabbitBroker(RabbitOptions(url=node.url, replica="chaos"), topology)

    @property
    def gateways(self) -> list[str]:
        """The names of the gateway's replicas."""
        return [name for name in self.children if name.startswith("gateway")]

    async def configure_simulator(self, **changes: JsonValue) -> None:
        """Change the simulator's behaviour; OSError or aiohttp.ClientError when it is down."""
        port = self.children[SIMULATOR].program.port
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_QUICK_S)) as session,
            session.post(f"http://127.0.0.1:{port}/simulator/config", json=changes) as response,
        ):
            response.raise_for_status()

    async def metrics_of(self, name: str) -> str:
        """A process's metrics as Prometheus text."""
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_QUICK_S)) as session,
            session.get(f"http://127.0.0.1:{self.metrics_ports[name]}/metrics") as response,
        ):
            return await response.text()

    def calls(self) -> list[RecordedCall]:
        """Every call that the simulator finished, over all its lives."""
        record = _record(self.folder)
        return list(recorded_calls(record)) if record.exists() else []


@asynccontextmanager
async def raised(
    folder: Path, delays: Delays, tell: Callable[[str], None], *, topology: Topology | None = None
) -> AsyncIterator[Stage]:
    """The stage, in an existing folder: 2 gateways, 2 each of fsm, response and msgtype, 1 context, store, LLM, RabbitMQ."""
    topology = topology or Topology()
    async with AsyncExitStack() as stack:
        tell("starting RabbitMQ, the store and the simulator")
        node = RabbitMQNode()
        stack.callback(node.remove)
        store = Child(store_program(folder, free_port()), folder)
        simulator = Child(_simulator_program(folder, delays), folder)
        stack.push_async_callback(_stop_all, [store, simulator])
        await asyncio.gather(asyncio.to_thread(node.start), store.start(), simulator.start())
        proxies = {
            "store": await stack.enter_async_context(Proxy(store.program.port)),
            "llm": await stack.enter_async_context(Proxy(simulator.program.port)),
            "broker": await stack.enter_async_context(Proxy(node.port)),
        }
        wanted = Wanted(
            amqp_url=f"amqp://guest:guest@127.0.0.1:{proxies['broker'].port}/",
            mongodb_url=f"mongodb://127.0.0.1:{proxies['store'].port}",
            llm_url=f"http://127.0.0.1:{proxies['llm'].port}/v1",
            gateways=2,
            replicas=2,
            environment={"GATEWAY_PARTITION_MAX_LENGTH": str(topology.partition_max_length)},
        )
        programs, _ = plan(wanted, folder)
        ports = {name: free_port() for name in programs}
        ours = {name: Child(_with_metrics(program, ports[name]), folder) for name, program in programs.items()}
        services = [child for name, child in ours.items() if not name.startswith("gateway")]
        gateways = [child for name, child in ours.items() if name.startswith("gateway")]
        for group in (services, gateways):
            tell(f"starting {', '.join(child.name for child in group)}")
            stack.push_async_callback(_stop_all, group)
            await asyncio.gather(*(child.start() for child in group))
        children = {**ours, SIMULATOR: simulator, STORE: store}
        store_url = f"mongodb://127.0.0.1:{store.program.port}"
        stage = Stage(folder, node, children, ports, proxies, delays, store_url, topology)
        await stage.broker.start()
        stack.push_async_callback(stage.broker.close)
        yield stage


async def _stop_all(children: list[Child]) -> None:
    await asyncio.gather(*(child.stop(patience_s=_STORE_PATIENCE_S if child.name == STORE else 15.0) for child in children))


def _with_metrics(program: Program, port: int) -> Program:
    return replace(program, environment={**program.environment, "METRICS_LISTEN": f"127.0.0.1:{port}"})


def _simulator_program(folder: Path, delays: Delays) -> Program:
    port = free_port()
    given = [f"{task}={ms}" for task, ms in (("fsm", delays.fsm), ("response", delays.response), ("msgtype", delays.msgtype))]
    options = [part for pair in given for part in ("--task-delay", pair)]
    arguments = ("-m", "simulator", "--port", str(port), "--record", str(_record(folder)), *options)
    return Program(SIMULATOR, (sys.executable, *arguments), {}, port, announces=False)


def _record(folder: Path) -> Path:
    return folder / "calls.jsonl"
