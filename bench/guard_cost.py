"""`python -m bench.guard_cost`: what the guard costs per reply, in milliseconds."""

import json
import sys
import time
from pathlib import Path

import guard
from guard import check


def main() -> None:
    """Print p50 and p99 over the harmless labelled replies, one line per length of reply."""
    examples = Path(guard.__file__).parent / "examples" / "replies.jsonl"
    items = [json.loads(line) for line in examples.read_text(encoding="utf-8").splitlines()]
    short = [item["text"] for item in items if not item["violations"]]
    long = [" ".join(short[i : i + 4]) for i in range(0, len(short) - 4, 4)]
    # Words that were met before are cheaper, as in a process that has run for a while; each text itself is new.
    for text in short[::2]:
        check(text)
    for name, texts in (("one sentence", short[1::2]), ("four sentences", long)):
        cost: list[float] = []
        for text in texts:
            start = time.perf_counter()
            check(text)
            cost.append((time.perf_counter() - start) * 1000)
        cost.sort()
        characters = sum(map(len, texts)) // len(texts)
        sys.stdout.write(
            f"{name} ({characters} characters, n={len(texts)}): "
            f"p50 {cost[len(cost) // 2]:.2f} ms, p99 {cost[int(len(cost) * 0.99)]:.2f} ms\n"
        )


if __name__ == "__main__":
    main()
