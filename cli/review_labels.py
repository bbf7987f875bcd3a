"""From one key to a labelled example in the format that `pyloto exam` reads (messages and replies as JSON lines)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from rich.text import Text

from cli.keys import Keys
from cli.review_items import Item
from cli.terminal import out
from common.masking import mask_text
from common.taxonomy import Category, Vertente, Violation

MESSAGES = "messages.jsonl"
REPLIES = "replies.jsonl"

_LINES = dict(zip("12345", Vertente, strict=True))
_CATEGORIES = dict(zip("abcdefghijkl", Category, strict=True))
_VIOLATIONS = dict(zip("123456789", Violation, strict=True))


class Move(Enum):
    """What is done instead of labelling."""

    SKIP = "skip"
    BACK = "back"
    STOP = "stop"


_MOVES = {"p": Move.SKIP, "z": Move.BACK, "q": Move.STOP, "": Move.STOP}


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled example as it is written."""

    fields: Mapping[str, object]


def label_message(item: Item, keys: Keys) -> Example | Move:
    """What a person says of the understanding: corrections, as many as it takes, then that it is right so."""
    out.print(Text("[c] certo  [r] muda o repasse  [v] outra vertente  [i] outro assunto  [p] pular  [z] voltar  [q] sair"))
    while (key := keys.read()) not in _MOVES:
        if key == "c":
            return _message(item)
        corrected = _corrected(item, key, keys)
        if corrected != item:
            item = corrected
            people = "com repasse" if item.escalate else "sem repasse"
            out.print(Text(f"Agora: vertente {item.vertente} · {item.category} · {people}. [c] para gravar"))
    return _MOVES[key]


def _corrected(item: Item, key: str, keys: Keys) -> Item:
    if key == "r":
        return replace(item, escalate=not item.escalate)
    if key == "v" and (line := _choose(_LINES, keys)):
        return replace(item, vertente=line)
    if key == "i" and (category := _choose(_CATEGORIES, keys)):
        return replace(item, category=category)
    return item


def label_reply(item: Item, keys: Keys) -> Example | Move:
    """What a person says of the block."""
    out.print(Text("[c] bloqueio certo  [n] não havia violação  [v] outra violação  [p] pular  [z] voltar  [q] sair"))
    while (key := keys.read()) not in _MOVES:
        if key == "c":
            return _reply(item, item.violations)
        if key == "n":
            return _reply(item, ())
        if key == "v" and (violation := _choose(_VIOLATIONS, keys)):
            return _reply(item, (violation,))
    return _MOVES[key]


class LabelledFiles:
    """The files of a folder that examples are appended to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.known_ids = {
            str(json.loads(line)["id"])
            for name in (MESSAGES, REPLIES)
            if (folder / name).exists()
            for line in (folder / name).read_text(encoding="utf-8").splitlines()
            if line.strip()
        }

    def append(self, name: str, example: Example) -> None:
        """Write the example at once, so that stopping in the middle loses nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(example.fields, ensure_ascii=False) + "\n")

    def take_back(self, name: str) -> None:
        """Strike out the example that was written last to a file."""
        path = self._folder / name
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        rest = path.with_suffix(".new")
        rest.write_text("".join(lines[:-1]), encoding="utf-8")
        rest.replace(path)


def _choose(choices: Mapping[str, str], keys: Keys) -> str:
    """The choice whose key is pressed next; empty when it is none of them, so that the first question stands again."""
    out.print(Text("  ".join(f"[{key}] {name}" for key, name in choices.items())))
    return choices.get(keys.read(), "")


def _message(item: Item) -> Example:
    return Example(
        {
            "id": item.example_id,
            "text": mask_text(item.customer_text),
            "vertente": item.vertente,
            "intent": item.category,
            "escalate": item.escalate,
            "difficulty": "hard",
            "note": f"review {item.kind}",
        }
    )


def _reply(item: Item, violations: Sequence[str]) -> Example:
    return Example(
        {
            "id": item.example_id,
            "text": mask_text(item.blocked_text),
            "violations": list(violations),
            "difficulty": "hard",
            "note": "review blocked",
        }
    )
