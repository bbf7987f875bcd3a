"""Many expressions over one folded message: which of them are found."""

import re
from collections.abc import Sequence

from common.patterns import PatternFilter


class PatternSet:
    """Says which of its expressions are found in a text."""

    def __init__(self, expressions: Sequence[str]) -> None:
        self._compiled = [re.compile(expression) for expression in expressions]
        self._filter = PatternFilter(self._compiled)

    def found(self, folded: str) -> set[int]:
        """The numbers of the expressions that are found."""
        return {number for number in self._filter.candidates(folded) if self._compiled[number].search(folded)}
