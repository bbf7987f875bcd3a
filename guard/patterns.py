"""Every pattern of a rulebook by number: RE2 says in one pass which of them can match a text, Python's `re` then finds where.

RE2 reads all patterns as one automaton, in microseconds where the patterns one by one took most of a millisecond. What it is
given is looser than the pattern (no word borders, no look-around, wider classes), so that it never misses a match.
"""

import re
from collections.abc import Iterable

import re2

# Python's classes are Unicode's, RE2's are ASCII; these hold at least as much.
_WIDER = {r"\w": r"[\w\x{80}-\x{10FFFF}]", r"\s": r"[\s\x{80}-\x{10FFFF}]", r"\d": r"[\d\x{80}-\x{10FFFF}]"}
_WIDER_IN_CLASS = {escape: wider[1:-1] for escape, wider in _WIDER.items()}
_LOOK_AROUND = re.compile(r"\(\?<?[!=](?:[^()\\\[\]]|\\.|\[(?:[^\]\\]|\\.)*\])*\)")
_TOKEN = re.compile(r"\\.|\[\^?\]?|\]|.", re.DOTALL)
_MAX_MEMORY = 256 * 1024 * 1024
"""For the automaton's states; it takes a few megabytes for the rules that are shipped."""


def loosened(pattern: str) -> str:
    """A pattern for RE2 that matches in every text in which `pattern` does."""
    out: list[str] = []
    wider = _WIDER
    for part in _TOKEN.findall(_LOOK_AROUND.sub("", pattern)):
        if wider is _WIDER and part.startswith("["):
            # In a class that excludes, the narrow meaning is the one that lets more through.
            wider = {} if part.startswith("[^") else _WIDER_IN_CLASS
        elif wider is not _WIDER and part == "]":
            wider = _WIDER
        out.append(wider.get(part, part))
    return "".join(out)


class PatternIndex:
    """Add patterns, freeze, then ask. A pattern that RE2 cannot read is a candidate in every text."""

    def __init__(self) -> None:
        options = re2.Options()
        options.max_mem = _MAX_MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._in_set: list[int] = []
        self._always: list[int] = []
        self._compiled: list[re.Pattern[str]] = []

    def __len__(self) -> int:
        return len(self._compiled)

    def add(self, patterns: Iterable[str]) -> range:
        """Add patterns; they are named by the numbers that are returned."""
        first = len(self._compiled)
        for pattern in patterns:
            number = len(self._compiled)
            self._compiled.append(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"))
            try:
                self._set.Add(loosened(pattern))
                self._in_set.append(number)
            except re2.error:
                self._always.append(number)
        return range(first, len(self._compiled))

    def freeze(self) -> "PatternIndex":
        """To be called once, after the last pattern."""
        self._set.Compile()
        return self

    def candidates(self, text: str) -> frozenset[int]:
        """The patterns that may match the text; no other does."""
        return frozenset((*self._always, *(self._in_set[place] for place in self._set.Match(text) or ())))

    def matches(self, numbers: Iterable[int], text: str) -> list[re.Match[str]]:
        """What they match, as if they were alternatives of one pattern: leftmost first, of two at one place the earlier's."""
        found = [match for number in sorted(numbers) for match in self._compiled[number].finditer(text)]
        if len(found) < 2:
            return found
        found.sort(key=re.Match.start)
        kept = found[:1]
        for match in found[1:]:
            if match.start() >= kept[-1].end():
                kept.append(match)
        return kept
