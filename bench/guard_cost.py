"""`python -m bench.guard_cost [FILE ...]`: what the guard costs for each harmless reply that is new to it, in milliseconds.

The files are held out, since the models are surer, and ask the reader less, about what they learned from. Words met before are
cheaper, so the process first reads replies of the training, as one does that has run for a while.
"""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

import guard
from guard import check, reader

_EXAMPLES = Path(guard.__file__).parent / "examples"
_LONG = 100  # characters


def main() -> None:
    """Print mean, p50, p99 and how often the reader was asked, by length of the reply; then the memory of the process."""
    for text in _harmless(sorted(_EXAMPLES.glob("replies_d*.jsonl"))):
        check(text)
    texts = _harmless(map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(_EXAMPLES.glob("heldout*.jsonl")))
    # No part of a joined reply is measured by itself as well.
    half = len(texts) // 2
    joined = [f"{first} {second}" for first, second in zip(texts[half::2], texts[half + 1 :: 2], strict=False)]
    for name, some in (
        ("short", [text for text in texts[:half] if len(text) <= _LONG]),
        ("longer", [text for text in texts[:half] if len(text) > _LONG]),
        ("two joined", joined),
    ):
        if some:
            _measure(name, some)
    sys.stdout.write(f"memory of the process: {psutil.Process().memory_info().rss / 2**20:.0f} MiB\n")


def _harmless(paths: Iterable[Path]) -> list[str]:
    items = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return list(dict.fromkeys(item["text"] for item in items if not item["violations"]))


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
