"""The adapter of docs/adding-a-channel.md, run as it stands there, on a real RabbitMQ."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from common.ids import derived_id
from gateway.broker import Delivery
from gateway.inbound import Inbound, decode
from gateway.outbound import reply_publication
from gateway.topology import Topology
from protos.conversation.v1 import conversation_pb2
from protos.conversation.v1 import messages_pb2 as pb
from tests.rabbitmq import delete_topology, ensure_rabbitmq, open_broker, unique_namespace

pytestmark = pytest.mark.rabbitmq

GUIDE = Path(__file__).resolve().parents[2] / "docs/adding-a-channel.md"
WAIT_S = 30.0


def program(namespace: str) -> str:
    """The program of the guide, under names of this test's own."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return str(code).replace('"pyloto.', f'"{namespace}.')


def reply_to(message: Inbound) -> pb.OutboundMessage:
    """What a gateway would answer."""
    return pb.OutboundMessage(
        reply_id=derived_id("reply", message.message_id),
        conversation_id=message.conversation_id,
        channel=message.channel,
        recipient_id=message.sender_id,
        in_reply_to=[message.message_id],
        kind=conversation_pb2.MESSAGE_KIND_BUTTON,
        text=f"resposta a {message.text}",
        options=[pb.ReplyOption(id="a", title="Sim"), pb.ReplyOption(id="b", title="Não")],
    )


async def test_the_adapter_of_the_guide_publishes_and_sends_each_reply_once(tmp_path: Path) -> None:
    """Its message is one that the gateway takes; a reply that comes twice reaches the customer once."""
    url, topology = ensure_rabbitmq(), Topology(unique_namespace(), partitions=2)
    (tmp_path / "adapter.py").write_text(program(topology.namespace), encoding="utf-8")
    broker = await open_broker(url, topology)
    arrived: asyncio.Queue[Delivery] = asyncio.Queue()
    await broker.consume(arrived.put_nowait)

    adapter = await asyncio.create_subprocess_exec(
        *(sys.executable, str(tmp_path / "adapter.py"), "wamid.1", "5511999990000", "oi"),
        env={"AMQP_URL": url},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WAIT_S):
            delivery = await arrived.get()
            message = decode(delivery.body, delivery.content_type, frozenset({"whatsapp"}))
            first = reply_publication(reply_to(message), delivery.content_type, topology)
            other = reply_publication(
                pb.OutboundMessage(reply_id="reply-other", channel="whatsapp", recipient_id="5511999990000", text="fim"),
                delivery.content_type,
                topology,
            )
            for publication in (first, first, other):
                await broker.publish(publication, timeout_s=5)
            await broker.ack(delivery)
            assert adapter.stdout is not None
            lines = [(await adapter.stdout.readline()).decode() for _ in range(2)]
    finally:
        adapter.terminate()
        await adapter.wait()
        await broker.close()
        await delete_topology(url, topology)

    assert (message.conversation_id, message.key) == ("whatsapp:5511999990000", "whatsapp:wamid.1")
    assert lines == ["to 5511999990000: resposta a oi ['Sim', 'Não']\n", "to 5511999990000: fim []\n"]
