"""Labelled items of the exam: messages, candidate replies and dialogs, one JSON object per line."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import InvalidInput
from common.taxonomy import Category, State, Vertente, Violation

_PROBLEMS_SHOWN = 20
_ALTERNATIVE = re.compile(r"\balt_(vertente|intent|escalate)=([\w|/]+)")
_SECOND_VIOLATION = re.compile(r"\balt ([A-Z_]+)")
_TRUTH = {"true": True, "false": False}


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    id: str = Field(min_length=1)
    note: str = ""
    difficulty: str = ""

    @property
    def doubtful(self) -> bool:
        """Whether the person who labelled it was not sure."""
        return any(part.strip().startswith("doubtful") for part in self.note.split(";"))


class Labels(BaseModel):
    """What a message means to the person who labelled it. `intent` is the category of the taxonomy."""

    model_config = ConfigDict(frozen=True, strict=True)

    vertente: Vertente
    intent: Category
    escalate: bool


class Message(_Line, Labels):
    """One customer message outside of any conversation."""

    text: str

    def accepted(self) -> tuple[frozenset[Vertente], frozenset[Category], frozenset[bool]]:
        """What tolerant scoring accepts besides the labels: the `alt_*` of the note. ValueError for an unknown label."""
        found: dict[str, list[str]] = {"vertente": [], "intent": [], "escalate": []}
        for kind, values in _ALTERNATIVE.findall(self.note):
            found[kind] += re.split(r"[|/]", values)
        try:
            return (
                frozenset(Vertente(value) for value in found["vertente"]),
                frozenset(Category(value) for value in found["intent"]),
                frozenset(_TRUTH[value.lower()] for value in found["escalate"]),
            )
        except KeyError as error:
            raise ValueError(f"alt_escalate: expected true or false, got {error}") from error


class Reply(_Line):
    """A text that might leave, with the constraints it breaks; none for a good one."""

    text: str
    violations: tuple[Violation, ...]

    def accepted(self) -> frozenset[Violation]:
        """Second violations that are defensible though not labelled: `alt X` in the note."""
        return frozenset(Violation(name) for name in _SECOND_VIOLATION.findall(self.note) if name in Violation.__members__)


class Expected(Labels):
    """The labels after a turn, in its conversation: `vertente` is the active one."""

    must_not: tuple[Violation, ...] = ()


class DialogTurn(BaseModel):
    """What the customer writes, and what must be understood from it."""

    model_config = ConfigDict(frozen=True, strict=True)

    user: str
    expect: Expected


class Dialog(_Line):
    """A conversation and the state in which it must rest."""

    turns: tuple[DialogTurn, ...] = Field(min_length=1)
    ends: State


Item = TypeVar("Item", Message, Reply, Dialog)


def read_items(path: Path, kind: type[Item]) -> list[Item]:
    """The items of a JSONL file; InvalidInput names every bad line as `file:line: field: problem`."""
    items: list[Item] = []
    problems: list[str] = []
    # By line feeds alone: a text may hold other separators, such as U+2028.
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            item = kind.model_validate_json(line)
            if isinstance(item, Message):
                item.accepted()
            items.append(item)
        except ValidationError as error:
            problems += [f"{path.name}:{number}: {_field(problem['loc'])}{problem['msg']}" for problem in error.errors()]
        except ValueError as error:
            problems.append(f"{path.name}:{number}: note: {error}")
    problems += _repeated(path, (item.id for item in items))
    if not items and not problems:
        problems.append(f"{path.name}:1: there is no item in the file")
    if problems:
        more = len(problems) - _PROBLEMS_SHOWN
        shown = problems[:_PROBLEMS_SHOWN] + ([f"… and {more} more"] if more > 0 else [])
        raise InvalidInput(str(path), f"these lines are not {kind.__name__.lower()} items\n" + "\n".join(shown))
    return items


def _field(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    return f"{path}: " if path else ""


def _repeated(path: Path, ids: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    repeated = [name for name in ids if name in seen or seen.add(name)]  # type: ignore[func-returns-value]  # add is None
    return [f"{path.name}: id: {name!r} occurs more than once" for name in repeated]
