"""Wires and runs the gateway."""

import asyncio
from contextlib import AsyncExitStack

import structlog

import guard
from common import observability, process
from common.serving import DRAIN_S, Server, stop_signal
from common.settings import load
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.gateway import open_gateway, topology
from gateway.settings import PUBLIC_KEY, GatewaySettings

_log = structlog.get_logger("gateway")


async def main() -> None:
    """Settings, observability, broker, gateway, health; on SIGTERM hand every partition over, then stop."""
    settings = load(GatewaySettings)
    observability.setup("gateway", settings)
    if settings.gateway_pseudonym_key.get_secret_value() == PUBLIC_KEY:
        _log.warning("GATEWAY_PSEUDONYM_KEY is the public default: who sees an event can find out the customer's number")
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        options = RabbitOptions(
            url=settings.amqp_url.get_secret_value(),
            replica=settings.gateway_replica,
            prefetch=settings.gateway_prefetch,
            tls_ca_file=settings.amqp_ca_file or None,
        )
        broker = RabbitBroker(options, topology(settings))
        guard.load()
        stack.push_async_callback(broker.close)
        if not await _started(broker, stopping):
            return
        consumer = await open_gateway(settings, broker, stack)
        await consumer.start()
        # The gateway has no RPC of its own; the server is there for health checks alone.
        server = Server(settings, [])
        process.ready(await server.start(settings.gateway_listen))
        await stopping.wait()
        await consumer.stop(DRAIN_S)
        await server.stop()


async def _started(broker: RabbitBroker, stopping: asyncio.Event) -> bool:
    """True once the broker has answered; False when the process is told to stop before it has."""
    starting, told = asyncio.create_task(broker.start()), asyncio.create_task(stopping.wait())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False
    await starting
    return True


if __name__ == "__main__":
    process.run(main)
