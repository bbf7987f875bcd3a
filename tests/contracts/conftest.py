"""The two brokers that each contract test runs on."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from gateway.topology import Topology
from tests.contracts.brokers import Clients, MemoryClients, OpenClients, RabbitClients
from tests.rabbitmq import ensure_rabbitmq


@pytest.fixture(params=["memory", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
async def clients_of(request: pytest.FixtureRequest) -> AsyncIterator[OpenClients]:
    """Makes clients for a topology; each test has its own broker, or its own names on the real one."""
    async with AsyncExitStack() as stack:

        def open_clients(topology: Topology) -> Clients:
            if request.param == "memory":
                return MemoryClients(topology)
            return RabbitClients(ensure_rabbitmq(), topology, stack)

        yield open_clients
