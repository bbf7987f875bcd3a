"""Whether a turn costs the same in a long conversation and beside many others: `python -m bench.conversation_cost`.

Embedded system without an LLM; one message after the other, so what is timed is the work of a turn and no waiting for others.
"""

import argparse
import asyncio
import statistics
import time

import orjson

from bench.texts import questions
from cli.system import Wanted, bring_up
from gateway.broker import Broker, Publication, Reader
from gateway.inbound import JSON

CHANNEL = "console"
# The abuse checks and the two-hour expiry are for people; here one sender writes hundreds of messages in a minute.
NO_FLOOD = {"FSM_FLOOD_MESSAGES": "1000000", "FSM_REPEATS": "1000000"}


async def main() -> None:
    """Print milliseconds per turn by position in the conversation, and by the number of conversations before it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=200, help="length of the long conversation")
    parser.add_argument("--conversations", type=int, default=1000, help="number of short conversations")
    arguments = parser.parse_args()
    async with bring_up(Wanted(environment=NO_FLOOD), lambda _: None) as system:
        broker = system.broker
        replies = await broker.subscribe(broker.topology.outbound, "#")
        await _turn(broker, replies, "warm", 0)
        long = [await _turn(broker, replies, "long", number) for number in range(arguments.turns)]
        _report("turn of one conversation", long)
        many = [await _turn(broker, replies, f"short-{number}", number) for number in range(arguments.conversations)]
        _report("first turn of the conversation number", many)


async def _turn(broker: Broker, replies: Reader[Publication], conversation: str, number: int) -> float:
    """Milliseconds from publish to reply."""
    texts = questions()
    body = {
        "message_id": f"{conversation}-{number}",
        "conversation_id": f"{CHANNEL}:{conversation}",
        "channel": CHANNEL,
        "sender_id": conversation,
        "text": texts[number % len(texts)],
    }
    started_s = time.perf_counter()
    publication = Publication(
        broker.topology.inbound, str(body["conversation_id"]), orjson.dumps(body), JSON, str(body["message_id"])
    )
    await broker.publish(publication, timeout_s=5)
    await replies.next(timeout_s=10)
    return (time.perf_counter() - started_s) * 1000


def _report(what: str, times_ms: list[float]) -> None:
    tenth = max(len(times_ms) // 10, 1)
    for first in range(0, len(times_ms), tenth):
        part = sorted(times_ms[first : first + tenth])
        p95 = part[min(int(len(part) * 0.95), len(part) - 1)]
        print(f"{what} {first + 1:>5} to {first + len(part):>5}: median {statistics.median(part):6.1f} ms, p95 {p95:6.1f} ms")


if __name__ == "__main__":
    asyncio.run(main())
