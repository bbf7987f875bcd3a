"""What customers ask and what the model says in a bench: many different texts, since one that was met before is cheaper."""

import json
import random
from collections.abc import Callable, Collection
from functools import cache
from itertools import islice
from pathlib import Path

import guard
from common.taxonomy import Vertente
from fsm_service.fallback import Memory, understand
from fsm_service.understanding.dataset import EXAMPLES
from fsm_service.understanding.types import CLARIFY_BELOW

_MANY = 1_500
_REPLIES = Path(guard.__file__).parent / "examples"


@cache
def questions() -> tuple[str, ...]:
    """Labelled messages that get an answer and no person in any conversation: what is measured is the whole path."""
    found = dict.fromkeys(str(item["text"]) for item in _items(EXAMPLES, "messages*.jsonl") if not item["escalate"])
    return _some(found, lambda text: all(_is_answered(text, line) for line in Vertente))


@cache
def replies() -> tuple[str, ...]:
    """Labelled replies that the guard lets pass."""
    found = dict.fromkeys(str(item["text"]) for item in _items(_REPLIES, "replies*.jsonl") if not item["violations"])
    return _some(found, lambda text: not guard.violations(text))


def _some(texts: Collection[str], wanted: Callable[[str], bool]) -> tuple[str, ...]:
    return tuple(islice(filter(wanted, random.Random(1).sample(tuple(texts), len(texts))), _MANY))


def _items(folder: Path, pattern: str) -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted(folder.glob(pattern)) for line in path.read_text(encoding="utf-8").splitlines()]


def _is_answered(text: str, line: Vertente) -> bool:
    memory = Memory(
        vertente=line, category=None, last_customer_texts=("oi",), last_reply="Olá!", escalated=False, clarifications=0
    )
    found = understand(text, memory)
    ends = found.escalate or found.spam or found.closing or found.injection
    return not ends and found.confidence >= CLARIFY_BELOW
