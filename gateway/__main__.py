"""Wires and runs the gateway."""

from contextlib import AsyncExitStack

import guard
from common import observability, process
from common.serving import DRAIN_S, Server, stop_signal
from common.settings import load
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.gateway import open_gateway, topology
from gateway.settings import GatewaySettings


async def main() -> None:
    """Settings, observability, broker, gateway, health; on SIGTERM hand every partition over, then stop."""
    settings = load(GatewaySettings)
    observability.setup("gateway", settings)
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
        await broker.start()
        stack.push_async_callback(broker.close)
        consumer = await open_gateway(settings, broker, stack)
        await consumer.start()
        # The gateway has no RPC of its own; the server is there for health checks alone.
        server = Server(settings, [])
        process.ready(await server.start(settings.gateway_listen))
        await stopping.wait()
        await consumer.stop(DRAIN_S)
        await server.stop()


if __name__ == "__main__":
    process.run(main)
