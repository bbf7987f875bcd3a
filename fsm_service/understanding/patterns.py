"""Many expressions over one folded message at once: RE2 reads them as one automaton, in microseconds."""

import re
from collections.abc import Sequence

import re2

_MAX_MEMORY = 64 * 1024 * 1024
"""For the automaton's states; the shipped expressions take a few megabytes."""


class PatternSet:
    """Says which of its expressions are found in folded text.

    Folded text is ASCII without line breaks (text.fold), where RE2 and `re` agree on every class and border. What RE2 cannot
    read (look-around) is left to `re`.
    """

    def __init__(self, expressions: Sequence[str]) -> None:
        options = re2.Options()
        options.max_mem = _MAX_MEMORY
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._in_set: list[int] = []
        self._alone: list[tuple[int, re.Pattern[str]]] = []
        for number, expression in enumerate(expressions):
            try:
                self._set.Add(expression)
                self._in_set.append(number)
            except re2.error:
                self._alone.append((number, re.compile(expression)))
        self._set.Compile()

    def found(self, folded: str) -> set[int]:
        """The numbers of the expressions that are found."""
        numbers = {self._in_set[place] for place in self._set.Match(folded) or ()}
        numbers.update(number for number, pattern in self._alone if pattern.search(folded))
        return numbers
