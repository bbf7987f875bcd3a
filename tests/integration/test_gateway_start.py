"""The gateway while RabbitMQ is not there yet."""

import asyncio
import os
import sys


async def test_a_gateway_that_waits_for_rabbitmq_stops_when_it_is_told_to() -> None:
    """A roll-out does not wait for the minute in which it would go on trying."""
    environment = os.environ | {"AMQP_URL": "amqp://guest:guest@127.0.0.1:1/", "GATEWAY_LISTEN": "127.0.0.1:0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"RabbitMQ does not answer" not in await process.stderr.readline():
            pass

    process.terminate()

    async with asyncio.timeout(5):
        assert await process.wait() == 0
