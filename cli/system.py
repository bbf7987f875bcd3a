"""The whole system for one command: services and store as children, the gateway beside them or inside this process."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cli.processes import Child, Program, free_port, module, scratch_folder, store_program
from common import observability
from common.errors import PylotoError
from common.serving import DRAIN_S
from common.settings import load, parse_address
from gateway.broker import Broker
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.gateway import open_gateway, topology
from gateway.settings import GatewaySettings

SERVICES = (("context", "CONTEXT"), ("fsm", "FSM"), ("response", "RESPONSE"), ("msgtype", "MSGTYPE"))
"""Name and prefix of the settings, in the order to start them."""
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0
"""Between two starts of a program that keeps ending."""
_STEADY_S = 30.0
"""A program that ran so long is not one that keeps ending."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to bring up. Empty addresses mean the embedded part; `environment` goes to every process."""

    amqp_url: str = ""
    mongodb_url: str = ""
    llm_url: str = ""
    data_dir: Path | None = None
    gateways: int = 1
    replicas: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    log_level: str = "info"
    packages: Mapping[str, str] = field(default_factory=dict)
    """Other code to run in place of a service or the gateway, by its name; for measurements."""


class System:
    """The running parts by name, and a broker to publish and read with."""

    def __init__(self, folder: Path, children: dict[str, Child], mongodb_url: str, broker: Broker | None) -> None:
        self.folder = folder
        self.children = children
        self.mongodb_url = mongodb_url
        self._broker = broker

    def address(self, name: str) -> str:
        """Where a service answers gRPC, as host:port."""
        return f"127.0.0.1:{self.children[name].program.port}"

    @property
    def broker(self) -> Broker:
        """The embedded system's broker; with a real one, connect to it."""
        assert self._broker is not None, "only the embedded system has a broker of its own"
        return self._broker

    async def supervise(self, tell: Callable[[str], None]) -> None:
        """Start again whatever ends, until cancelled."""
        async with asyncio.TaskGroup() as watchers:
            for child in self.children.values():
                watchers.create_task(_keep_running(child, tell))


async def _keep_running(child: Child, tell: Callable[[str], None]) -> None:
    pause_s = _FIRST_PAUSE_S
    while True:
        started_at_s = time.monotonic()
        ended = await child.wait()
        if time.monotonic() - started_at_s > _STEADY_S:
            pause_s = _FIRST_PAUSE_S
        tell(f"{child.name} {_how(ended)}; starting it again (log: {child.log_path})")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        try:
            await child.start()
        except PylotoError as error:
            tell(f"{child.name} did not start: {error}")
        else:
            tell(f"{child.name} serves again, pid {child.pid}")


def _how(ended: int) -> str:
    return f"was ended by signal {-ended}" if ended < 0 else f"ended with exit code {ended}"


def plan(wanted: Wanted, folder: Path) -> tuple[dict[str, Program], str]:
    """The programs to run, by name, and the store's address; ports are fixed here so that a restart finds its place."""
    programs: dict[str, Program] = {}
    mongodb_url = wanted.mongodb_url
    if not mongodb_url:
        port = free_port()
        programs["store"] = store_program(folder, port)
        mongodb_url = f"mongodb://127.0.0.1:{port}"
    names = [
        (service if number == 0 else f"{service}-{number + 1}", service, prefix)
        for service, prefix in SERVICES
        for number in range(1 if service == "context" else wanted.replicas)
    ]
    ports = {name: _port(prefix, name == service) for name, service, prefix in names}
    targets = {
        f"{prefix}_TARGET": "ipv4:" + ",".join(f"127.0.0.1:{ports[name]}" for name, of, _ in names if of == service)
        for service, prefix in SERVICES
    }
    shared = {
        "MONGODB_URL": mongodb_url,
        "LOG_LEVEL": wanted.log_level,
        **({"LLM_BASE_URL": wanted.llm_url} if wanted.llm_url else {}),
        **({"AMQP_URL": wanted.amqp_url} if wanted.amqp_url else {}),
        **targets,
        **wanted.environment,
    }
    for name, service, prefix in names:
        listen = {f"{prefix}_LISTEN": f"127.0.0.1:{ports[name]}"}
        programs[name] = module(name, _package(wanted, service), {**shared, **listen}, ports[name])
    if wanted.amqp_url:
        for number in range(wanted.gateways):
            name, port = (f"gateway-{number + 1}" if number else "gateway"), _port("GATEWAY", number == 0)
            own = {"GATEWAY_LISTEN": f"127.0.0.1:{port}", "GATEWAY_REPLICA": name}
            programs[name] = module(name, wanted.packages.get("gateway", "gateway"), {**shared, **own}, port)
    return programs, mongodb_url


