"""Polarity: whether what surrounds a match (negation, refusal, hand-over, question, quote) takes the violation away.

A text is read as sentences, a sentence as clauses. A cue lies in one of six places relative to the match: earlier or later in
its clause, just before it, inside it, or anywhere in its sentence or the text. Cues and clause boundaries are data:
`rules/_clausulas.toml`.
"""

import re
from dataclasses import dataclass
from typing import Literal

Place = Literal["before", "after", "near", "inside", "sentence", "text"]
_NEAR = 28  # characters: about four words
_SENTENCE_END = re.compile(r"[!?;\n…]+|\.(?!\d)(?!\w)|(?<!\w)-+(?!\w)")


@dataclass(frozen=True, slots=True)
class Cue:
    """Something beside a match that says "this is not a promise"."""

    name: str
    place: Place
    pattern: re.Pattern[str]


class Surroundings:
    """The sentences and clauses of one folded text."""

    def __init__(self, text: str, clause_break: re.Pattern[str], idiom: re.Pattern[str]) -> None:
        # An idiom such as "sem problema" holds a negation word and denies nothing: it is blanked before cues are looked for.
        self._text = idiom.sub(lambda m: "~" * len(m.group()), text)
        self._breaks = [0, *(m.end() for m in _SENTENCE_END.finditer(text)), len(text)]
        self._clause_break = clause_break

    def sentence(self, at: int) -> tuple[int, int]:
        """Bounds of the sentence in which position `at` lies; its closing mark is inside."""
        start = max((b for b in self._breaks if b <= at), default=0)
        end = min((b for b in self._breaks if b > at), default=len(self._text))
        return start, end

    def spared(self, cues: tuple[Cue, ...], start: int, end: int) -> bool:
        """Whether any of the cues takes the match `[start, end)` back."""
        return any(self._holds(cue, start, end) for cue in cues)

    def _holds(self, cue: Cue, start: int, end: int) -> bool:
        first, last = self.sentence(start)
        last = max(last, self.sentence(max(end - 1, start))[1])
        if cue.place == "text":
            return cue.pattern.search(self._text) is not None
        if cue.place == "sentence":
            return cue.pattern.search(self._text, first, last) is not None
        if cue.place == "inside":
            return cue.pattern.search(self._text, start, end) is not None
        if cue.place == "near":
            return cue.pattern.search(self._text, max(first, start - _NEAR), start) is not None
        if cue.place == "before":
            clause = first
            for found in self._clause_break.finditer(self._text, first, start):
                clause = found.start()
            return cue.pattern.search(self._text, clause, start) is not None
        found_after = self._clause_break.search(self._text, end, last)
        return cue.pattern.search(self._text, end, found_after.start() if found_after else last) is not None
