"""Loads the documents with the guard at the door: no canonical text gets in that could not go out."""

from collections.abc import Sequence
from pathlib import Path

import guard
from common.institution import Institution
from context_service.parse import load


def load_context(directory: Path) -> Institution:
    """Parse, validate and guard; InvalidContext lists every problem with its line."""
    return load(directory, _reasons)


def _reasons(*parts: str) -> Sequence[str]:
    # A doubt is for a text that a model wrote just now; these were written and are answered for by people.
    return [finding.reason for finding in guard.check_parts(parts, doubts_matter=False).findings]
