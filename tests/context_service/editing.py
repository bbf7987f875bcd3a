"""Edits a copy of the shipped documents the way a product person would, and says on which line it happened."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from context_service.documents import FILES
from context_service.parse import DOCUMENTS, InvalidContext, Problem, load


def allow_all(*_parts: str) -> Sequence[str]:
    """A guard that lets everything pass, for tests of the form."""
    return ()


def copy_documents(target: Path) -> Path:
    """The shipped documents in a directory of their own."""
    for file in FILES:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DOCUMENTS / file, target / file)
    return target


def edit(directory: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old`, which must be there."""
    path = directory / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is no longer in {file}: mend the test"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(directory: Path, file: str, words: str) -> int:
    """The line, from 1, where `words` first stand."""
    before, found, _ = (directory / file).read_text(encoding="utf-8").partition(words)
    assert found, f"{words!r} is not in {file}"
    return before.count("\n") + 1


def problems_of(directory: Path) -> tuple[Problem, ...]:
    """What the loader says about documents that it must refuse."""
    with pytest.raises(InvalidContext) as refused:
        load(directory, allow_all)
    return refused.value.problems
