"""Wires and runs the context service."""

import asyncio
from contextlib import AsyncExitStack

from common import mongo, observability, process
from common.serving import Server, stop_signal
from common.settings import load
from context_service.current_context import CurrentContext
from context_service.load_context import load_context
from context_service.servicer import ContextServicer
from context_service.settings import ContextSettings
from context_service.store import ContextStore
from protos.context.v1 import context_pb2_grpc


async def main() -> None:
    """Settings, observability, database, documents, servicer, serve."""
    settings = load(ContextSettings)
    observability.setup("context", settings)
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, "context"))
        store = ContextStore(database)
        current = CurrentContext(load_context, settings.context_dir, store)
        await current.load_first()
        server = Server(settings, ["protos.context.v1.ContextService"])
        context_pb2_grpc.add_ContextServiceServicer_to_server(ContextServicer(current, store), server.grpc)
        process.ready(await server.start(settings.context_listen))
        follower = asyncio.create_task(current.follow(settings.context_poll_s))
        await stopping.wait()
        follower.cancel()
        await current.stop()
        await server.stop(drain_s=0.5)


if __name__ == "__main__":
    process.run(main)
