"""Wires and runs the message-type service."""

from contextlib import AsyncExitStack

from common import mongo, observability, process
from common.clients import channel
from common.context import ContextClient
from common.model_setup import open_model
from common.model_task import Task
from common.serving import Server, stop_signal
from common.settings import load
from msgtype_service.prompt import PROMPT_VERSION, FormProposal
from msgtype_service.select_message_type import SelectMessageType
from msgtype_service.servicer import MsgtypeServicer
from msgtype_service.settings import MsgtypeSettings
from msgtype_service.store import FormStore
from protos.msgtype.v1 import msgtype_pb2_grpc


async def main() -> None:
    """Settings, observability, database, channels, model, task, servicer, serve."""
    settings = load(MsgtypeSettings)
    observability.setup("msgtype", settings)
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, "msgtype"))
        context_channel = await stack.enter_async_context(channel(settings.context_target, settings))
        context = await stack.enter_async_context(ContextClient(context_channel, settings))
        model = await stack.enter_async_context(open_model(settings))
        task = Task("msgtype", FormProposal, settings.llm_model_msgtype, PROMPT_VERSION, max_output_tokens=300)
        select_message_type = SelectMessageType(FormStore(database), context, model, task, settings.msgtype_reserve_s)
        server = Server(settings, ["protos.msgtype.v1.MsgtypeService"])
        msgtype_pb2_grpc.add_MsgtypeServiceServicer_to_server(MsgtypeServicer(select_message_type), server.grpc)
        process.ready(await server.start(settings.msgtype_listen))
        await stopping.wait()
        await server.stop()
        await select_message_type.drain()


if __name__ == "__main__":
    process.run(main)
