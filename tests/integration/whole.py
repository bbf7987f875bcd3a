"""The whole system in this process: real services, real store, the simulator, the gateway on the broker in memory."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import orjson
from pydantic import SecretStr

from gateway.broker import Publication, Reader
from gateway.broker_memory import MemoryBroker, MemoryHub
from gateway.gateway import open_gateway, topology
from gateway.inbound import JSON
from gateway.settings import GatewaySettings
from simulator.config import SimulatorConfig
from simulator.server import Simulator
from tests.services import context_service, fsm_service, msgtype_service, response_service
from tests.store import embedded_url, store_settings, store_values

WAIT_S = 10.0


@dataclass
class Whole:
    """What a channel adapter sees of it, and the simulators that count calls."""

    broker: MemoryBroker
    replies: Reader[Publication]
    models: Mapping[str, Simulator]

    async def send(self, text: str, *, message_id: str, headers: Mapping[str, str] | None = None, **fields: object) -> None:
        """Publish one message."""
        message = {
            "message_id": message_id,
            "conversation_id": "console:ana",
            "channel": "console",
            "sender_id": "ana",
            "text": text,
            "published_at_ms": int(time.time() * 1000),
        } | fields
        conversation = str(message["conversation_id"])
        publication = Publication(
            self.broker.topology.inbound, conversation, orjson.dumps(message), JSON, message_id, dict(headers or {})
        )
        await self.broker.publish(publication, timeout_s=1)

    async def reply(self) -> Publication:
        """The next reply."""
        return await self.replies.next(timeout_s=WAIT_S)

    @property
    def calls(self) -> int:
        """LLM calls of all services."""
        return sum(model.stats.calls for model in self.models.values())


@asynccontextmanager
async def whole(config: SimulatorConfig | None = None) -> AsyncIterator[Whole]:
    """Everything, started."""
    models = {task: Simulator(config) for task in ("fsm", "response", "msgtype")}
    async with AsyncExitStack() as stack:
        context_target = await stack.enter_async_context(context_service(store_settings()))
        fsm = await stack.enter_async_context(fsm_service(models["fsm"]))
        response = await stack.enter_async_context(response_service(models["response"]))
        msgtype = await stack.enter_async_context(msgtype_service(models["msgtype"]))
        settings = GatewaySettings(
            mongodb_url=SecretStr(embedded_url()),
            mongodb_database_prefix=str(store_values()["mongodb_database_prefix"]),
            fsm_target=fsm.target,
            response_target=response.target,
            msgtype_target=msgtype.target,
            context_target=context_target,
            gateway_partitions=2,
            gateway_channels="console",
        )
        broker = MemoryBroker(MemoryHub(topology(settings)))
        await broker.start()
        stack.push_async_callback(broker.close)
        consumer = await open_gateway(settings, broker, stack)
        await consumer.start()
        stack.push_async_callback(consumer.stop, 5)
        yield Whole(broker, await broker.subscribe(broker.topology.outbound, "#"), models)
