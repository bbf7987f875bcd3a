"""Loads the documents with the guard at the door: no canonical text gets in that could not go out."""

from collections.abc import Sequence
from pathlib import Path

import guard
from common.institution import Institution
from context_service.parse import load


def load_context(directory: Path) -> Institution:
    """Parse, validate and guard; InvalidContext lists every problem with its line."""
    return load(directory, _reasons)


def _reasons(text: str) -> Sequence[str]:
    verdict = guard.check(text)
    return [finding.reason for finding in (*verdict.findings, *verdict.doubts)]
