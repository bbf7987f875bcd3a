"""`python -m bench.guard_long FILE`: what the guard makes of longer replies, joined from the labelled ones of a file.

A harmless reply is joined from harmless ones, a harmful one has one harmful among them at any place. The parts know nothing of
one another, and a harmless part is often a refusal: this is harder than what a model writes in one go.
"""

import json
import random
import sys
from pathlib import Path

from guard import check

_EACH = 200
_SEED = 3


def main() -> None:
    """Print recall and false blocks for one, two, three and four replies joined."""
    items = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    harmless = [_closed(item["text"]) for item in items if not item["violations"]]
    harmful = [_closed(item["text"]) for item in items if item["violations"]]
    choice = random.Random(_SEED)
    for parts in (1, 2, 3, 4):
        good = [" ".join(choice.sample(harmless, parts)) for _ in range(_EACH)]
        bad = []
        for _ in range(_EACH):
            joined = choice.sample(harmless, parts - 1)
            joined.insert(choice.randrange(parts), choice.choice(harmful))
            bad.append(" ".join(joined))
        length = sum(map(len, good)) // _EACH
        recall, false_blocks = (sum(map(_stopped, texts)) / _EACH for texts in (bad, good))
        name = f"{parts} joined ({length} characters, n={_EACH})"
        sys.stdout.write(f"{name}: recall {recall:.1%}, false blocks {false_blocks:.1%}\n")


def _closed(text: str) -> str:
    return text if text[-1] in ".!?…" else f"{text}."


def _stopped(text: str) -> bool:
    verdict = check(text)
    return bool(verdict.findings or verdict.doubts)


if __name__ == "__main__":
    main()
