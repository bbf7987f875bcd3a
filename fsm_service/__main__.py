"""Wires and runs the FSM service."""

from contextlib import AsyncExitStack

from common import mongo, observability, process
from common.clients import channel
from common.context import ContextClient
from common.model_setup import open_model
from common.model_task import Task
from common.serving import Server, stop_signal
from common.settings import load
from fsm_service import fallback
from fsm_service.abuse import AbuseLimits
from fsm_service.determine_state import DetermineState, Rules
from fsm_service.prompt import PROMPT_VERSION, Proposal
from fsm_service.servicer import FsmServicer
from fsm_service.settings import FsmSettings
from fsm_service.store import SessionStore
from protos.fsm.v1 import fsm_pb2_grpc


async def main() -> None:
    """Settings, observability, database, channels, model, task, servicer, serve."""
    settings = load(FsmSettings)
    observability.setup("fsm", settings)
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, "fsm"))
        context_channel = await stack.enter_async_context(channel(settings.context_target, settings))
        context = await stack.enter_async_context(ContextClient(context_channel, settings))
        model = await stack.enter_async_context(open_model(settings))
        store = SessionStore(database)
        await stack.enter_async_context(mongo.prepared(store.prepare))
        task = Task("fsm", Proposal, settings.llm_model_fsm, PROMPT_VERSION, max_output_tokens=400)
        determine_state = DetermineState(store, context, model, task, rules(settings))
        # The small model and the word lists are read now, not in the first customer's turn.
        fallback.understand("olá")
        server = Server(settings, ["protos.fsm.v1.FsmService"])
        fsm_pb2_grpc.add_FsmServiceServicer_to_server(FsmServicer(determine_state, store), server.grpc)
        process.ready(await server.start(settings.fsm_listen))
        await stopping.wait()
        await server.stop()
        await determine_state.drain()


def rules(settings: FsmSettings) -> Rules:
    """The task's rules, as the settings say."""
    return Rules(
        min_confidence=settings.fsm_min_confidence,
        reserve_s=settings.fsm_reserve_s,
        session_expires_s=settings.fsm_session_expires_s,
        escalation_expires_s=settings.fsm_escalation_expires_s,
        spam_block_s=settings.fsm_spam_block_s,
        abuse=AbuseLimits(
            flood_messages=settings.fsm_flood_messages,
            flood_window_s=settings.fsm_flood_window_s,
            repeats=settings.fsm_repeats,
        ),
    )


if __name__ == "__main__":
    process.run(main)
