"""Reads labelled messages and dialogs in the exam's JSONL format."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.taxonomy import Category, State, Vertente

EXAMPLES = Path(__file__).with_name("examples")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled message; the alternatives are the labels that tolerant scoring also accepts."""

    id: str
    text: str
    vertente: Vertente
    category: Category
    escalate: bool
    intent: str
    """The fine intent id (`fine=` in the note); empty where none is given."""
    notes: tuple[str, ...]
    other_vertentes: tuple[Vertente, ...]
    other_categories: tuple[Category, ...]
    other_escalate: bool | None

    @property
    def doubtful(self) -> bool:
        """True when the labeller was not sure."""
        return any(note.startswith("doubtful") for note in self.notes)


@dataclass(frozen=True, slots=True)
class Turn:
    """One customer turn of a dialog with the labels expected after it."""

    text: str
    vertente: Vertente
    category: Category
    escalate: bool


@dataclass(frozen=True, slots=True)
class Dialog:
    """A labelled conversation and the state in which it must end."""

    id: str
    turns: tuple[Turn, ...]
    ends: State
    note: str


def read_messages(path: Path) -> list[Labelled]:
    """The labelled messages of a JSONL file. Raises ValueError with the line number for a bad line."""
    return [_message(row, f"{path.name}:{number}") for number, row in _rows(path)]


def read_dialogs(path: Path) -> list[Dialog]:
    """The dialogs of a JSONL file. Raises ValueError with the line number for a bad line."""
    return [_dialog(row, f"{path.name}:{number}") for number, row in _rows(path)]


def read_texts(path: Path) -> list[list[str]]:
    """The injection attempts of a JSONL file: each is the customer's turns, the last of which is the attempt."""
    found: list[list[str]] = []
    for number, row in _rows(path):
        turns = row.get("turns")
        if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
            raise ValueError(f"{path.name}:{number}: `turns` must be a list of texts")
        found.append([str(turn) for turn in turns])
    return found


def is_dialog_file(path: Path) -> bool:
    """True when the first row of the file has turns."""
    return any("turns" in row for _, row in _rows(path)[:1])


def _rows(path: Path) -> list[tuple[int, dict[str, object]]]:
    rows: list[tuple[int, dict[str, object]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"{path.name}:{number}: expected a JSON object")
            rows.append((number, row))
    return rows


def _message(row: dict[str, object], where: str) -> Labelled:
    note = str(row.get("note", ""))
    parts = tuple(part.strip() for part in note.split(";") if part.strip())
    # The exam writes several alternatives in one part too: "alt_intent=X alt_vertente=Y".
    pairs = [word.split("=", 1) for part in parts for word in part.replace(",", " ").split() if "=" in word]
    try:
        return Labelled(
            id=str(row["id"]),
            text=str(row["text"]),
            vertente=Vertente(str(row["vertente"])),
            category=Category(str(row["intent"])),
            escalate=bool(row["escalate"]),
            intent=next((value for key, value in pairs if key == "fine"), ""),
            notes=parts,
            other_vertentes=tuple(Vertente(value) for key, value in pairs if key == "alt_vertente"),
            other_categories=tuple(Category(value) for key, value in pairs if key == "alt_intent"),
            other_escalate=_alternative_escalate(pairs),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


def _alternative_escalate(pairs: Iterable[list[str]]) -> bool | None:
    for key, value in pairs:
        if key == "alt_escalate":
            return value == "true"
    return None


def _dialog(row: dict[str, object], where: str) -> Dialog:
    try:
        turns = row["turns"]
        if not isinstance(turns, list):
            raise TypeError("`turns` must be a list")
        return Dialog(
            id=str(row["id"]),
            turns=tuple(
                Turn(
                    text=turn["user"],
                    vertente=Vertente(turn["expect"]["vertente"]),
                    category=Category(turn["expect"]["intent"]),
                    escalate=bool(turn["expect"]["escalate"]),
                )
                for turn in turns
            ),
            ends=State(str(row["ends"])),
            note=str(row.get("note", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error
