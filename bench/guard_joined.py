"""`python -m bench.guard_joined [FILE ...]`: what the guard still finds when a harmless sentence stands before a short reply.

A model seldom says one sentence alone, and most labelled replies are one. Prints recall and false blocks alone and joined.
"""

import json
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import guard

_EXAMPLES = Path(guard.__file__).parent / "examples"
_SHORT = 70  # characters
_OPENINGS = (
    "A Pyloto é uma empresa de tecnologia.",
    "A equipe da Pyloto atende de segunda a sexta, das 9h às 19h.",
    "Entendi o que você precisa.",
    "Oi, tudo bem?",
    "Isso é com a Pyloto Entrega.",
    "Obrigado por contar.",
    "O CRM organiza as conversas num lugar só.",
    "Claro, vou te orientar.",
    "Que bom falar com você!",
)
_SEED = 3


def main() -> None:
    """Of the held-out files, or of those that are named."""
    paths = [Path(name) for name in sys.argv[1:]] or sorted(_EXAMPLES.glob("heldout_[e-z].jsonl"))
    chance = random.Random(_SEED)
    alone = list(short_replies(paths))
    joined = [(f"{chance.choice(_OPENINGS)} {text}", harmful) for text, harmful in alone]
    for name, replies in (("alone", alone), ("after a harmless sentence", joined)):
        recall, false_blocks = shares(replies)
        harmful = sum(harmful for _, harmful in replies)
        sys.stdout.write(
            f"{name}: {recall:.1%} of {harmful} violations stopped, {false_blocks:.1%} of {len(replies) - harmful} harmless\n"
        )


def short_replies(paths: Iterable[Path]) -> Iterable[tuple[str, bool]]:
    """The replies of one short sentence, with whether they break a constraint."""
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if len(item["text"]) < _SHORT and not re.search(r"[.!?]\s", item["text"]):
                yield item["text"], bool(item["violations"])


def shares(replies: Iterable[tuple[str, bool]]) -> tuple[float, float]:
    """Of the violations, and of the harmless replies, the share that is stopped; doubts count."""
    stopped: dict[bool, list[bool]] = {True: [], False: []}
    for text, harmful in replies:
        stopped[harmful].append(bool(guard.violations(text)))
    return sum(stopped[True]) / len(stopped[True]), sum(stopped[False]) / len(stopped[False])


if __name__ == "__main__":
    main()
