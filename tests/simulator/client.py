"""A bare HTTP client for the simulator's tests: they check the wire, so no SDK is in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import orjson
from pydantic import JsonValue

from simulator.config import SimulatorConfig
from simulator.server import Simulator

SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["text", "line"],
    "properties": {"text": {"type": "string"}, "line": {"enum": ["ENTREGA", "CRM"], "type": "string"}},
}


@dataclass
class Reply:
    """Status, headers and parsed body of one call."""

    status: int
    headers: dict[str, str]
    body: dict[str, JsonValue]

    @property
    def choice(self) -> dict[str, JsonValue]:
        """The first choice."""
        choices = self.body["choices"]
        assert isinstance(choices, list)
        assert isinstance(choices[0], dict)
        return choices[0]

    @property
    def message(self) -> dict[str, JsonValue]:
        """Its message."""
        message = self.choice["message"]
        assert isinstance(message, dict)
        return message

    @property
    def content(self) -> str:
        """Its text."""
        return str(self.message["content"])

    @property
    def error(self) -> dict[str, JsonValue]:
        """The error body."""
        error = self.body["error"]
        assert isinstance(error, dict)
        return error


@dataclass
class Client:
    """Talks to one running simulator."""

    simulator: Simulator
    base_url: str
    session: aiohttp.ClientSession

    async def chat(
        self,
        user: str = "Olá",
        changes: dict[str, JsonValue] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One completion with SCHEMA; `changes` replace parts of the body, None removes them."""
        body: dict[str, JsonValue] = {
            "model": "m",
            "messages": [{"role": "system", "content": "Contexto."}, {"role": "user", "content": user}],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "response", "strict": True, "schema": SCHEMA},
            },
        }
        body = {key: value for key, value in (body | (changes or {})).items() if value is not None}
        return await self.post("/v1/chat/completions", orjson.dumps(body), headers)

    async def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> Reply:
        """Any POST."""
        url = self.base_url.removesuffix("/v1") + path
        async with self.session.post(url, data=body, headers=headers) as response:
            return Reply(response.status, dict(response.headers), orjson.loads(await response.read()))

    async def get(self, path: str) -> Reply:
        """Any GET."""
        async with self.session.get(self.base_url.removesuffix("/v1") + path) as response:
            return Reply(response.status, dict(response.headers), orjson.loads(await response.read()))


@asynccontextmanager
async def simulated(config: SimulatorConfig | None = None) -> AsyncIterator[Client]:
    """A running simulator and a client for it."""
    simulator = Simulator(config)
    base_url = await simulator.start()
    async with aiohttp.ClientSession() as session:
        try:
            yield Client(simulator, base_url, session)
        finally:
            await simulator.stop()


async def in_flight(client: Client, calls: int) -> None:
    """Wait until so many calls are in the simulator's hands."""
    async with asyncio.timeout(5):
        while client.simulator.stats.in_flight != calls:  # noqa: ASYNC110 - the counter is what is tested
            await asyncio.sleep(0)
