"""`pyloto review`: one key makes a labelled example in the format of the exam."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.keys import Keys
from cli.review import label_all
from cli.review_items import Item, Kind
from cli.review_labels import MESSAGES, REPLIES, Example, LabelledFiles, Move, label_message, label_reply

DOUBTFUL = Item(
    kind=Kind.DOUBTFUL,
    turn_id="turn-a",
    at_ms=1,
    customer_text="é sobre a loja, meu fone é 11 98888-7777",
    vertente="ENTREGA",
    category="ENTREGAS",
    confidence=0.4,
)
BLOCKED = Item(
    kind=Kind.BLOCKED, turn_id="turn-b", at_ms=1, customer_text="quanto?", blocked_text="R$ 10", violations=("PRICE",)
)


def keys(pressed: str) -> Keys:
    return Keys(io.StringIO(pressed))


@pytest.mark.parametrize(
    ("pressed", "changed"),
    [
        ("c", {}),
        ("rc", {"escalate": True}),
        ("v5c", {"vertente": "CRM"}),
        ("v5igrc", {"vertente": "CRM", "intent": "COMERCIAL", "escalate": True}),
        ("x c", {}),
        ("v?c", {}),
    ],
)
def test_a_key_says_what_was_right(pressed: str, changed: dict[str, object]) -> None:
    """One when all was right; else corrections first. The example holds the labels, and no personal data."""
    example = label_message(DOUBTFUL, keys(pressed))

    assert isinstance(example, Example)
    expected = {"vertente": "ENTREGA", "intent": "ENTREGAS", "escalate": False, **changed}
    assert {name: example.fields[name] for name in expected} == expected
    assert "98888" not in str(example.fields["text"])


@pytest.mark.parametrize(("pressed", "violations"), [("c", ["PRICE"]), ("n", []), ("v2", ["NEGOTIATION"])])
def test_a_block_is_confirmed_refuted_or_named_otherwise(pressed: str, violations: list[str]) -> None:
    """As the exam's replies are labelled."""
    example = label_reply(BLOCKED, keys(pressed))

    assert isinstance(example, Example)
    assert (example.fields["text"], example.fields["violations"]) == ("R$ 10", violations)


def test_skipping_and_stopping() -> None:
    """p leaves it for later; q and the end of the input stop."""
    assert label_message(DOUBTFUL, keys("p")) is Move.SKIP
    assert label_reply(BLOCKED, keys("q")) is Move.STOP
    assert label_message(DOUBTFUL, keys("")) is Move.STOP


@pytest.mark.parametrize(("pressed", "written"), [("cc", ["c", "c"]), ("cznq", ["n"]), ("czzq", []), ("pzpc", ["c"])])
def test_a_slip_is_taken_back(tmp_path: Path, pressed: str, written: list[str]) -> None:
    """z goes back to the turn before, and strikes out what was written of it."""
    first, second = BLOCKED, replace(BLOCKED, turn_id="turn-c")

    count = label_all([first, second], keys(pressed), LabelledFiles(tmp_path))

    path = tmp_path / REPLIES
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    assert [("c" if line["violations"] else "n") for line in lines] == written
    assert count == len(written)


def test_examples_are_appended_and_known_again(tmp_path: Path) -> None:
    """What was reviewed is not asked twice."""
    message, reply = label_message(DOUBTFUL, keys("c")), label_reply(BLOCKED, keys("c"))
    assert isinstance(message, Example)
    assert isinstance(reply, Example)

    files = LabelledFiles(tmp_path / "revisao")
    files.append(MESSAGES, message)
    files.append(REPLIES, reply)

    assert LabelledFiles(tmp_path / "revisao").known_ids == {DOUBTFUL.example_id, BLOCKED.example_id}
    line = json.loads((tmp_path / "revisao" / MESSAGES).read_text(encoding="utf-8"))
    assert set(line) == {"id", "text", "vertente", "intent", "escalate", "difficulty", "note"}
