"""One bare LLM task behind gRPC: bytes in, one call to the LLM, one write, bytes out."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import os
import time
from contextlib import AsyncExitStack

import grpc
from pydantic import BaseModel

from bench.floor.settings import FloorSettings
from common import mongo, process
from common.deadline import Deadline
from common.model import OpenAIModel
from common.model_task import Task
from common.serving import stop_signal
from common.settings import load

PREFIX = "Pyloto. " * 2_000
"""As long as the prompt's stable part."""


class Bare(BaseModel):
    """The smallest answer."""

    text: str


async def serve(task_name: str) -> None:
    """Serve `/floor/Ask` (call the LLM, write once) and `/floor/Complete` (write once) as one of the three tasks."""
    settings = load(FloorSettings)
    listen = os.environ[f"{task_name.upper()}_LISTEN"]
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, f"floor_{task_name}"))
        documents = mongo.Documents(database, "results")
        model = OpenAIModel(settings)
        stack.push_async_callback(model.close)
        task = Task(task_name, Bare, "floor", "floor", max_output_tokens=200)

        async def ask(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            turn = request.decode()
            if task_name == "fsm":
                await documents.find(turn)
            answer = await model.ask(task, prefix=PREFIX, user=f"turn:{turn}", deadline=Deadline.after(2.5))
            await documents.put({"_id": turn, "text": answer.value.text, "at": time.time()})
            return answer.value.text.encode()

        async def complete(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            await documents.put({"_id": request.decode(), "done": True})
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
