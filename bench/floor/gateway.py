"""The bare gateway: consume, write, task 1, tasks 2 and 3 at once, write, complete, publish with confirm, acknowledge."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import asyncio
import time
from contextlib import AsyncExitStack

import grpc
import orjson

from bench.floor.settings import FloorSettings
from common import mongo, process
from common.serving import stop_signal
from common.settings import load
from gateway.broker import Delivery, Publication
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.inbound import JSON
from gateway.topology import Topology


async def main() -> None:
    """Answer every message with what task 2 said."""
    settings = load(FloorSettings)
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        database = await stack.enter_async_context(mongo.connect(settings, "floor_gateway"))
        turns = mongo.Documents(database, "turns")
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(target))
            for target in (settings.fsm_target, settings.response_target, settings.msgtype_target)
        ]
        asks: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [channel.unary_unary("/floor/Ask") for channel in channels]
        fsm, response, msgtype = asks
        complete: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channels[0].unary_unary("/floor/Complete")
        broker = RabbitBroker(RabbitOptions(url=settings.amqp_url, prefetch=32), Topology())
        await broker.start()
        stack.push_async_callback(broker.close)
        running: set[asyncio.Task[None]] = set()

        async def answer(delivery: Delivery) -> None:
            message = orjson.loads(delivery.body)
            key = message["message_id"]
            turn = key.encode()
            await turns.insert({"_id": key, "at": time.time()})
            await fsm(turn, timeout=2.5)
            text, _ = await asyncio.gather(response(turn, timeout=2.5), msgtype(turn, timeout=2.5))
            await turns.put({"_id": key, "text": text.decode()})
            await complete(turn, timeout=2.5)
            reply = {"reply_id": f"r-{key}", "in_reply_to": [key], "text": text.decode(), "fallback": False}
            await broker.publish(
                Publication(broker.topology.outbound, message["channel"], orjson.dumps(reply), JSON, f"r-{key}"), timeout_s=5
            )
            await broker.ack(delivery)

        def on_delivery(delivery: Delivery) -> None:
            task = asyncio.create_task(answer(delivery))
            running.add(task)
            task.add_done_callback(running.discard)

        await broker.consume(on_delivery)
        process.ready(0)
        await stopping.wait()


if __name__ == "__main__":
    process.run(main)
