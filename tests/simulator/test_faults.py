"""Each fault looks on the wire as a real provider's, and seeded runs repeat."""

import asyncio

import aiohttp
import jsonschema
import orjson
import pytest

from simulator.config import Behaviour, Delay, Fault, SimulatorConfig
from simulator.instances import INVENTED
from tests.simulator.client import SCHEMA, in_flight, simulated


def always(fault: Fault) -> SimulatorConfig:
    """Every call gets this fault."""
    return SimulatorConfig(default=Behaviour(rates={fault: 1.0}, retry_after_ms=1500, overlay={"text": "R$ 10"}))


async def test_rate_limit() -> None:
    """429 with both headers."""
    async with simulated(always(Fault.RATE_LIMIT)) as client:
        reply = await client.chat()

    assert (reply.status, reply.error["code"]) == (429, "rate_limit_exceeded")
    assert (reply.headers["Retry-After"], reply.headers["Retry-After-ms"]) == ("2", "1500")


async def test_quota() -> None:
    """429 with the code that no waiting cures."""
    async with simulated(always(Fault.QUOTA)) as client:
        reply = await client.chat()

    assert (reply.status, reply.error["code"]) == (429, "insufficient_quota")


async def test_server_error() -> None:
    """500 with an error body."""
    async with simulated(always(Fault.SERVER_ERROR)) as client:
        assert (await client.chat()).status == 500


async def test_disconnect() -> None:
    """The body ends before its announced length."""
    async with simulated(always(Fault.DISCONNECT)) as client:
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.chat()


async def test_hang_ends_when_the_client_leaves() -> None:
    """Nothing comes, and nothing stays behind."""
    async with simulated(always(Fault.HANG)) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.chat(), 0.05)
        await in_flight(client, 0)

        assert client.simulator.stats.by_outcome() == {"hang": 1}


async def test_stop_ends_hung_calls() -> None:
    """A stopped simulator cuts its clients off; it does not wait for them."""
    async with simulated(always(Fault.HANG)) as client:
        call = asyncio.create_task(client.chat())
        await in_flight(client, 1)

        await client.simulator.stop()

        with pytest.raises(aiohttp.ClientError):
            await call


async def test_a_client_that_leaves_during_the_delay_is_counted() -> None:
    """Its outcome has a name of its own."""
    config = SimulatorConfig(default=Behaviour(delay=Delay(median_ms=60_000)))
    async with simulated(config) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.chat(), 0.05)
        await in_flight(client, 0)

        assert client.simulator.stats.by_outcome() == {"client_left": 1}


async def test_cut_json() -> None:
    """The text is the beginning of JSON, with finish_reason `length`."""
    async with simulated(always(Fault.CUT_JSON)) as client:
        reply = await client.chat()

    assert reply.choice["finish_reason"] == "length"
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reply.content)


async def test_not_json() -> None:
    """Prose where JSON was asked."""
    async with simulated(always(Fault.NOT_JSON)) as client:
        reply = await client.chat()

    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reply.content)


async def test_refusal() -> None:
    """No content, but a refusal."""
    async with simulated(always(Fault.REFUSAL)) as client:
        reply = await client.chat()

    assert reply.message["content"] is None
    assert reply.message["refusal"]


@pytest.mark.parametrize("fault", [Fault.SCHEMA_MISS, Fault.INVENTED_ENUM])
async def test_valid_json_that_the_schema_refuses(fault: Fault) -> None:
    """It parses, and it is wrong."""
    async with simulated(always(fault)) as client:
        value = orjson.loads((await client.chat('{"hint": {"line": "CRM"}}')).content)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)
    assert (value.get("line") == INVENTED) == (fault is Fault.INVENTED_ENUM)


async def test_overlay() -> None:
    """A valid answer that says what it must not."""
    async with simulated(always(Fault.OVERLAY)) as client:
        value = orjson.loads((await client.chat()).content)

    jsonschema.validate(value, SCHEMA)
    assert value["text"] == "R$ 10"


async def test_the_same_seed_repeats_the_faults() -> None:
    """Draws belong to the seed; their share is about the rate."""

    async def statuses(seed: int) -> list[int]:
        config = SimulatorConfig(seed=seed, default=Behaviour(rates={Fault.SERVER_ERROR: 0.3}))
        async with simulated(config) as client:
            return [(await client.chat()).status for _ in range(100)]

    first, again, other = await statuses(1), await statuses(1), await statuses(2)

    assert first == again
    assert first != other
    assert 15 <= first.count(500) <= 45
