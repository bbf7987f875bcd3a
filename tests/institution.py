"""The institution as the shipped documents describe it, loaded once per run."""

import functools

from common.institution import Institution
from context_service.load_context import load_context
from context_service.parse import DOCUMENTS


@functools.cache
def shipped() -> Institution:
    """The shipped documents, parsed and guarded; immutable, so every test may share it."""
    return load_context(DOCUMENTS)
