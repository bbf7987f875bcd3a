"""Every pattern of a rulebook by number: which of them can match a text, and what they match."""

import re
from collections.abc import Iterable, Sequence

from common.patterns import PatternFilter


class PatternIndex:
    """Finds its patterns as whole words; each is named by its place."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._compiled = [re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for pattern in patterns]
        self._filter = PatternFilter(self._compiled)

    def __len__(self) -> int:
        return len(self._compiled)

    def candidates(self, text: str) -> list[int]:
        """The patterns that may match the text, in order; no other does."""
        return self._filter.candidates(text)

    def matches(self, numbers: Iterable[int], text: str) -> list[re.Match[str]]:
        """What they match, as if they were alternatives of one pattern: leftmost first, of two at one place the earlier's."""
        found = [match for number in numbers for match in self._compiled[number].finditer(text)]
        if len(found) < 2:
            return found
        found.sort(key=re.Match.start)
        kept = found[:1]
        for match in found[1:]:
            if match.start() >= kept[-1].end():
                kept.append(match)
        return kept
