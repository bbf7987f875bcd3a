"""A small neural reader of sentences, for meanings that neither a rule nor a word gives away (docs/decisions/reader.md)."""

import os

# One sentence is too little work to share among threads; they would only wait for one another beside the event loop.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from guard.reader.network import Reading, read

__all__ = ["Reading", "read"]
