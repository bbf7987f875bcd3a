"""`python -m bench.guard_cost`: what the guard costs for each harmless reply that it has not seen before, in milliseconds.

Words met before are cheaper, so the process first reads other writers' replies, as one does that has run for a while.
"""

import json
import sys
import time
from pathlib import Path

import psutil

import guard
from guard import check, reader

_EXAMPLES = Path(guard.__file__).parent / "examples"
_READ_BEFORE = ("replies_b", "replies_c", "replies_d1", "replies_d2", "replies_d3")
_MEASURED = ("replies_d6", "replies_d7", "replies_d8", "replies_d9")
_JOINED = 4


def main() -> None:
    """Print mean, p50, p99 and how often the reader was asked, for single replies and for four joined; then the memory."""
    for text in _harmless(_READ_BEFORE):
        check(text)
    texts = _harmless(_MEASURED)
    # The halves of a process's new texts, so that no part of a joined reply has been read by itself.
    half = len(texts) // 2
    joined = [" ".join(texts[i : i + _JOINED]) for i in range(half, len(texts) - _JOINED + 1, _JOINED)]
    _measure("one reply", texts[:half])
    _measure(f"{_JOINED} joined", joined)
    sys.stdout.write(f"memory of the process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB\n")


def _harmless(names: tuple[str, ...]) -> list[str]:
    lines = [line for name in names for line in (_EXAMPLES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    return list(dict.fromkeys(item["text"] for item in map(json.loads, lines) if not item["violations"]))


def _measure(name: str, texts: list[str]) -> None:
    cost: list[float] = []
    asked = 0
    for text in texts:
        readings = reader.read.cache_info().misses
        start = time.perf_counter()
        check(text)
        cost.append((time.perf_counter() - start) * 1000)
        asked += reader.read.cache_info().misses > readings
    cost.sort()
    characters = sum(map(len, texts)) // len(texts)
    sys.stdout.write(
        f"{name} ({characters} characters, n={len(texts)}): mean {sum(cost) / len(cost):.2f} ms, "
        f"p50 {cost[len(cost) // 2]:.2f} ms, p99 {cost[int(len(cost) * 0.99)]:.2f} ms; "
        f"the reader was asked for {asked / len(texts):.0%}\n"
    )


if __name__ == "__main__":
    main()