def _port(prefix: str, first: bool) -> int:
    """The port of its `…_LISTEN` in the environment for the first process of a kind, else a free one."""
    setting = f"{prefix}_LISTEN"
    wanted = os.environ.get(setting, "") if first else ""
    return (parse_address(wanted, setting)[1] if wanted else 0) or free_port()


def _package(wanted: Wanted, service: str) -> str:
    return wanted.packages.get(service, f"{service}_service")


@asynccontextmanager
async def bring_up(wanted: Wanted, tell: Callable[[str], None]) -> AsyncIterator[System]:
    """Everything that was asked for, ready; at the end everything is stopped in the reverse order."""
    async with AsyncExitStack() as stack:
        folder = wanted.data_dir or Path(stack.enter_context(scratch_folder()))
        folder.mkdir(parents=True, exist_ok=True)
        programs, mongodb_url = plan(wanted, folder)
        children = {name: Child(program, folder) for name, program in programs.items()}
        stores = [child for name, child in children.items() if name == "store"]
        gateways = [child for name, child in children.items() if name.startswith("gateway")]
        services = [child for child in children.values() if child not in stores and child not in gateways]
        # Stopped in the reverse order. The services come up without waiting for the store: they start side by side.
        stack.push_async_callback(_stop_all, stores)
        stack.push_async_callback(_stop_all, services)
        await _start_all([*stores, *services], tell)
        stack.push_async_callback(_stop_all, gateways)
        await _start_all(gateways, tell)
        broker = None if wanted.amqp_url else await _embedded_gateway(programs, wanted, folder, stack)
        yield System(folder, children, mongodb_url, broker)


async def _start_all(children: list[Child], tell: Callable[[str], None]) -> None:
    if children:
        tell(f"starting {', '.join(child.name for child in children)}")
        async with asyncio.TaskGroup() as starts:
            for child in children:
                starts.create_task(child.start())


async def _stop_all(children: list[Child]) -> None:
    # The embedded store does not stop on SIGTERM while connections are open; its files survive a kill.
    await asyncio.gather(*(child.stop(patience_s=1.0 if child.name == "store" else DRAIN_S + 5) for child in children))


async def _embedded_gateway(programs: Mapping[str, Program], wanted: Wanted, folder: Path, stack: AsyncExitStack) -> Broker:
    """The gateway in this process, on the in-memory broker; its log goes to a file so that the terminal stays readable."""
    given = {name.lower(): value for name, value in programs["fsm"].environment.items()}
    known = {name: value for name, value in given.items() if name in GatewaySettings.model_fields}
    settings = load(lambda: GatewaySettings.model_validate(known))
    log = stack.enter_context((folder / "gateway.log").open("a", encoding="utf-8"))
    observability.setup("gateway", settings, log)
    names = topology(settings)
    broker = MemoryBroker(MemoryHub(names), prefetch=settings.gateway_prefetch)
    await broker.start()
    stack.push_async_callback(broker.close)
    consumer = await open_gateway(settings, broker, stack)
    await consumer.start()
    stack.push_async_callback(consumer.stop, DRAIN_S)
    return broker
