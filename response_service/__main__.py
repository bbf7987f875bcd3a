"""Wires and runs the response service."""

from contextlib import AsyncExitStack

import guard
from common import mongo, observability, process
from common.clients import channel
from common.context import ContextClient
from common.model_setup import open_model
from common.model_task import Task
from common.serving import Server, stop_signal
from common.settings import load
from protos.response.v1 import response_pb2_grpc
from response_service.generate_response import GenerateResponse
from response_service.prompt import PROMPT_VERSION, Judgement, Reply
from response_service.servicer import ResponseServicer
from response_service.settings import ResponseSettings
from response_service.store import ReplyStore


async def main() -> None:
    """Settings, observability, database, channels, model, task, servicer, serve."""
    settings = load(ResponseSettings)
    observability.setup("response", settings)
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, "response"))
        store = ReplyStore(database)
        await stack.enter_async_context(mongo.prepared(store.prepare))
        context_channel = await stack.enter_async_context(channel(settings.context_target, settings))
        context = await stack.enter_async_context(ContextClient(context_channel, settings))
        model = await stack.enter_async_context(open_model(settings))
        task = Task("response", Reply, settings.llm_model_response, PROMPT_VERSION, max_output_tokens=700)
        judge = Task("judge", Judgement, settings.llm_model_judge, PROMPT_VERSION, max_output_tokens=200)
        generate_response = GenerateResponse(store, context, model, task, judge, settings.response_reserve_s)
        guard.load()
        server = Server(settings, ["protos.response.v1.ResponseService"])
        response_pb2_grpc.add_ResponseServiceServicer_to_server(ResponseServicer(generate_response), server.grpc)
        process.ready(await server.start(settings.response_listen))
        await stopping.wait()
        await server.stop()
        await generate_response.drain()


if __name__ == "__main__":
    process.run(main)
