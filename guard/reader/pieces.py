"""Text as the numbers of word pieces: the most probable cut of each word (the unigram model of SentencePiece)."""

import math
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib import resources

UNKNOWN, START, END = 0, 1, 2
_SPACE = "▁"
_INVISIBLE = ("Cf", "Cc", "Cs", "Co", "Cn")
_MOST = 96  # pieces; a longer text is cut
_WORDS_KEPT = 8_192


class Pieces:
    """A vocabulary: pieces and the logarithm of their probability, numbered by their place."""

    def __init__(self, pieces: Sequence[str], scores: Sequence[float]) -> None:
        self.names = tuple(pieces)
        self._known = {piece: (number, score) for number, (piece, score) in enumerate(zip(pieces, scores, strict=True))}
        self._longest = max(map(len, pieces))
        self._unknown = min(scores) - 10.0
        self._of_word = lru_cache(_WORDS_KEPT)(self._cut)

    def numbers(self, text: str) -> list[int]:
        """The pieces of a text between the marks for its start and end; case and invisible characters do not count."""
        numbers = [START]
        for word in normal(text).split():
            numbers += self._of_word(_SPACE + word)
        return [*numbers[: _MOST - 1], END]

    def _cut(self, word: str) -> list[int]:
        best = [0.0] + [-math.inf] * len(word)
        back = [(0, UNKNOWN)] * (len(word) + 1)
        for start in range(len(word)):
            for end in range(start + 1, min(start + self._longest, len(word)) + 1):
                number, score = self._known.get(word[start:end], (UNKNOWN, self._unknown if end == start + 1 else -math.inf))
                if best[start] + score > best[end]:
                    best[end] = best[start] + score
                    back[end] = (start, number)
        numbers: list[int] = []
        at = len(word)
        while at:
            at, number = back[at]
            numbers.append(number)
        return numbers[::-1]


@cache
def shipped_pieces() -> Pieces:
    """The vocabulary in `pieces.tsv`: a piece and its score a line."""
    lines = (resources.files("guard.reader") / "pieces.tsv").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines]
    return Pieces([piece for piece, _ in pairs], [float(score) for _, score in pairs])


def normal(text: str) -> str:
    """Lower case, compatibility forms resolved, nothing invisible; accents stay, for in Portuguese they carry meaning."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if plain.isascii():
        return plain
    return "".join(c if unicodedata.category(c) not in _INVISIBLE or c.isspace() else "" for c in plain)
