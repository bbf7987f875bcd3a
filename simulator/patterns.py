"""A string that matches a regular expression, for schemas with `pattern`."""

import re
from collections.abc import Callable

# The standard library's own parser: private, but the only one that reads exactly what `re` reads.
from re import _constants as op  # type: ignore[attr-defined]  # not in the stubs
from re import _parser as parser  # type: ignore[attr-defined]  # not in the stubs

_BY_CATEGORY = {op.CATEGORY_DIGIT: "7", op.CATEGORY_WORD: "a", op.CATEGORY_SPACE: " "}
_BY_MISSING_CATEGORY = {op.CATEGORY_NOT_DIGIT: "a", op.CATEGORY_NOT_WORD: "-", op.CATEGORY_NOT_SPACE: "a"}
_ALPHABET = "a7A-_ .,:/@áé"


def matching(pattern: str, pick: Callable[[int], int]) -> str | None:
    """A string in which `pattern` is found, chosen by `pick(n) -> 0..n-1`; None when none was found for it."""
    candidate = _string(parser.parse(pattern), pick)
    return candidate if re.search(pattern, candidate) else None


def _string(tokens: "parser.SubPattern", pick: Callable[[int], int]) -> str:
    return "".join(_piece(kind, value, pick) for kind, value in tokens)


def _piece(kind: object, value: object, pick: Callable[[int], int]) -> str:
    match kind, value:
        case op.LITERAL, int(code):
            return chr(code)
        case op.NOT_LITERAL, int(code):
            return next(char for char in _ALPHABET if ord(char) != code)
        case op.ANY, _:
            return "a"
        case op.IN, list(members):
            return _member(members, pick)
        case ((op.MAX_REPEAT | op.MIN_REPEAT | op.POSSESSIVE_REPEAT), (int(least), most, tokens)):
            extra = pick(3) if isinstance(most, int) and most > least else 0
            return "".join(_string(tokens, pick) for _ in range(min(least + extra, int(str(most)))))
        case op.SUBPATTERN, (_, _, _, tokens):
            return _string(tokens, pick)
        case op.BRANCH, (_, branches):
            assert isinstance(branches, list)
            return _string(branches[pick(len(branches))], pick)
        case _:
            return ""  # anchors and assertions take no characters


def _member(members: list[tuple[object, object]], pick: Callable[[int], int]) -> str:
    if members[0][0] is op.NEGATE:
        refused = re.compile("|".join(re.escape(_one(kind, value)) for kind, value in members[1:]))
        return next((char for char in _ALPHABET if not refused.fullmatch(char)), "a")
    kind, value = members[pick(len(members))]
    return _one(kind, value)


def _one(kind: object, value: object) -> str:
    match kind, value:
        case op.RANGE, (int(first), int(_)):
            return chr(first)
        case op.CATEGORY, _:
            return _BY_CATEGORY.get(value) or _BY_MISSING_CATEGORY.get(value, "a")
        case _, int(code):
            return chr(code)
        case _:
            return "a"
