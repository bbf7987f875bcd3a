"""Brings up a gateway on a given broker: used by the process of its own and by the embedded system alike."""

from contextlib import AsyncExitStack

from common import mongo
from common.clients import Caller, channel
from common.context import ContextClient
from gateway.answer_turn import AnswerTurn
from gateway.broker import Broker
from gateway.consumer import Consumer, ConsumerLimits
from gateway.services import Services
from gateway.settings import GatewaySettings
from gateway.store import TurnStore
from gateway.topology import Topology


async def open_gateway(settings: GatewaySettings, broker: Broker, stack: AsyncExitStack) -> Consumer:
    """Database, channels, services, task; the consumer is returned before it is started."""
    database = await stack.enter_async_context(mongo.connect(settings, "gateway"))
    targets = (settings.fsm_target, settings.response_target, settings.msgtype_target, settings.context_target)
    fsm, response, msgtype, context_channel = [await stack.enter_async_context(channel(target, settings)) for target in targets]
    context = await stack.enter_async_context(ContextClient(context_channel, settings))
    store = TurnStore(database)
    await stack.enter_async_context(mongo.prepared(store.prepare))
    services = Services(fsm, response, msgtype, Caller(settings))
    pseudonym_key = settings.gateway_pseudonym_key.get_secret_value()
    answer_turn = AnswerTurn(services, context, store, broker, pseudonym_key)
    limits = ConsumerLimits(
        channels=settings.channels,
        max_turns=settings.gateway_max_turns,
        turn_deadline_s=settings.gateway_turn_deadline_s,
        model_needs_s=settings.gateway_model_needs_s,
        late_deadline_s=settings.gateway_late_deadline_s,
    )
    return Consumer(broker, answer_turn, store, limits, pseudonym_key)


def topology(settings: GatewaySettings) -> Topology:
    """The broker's names and arguments, as the settings say."""
    transient = settings.channels & {"console"}
    return Topology(
        partitions=settings.gateway_partitions,
        delivery_limit=settings.gateway_delivery_limit,
        partition_max_length=settings.gateway_partition_max_length,
        outbound_max_length=settings.gateway_outbound_max_length,
        outbound_channels=tuple(sorted(settings.channels - transient)),
        transient_channels=tuple(sorted(transient)),
    )
