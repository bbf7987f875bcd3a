"""The plain word lists of `wordlists.toml`."""

import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("wordlists.toml")


@cache
def wordlist(name: str) -> frozenset[str]:
    """The words of one list. Raises KeyError for a name that the file does not have."""
    return frozenset(str(_lists()[name]).split())


@cache
def _lists() -> dict[str, object]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
