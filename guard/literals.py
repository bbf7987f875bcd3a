"""Which literal text a pattern cannot match without: most rules need no regular expression to say that they do not apply."""

import re
from collections.abc import Iterable

# The parsed form of a pattern is the standard library's own; `re` gives no public access to it.
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]

import ahocorasick

_WORTH_IT = 2
"""A literal shorter than this is in every text."""


def required_literals(pattern: str) -> list[frozenset[str]]:
    """Choices of literals: of each choice one at least is in every text that the pattern matches."""
    return sorted(set(_of_sequence(_parser.parse(pattern))), key=len)


def _of_sequence(items: Iterable[tuple[object, object]]) -> list[frozenset[str]]:
    """What a sequence needs: all that its items need."""
    needed: list[frozenset[str]] = []
    run = ""
    for kind, value in items:
        if kind is op.LITERAL and isinstance(value, int):
            run += chr(value)
            continue
        needed += [frozenset({run}), *_of_item(kind, value)]
        run = ""
    needed.append(frozenset({run}))
    return [choice for choice in needed if all(len(literal) >= _WORTH_IT for literal in choice)]


def _of_item(kind: object, value: object) -> list[frozenset[str]]:
    if kind is op.SUBPATTERN and isinstance(value, tuple):
        return _of_sequence(value[-1])
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT) and isinstance(value, tuple):
        at_least, _, body = value
        return _of_sequence(body) if at_least >= 1 else []
    if kind is op.BRANCH and isinstance(value, tuple):
        # Of each branch the most telling choice; one of them must occur, whichever branch matches.
        branches = [_of_sequence(branch) for branch in value[1]]
        if all(branches):
            return [frozenset().union(*(max(branch, key=_tells) for branch in branches))]
    return []


def _tells(choice: frozenset[str]) -> float:
    """Long literals and few of them."""
    return min(len(literal) for literal in choice) - len(choice) / 20


class PatternIndex:
    """Every pattern of a rulebook by number; one pass over a text says which of them can match at all."""

    def __init__(self) -> None:
        self._compiled: list[re.Pattern[str]] = []
        self._needed: list[frozenset[int]] = []
        self._choices: dict[frozenset[str], int] = {}
        self._automaton = ahocorasick.Automaton()

    def add(self, patterns: Iterable[str]) -> range:
        """Add patterns; they are named by the numbers that are returned."""
        first = len(self._compiled)
        for pattern in patterns:
            choices = required_literals(pattern)
            self._needed.append(frozenset(self._choices.setdefault(choice, len(self._choices)) for choice in choices))
            self._compiled.append(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)"))
        return range(first, len(self._compiled))

    def freeze(self) -> "PatternIndex":
        """To be called once, after the last pattern."""
        choices_of: dict[str, list[int]] = {}
        for choice, number in self._choices.items():
            for literal in choice:
                choices_of.setdefault(literal, []).append(number)
        for literal, numbers in choices_of.items():
            self._automaton.add_word(literal, tuple(numbers))
        self._automaton.make_automaton()
        return self

    def candidates(self, text: str) -> frozenset[int]:
        """The patterns of which all that they need is in the text."""
        met = set[int]().union(*{numbers for _, numbers in self._automaton.iter(text)})
        return frozenset(number for number, needed in enumerate(self._needed) if needed <= met)

    def matches(self, numbers: Iterable[int], text: str) -> list[re.Match[str]]:
        """What the numbered patterns match, as if they were alternatives of one: leftmost first, without overlap."""
        found = [match for number in numbers for match in self._compiled[number].finditer(text)]
        if len(found) < 2:
            return found
        found.sort(key=re.Match.start)
        kept = found[:1]
        for match in found[1:]:
            if match.start() >= kept[-1].end():
                kept.append(match)
        return kept
