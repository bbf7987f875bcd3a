"""Many regular expressions over one text: which of them can match, by the words and word pieces that each cannot do without.

Python's own parser takes an expression apart. What must occur in every match becomes sets of literals, at least one of each
set: `(?:pago|pix)\\s+\\w+ hoje` needs "pago " or "pix ", and " hoje". Only an expression whose sets all occur is worth trying.
All literals are looked for in one pass (docs/decisions/literals.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# `sre_parse`, which typeshed knows, is deprecated.
from re import _constants as op  # type: ignore[attr-defined]  # not in the stubs
from re import _parser  # type: ignore[attr-defined]  # not in the stubs
from typing import Any

from ahocorasick import Automaton

Literals = frozenset[str]

_NOTHING = frozenset({""})
_MOST_TEXTS = 64
"""That a part of an expression is spelled out to: `(?:um|dois) (?:dia|mes)` is four."""
_SPACE, _DIGIT = re.compile(r"\s"), re.compile(r"\d")
_CLASSES = {(op.CATEGORY, op.CATEGORY_SPACE): " ", (op.CATEGORY, op.CATEGORY_DIGIT): "0", (op.RANGE, (48, 57)): "0"}
_REPEATS = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})
_WITHOUT_WIDTH = frozenset({op.AT, op.ASSERT, op.ASSERT_NOT})


class PatternFilter:
    """Says which patterns can match a text; it may name too many, never too few."""

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        needed = [needed_literals(pattern) for pattern in patterns]
        bit = {literals: 1 << place for place, literals in enumerate({literals: None for sets in needed for literals in sets})}
        self._needed = [sum(bit[literals] for literals in sets) for sets in needed]
        sets_of: dict[str, int] = {}
        for literals, mask in bit.items():
            for literal in literals:
                sets_of[literal] = sets_of.get(literal, 0) | mask
        self._literals = Automaton()
        for literal, mask in sets_of.items():
            self._literals.add_word(literal, mask)
        self._literals.make_automaton()

    def candidates(self, text: str) -> list[int]:
        """The numbers of the patterns that can match, in order."""
        found = 0
        for _, mask in self._literals.iter(_plain(text)):
            found |= mask
        missing = ~found
        return [number for number, needed in enumerate(self._needed) if not needed & missing]


def needed_literals(pattern: re.Pattern[str]) -> frozenset[Literals]:
    """Sets of literals, of each of which at least one occurs in every text that the pattern matches.

    In them a space stands for any white space and "0" for any digit.
    """
    if pattern.flags & re.IGNORECASE:
        return frozenset()
    return frozenset(frozenset(map(_plain, literals)) for literals in _sequence(_parser.parse(pattern.pattern)).sets())


def _plain(text: str) -> str:
    return _SPACE.sub(" ", _DIGIT.sub("0", text))


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of a part of an expression: all the texts that it can be (`exact`), when these are few, or else what it
    needs, and with what character it begins and ends (`edge`)."""

    exact: Literals | None = None
    needed: tuple[Literals, ...] = ()
    edge: str = ""

    def sets(self) -> list[Literals]:
        """All sets that say something."""
        return [literals for literals in (*self.needed, self.exact or _NOTHING) if "" not in literals]


# A parsed expression is the parser's own: untyped lists of (code, argument).
def _sequence(parsed: Any) -> _Part:  # noqa: ANN401
    needed: list[Literals] = []
    run = _NOTHING
    broken = False
    for code, argument in parsed:
        if code in _WITHOUT_WIDTH:
            continue
        part = _part(code, argument)
        needed += part.needed
        if part.exact is not None and len(run) * len(part.exact) <= _MOST_TEXTS:
            run = frozenset(before + after for before in run for after in part.exact)
            continue
        needed.append(frozenset(before + part.edge for before in run))
        run = part.exact or frozenset({part.edge})
        broken = True
    if broken:
        return _Part(needed=tuple(_Part(run, tuple(needed)).sets()))
    return _Part(run, tuple(needed))


def _part(code: Any, argument: Any) -> _Part:  # noqa: ANN401
    if code is op.LITERAL:
        return _Part(frozenset({chr(argument)}))
    if code is op.IN:
        return _Part(_texts_of_class(argument))
    if code is op.BRANCH:
        return _alternatives([_sequence(branch) for branch in argument[1]])
    if code is op.SUBPATTERN and not argument[1]:  # without flags of its own
        return _sequence(argument[3])
    if code is op.ATOMIC_GROUP:
        return _sequence(argument)
    if code in _REPEATS:
        return _repeated(*argument)
    return _Part()


def _texts_of_class(members: Any) -> Literals | None:  # noqa: ANN401
    if all(code is op.LITERAL for code, _ in members):
        return frozenset(chr(character) for _, character in members)
    known = _CLASSES.get(members[0]) if len(members) == 1 else None
    return None if known is None else frozenset({known})


def _alternatives(parts: list[_Part]) -> _Part:
    exact = frozenset[str]().union(*(part.exact or () for part in parts))
    if all(part.exact is not None for part in parts):
        return _Part(exact)
    sets = [part.sets() for part in parts]
    if not all(sets):
        return _Part()
    return _Part(needed=(frozenset[str]().union(*(min(of_part, key=_frequency) for of_part in sets)),))


def _repeated(least: int, most: int, repeated: Any) -> _Part:  # noqa: ANN401
    part = _sequence(repeated)
    if least == 0:
        return _Part(part.exact | _NOTHING) if part.exact is not None and most == 1 else _Part()
    if (least, most) == (1, 1):
        return part
    single = next(iter(part.exact)) if part.exact is not None and len(part.exact) == 1 else ""
    return _Part(needed=tuple(part.sets()), edge=single if len(single) == 1 else "")


def _frequency(literals: Literals) -> float:
    """How often one of them is met by chance, roughly."""
    return float(sum(0.06 ** len(literal) for literal in literals))
