"""The bare gateway: consume, write, task 1, tasks 2 and 3 at once, write, complete, publish with confirm, acknowledge."""

from __future__ import annotations  # grpc's generics exist in its stubs only

import asyncio
import time
from contextlib import AsyncExitStack

import aio_pika
import grpc
import orjson
from motor.motor_asyncio import AsyncIOMotorClient

from bench.floor.settings import FloorSettings
from common import process
from common.serving import stop_signal
from common.settings import load
from gateway.broker_rabbitmq import RabbitBroker
from gateway.broker_rabbitmq_wire import RabbitOptions
from gateway.inbound import JSON
from gateway.topology import Topology


async def main() -> None:
    """Answer every message with what task 2 said."""
    settings, topology = load(FloorSettings), Topology()
    declares = RabbitBroker(RabbitOptions(url=settings.amqp_url), topology)
    await declares.start()
    await declares.close()
    async with AsyncExitStack() as stack:
        stopping = stop_signal()
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(settings.mongodb_url.get_secret_value())
        stack.callback(client.close)
        turns = client["floor_gateway"]["turns"]
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(target))
            for target in (settings.fsm_target, settings.response_target, settings.msgtype_target)
        ]
        asks: list[grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = [channel.unary_unary("/floor/Ask") for channel in channels]
        fsm, response, msgtype = asks
        complete: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channels[0].unary_unary("/floor/Complete")
        connection = await stack.enter_async_context(await aio_pika.connect(settings.amqp_url))
        publishing = await connection.channel()
        outbound = await publishing.get_exchange(topology.outbound)

        async def answer(delivery: aio_pika.abc.AbstractIncomingMessage) -> None:
            message = orjson.loads(delivery.body)
            key = message["message_id"]
            turn = key.encode()
            await turns.insert_one({"_id": key, "at": time.time()})
            await fsm(turn, timeout=2.5)
            text, _ = await asyncio.gather(response(turn, timeout=2.5), msgtype(turn, timeout=2.5))
            await turns.replace_one({"_id": key}, {"text": text.decode()})
            await complete(turn, timeout=2.5)
            reply = {"reply_id": f"r-{key}", "in_reply_to": [key], "text": text.decode(), "fallback": False}
            persistent = aio_pika.DeliveryMode.PERSISTENT
            body = orjson.dumps(reply)
            await outbound.publish(
                aio_pika.Message(body, content_type=JSON, message_id=f"r-{key}", delivery_mode=persistent), message["channel"]
            )
            await delivery.ack()

        for partition in range(topology.partitions):
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=32)
            queue = await channel.get_queue(topology.partition_queue(partition))
            await queue.consume(answer)
        process.ready(0)
        await stopping.wait()


if __name__ == "__main__":
    process.run(main)
