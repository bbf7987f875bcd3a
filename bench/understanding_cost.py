"""`python -m bench.understanding_cost`: what it costs to read each customer message that is new to it, in milliseconds.

Words met before are cheaper, so the process first reads another writer's messages, as one does that has run for a while.
"""

import sys
import time

import psutil

from fsm_service.understanding.dataset import EXAMPLES, read_messages
from fsm_service.understanding.reading import read

_READ_BEFORE = ("messages_c1", "messages_m1", "messages_m2")
_MEASURED = ("messages_m3", "messages_m4", "messages_n")
_LONG = 100  # characters


def main() -> None:
    """Print mean, p50 and p99 for short messages and for long ones; then the memory."""
    for text in _texts(_READ_BEFORE):
        read(text)
    texts = _texts(_MEASURED)
    _measure("short", [text for text in texts if len(text) < _LONG])
    _measure("long", [text for text in texts if len(text) >= _LONG])
    sys.stdout.write(f"memory of the process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB\n")


def _texts(names: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(item.text for name in names for item in read_messages(EXAMPLES / f"{name}.jsonl")))


def _measure(name: str, texts: list[str]) -> None:
    cost: list[float] = []
    for text in texts:
        start = time.perf_counter()
        read(text)
        cost.append((time.perf_counter() - start) * 1000)
    cost.sort()
    characters = sum(map(len, texts)) // len(texts)
    sys.stdout.write(
        f"{name} ({characters} characters, n={len(texts)}): mean {sum(cost) / len(cost):.2f} ms, "
        f"p50 {cost[len(cost) // 2]:.2f} ms, p99 {cost[int(len(cost) * 0.99)]:.2f} ms\n"
    )


if __name__ == "__main__":
    main()
