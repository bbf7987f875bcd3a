"""One bare LLM task behind gRPC: bytes in, one call to the LLM, one write, bytes out."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import os
import time
from contextlib import AsyncExitStack

import grpc
import orjson
from httpx2 import Response
from motor.motor_asyncio import AsyncIOMotorClient
from openai import AsyncOpenAI, DefaultAioHttpClient

from bench.floor.settings import FloorSettings
from common import process
from common.serving import stop_signal
from common.settings import load

_PREFIX = "Pyloto. " * 2_000
"""As long as the prompt's stable part."""
_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


async def serve(task_name: str) -> None:
    """Serve `/floor/Ask` (call the LLM, write once) and `/floor/Complete` (write once) as one of the three tasks."""
    settings = load(FloorSettings)
    listen = os.environ[f"{task_name.upper()}_LISTEN"]
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        store: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(settings.mongodb_url.get_secret_value())
        stack.callback(store.close)
        results = store[f"floor_{task_name}"]["results"]
        described = {"name": task_name, "strict": True, "schema": _SCHEMA}
        model = AsyncOpenAI(base_url=settings.llm_base_url, api_key="none", http_client=DefaultAioHttpClient())
        stack.push_async_callback(model.close)

        async def ask(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            turn = request.decode()
            if task_name == "fsm":
                await results.find_one({"_id": turn})
            # The client's low-level door, and the answer as bytes: a sixth of what `chat.completions.parse` costs.
            said = await model.post(
                "/chat/completions",
                cast_to=Response,
                body={
                    "model": task_name,
                    "messages": [{"role": "system", "content": _PREFIX}, {"role": "user", "content": f"turn:{turn}"}],
                    "response_format": {"type": "json_schema", "json_schema": described},
                    "max_completion_tokens": 200,
                },
            )
            text = str(orjson.loads(orjson.loads(said.content)["choices"][0]["message"]["content"])["text"])
            await results.replace_one({"_id": turn}, {"text": text, "at": time.time()}, upsert=True)
            return text.encode()

        async def complete(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            await results.replace_one({"_id": request.decode()}, {"done": True}, upsert=True)
            return b""

        server = grpc.aio.server(options=(("grpc.server.max_pending_requests", 20_000),))
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Ask": grpc.unary_unary_rpc_method_handler(ask),
            "Complete": grpc.unary_unary_rpc_method_handler(complete),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("floor", handlers),))
        process.ready(server.add_insecure_port(listen))
        await server.start()
        await stopping.wait()
        await server.stop(1)
