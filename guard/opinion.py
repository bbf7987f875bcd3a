"""Second opinion, for phrasings that no rule foresees: the words first, and in doubt the reader; together they decide.

`python -m guard.train` trains both and how they are weighed. The words are read in plain Python: hashed features and a table of
signed bytes (`model.json`).
"""

import array
import base64
import itertools
import json
import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from common.taxonomy import Violation
from guard import reader
from guard.normalise import Folded

BITS = 16
_MASK = (1 << BITS) - 1
_TOKEN = re.compile(r"\w+|[?!$%:]")
_TOKENS_KEPT = 8_192
# Characters. A text up to the first is heard as a whole, a longer one in runs of sentences of at least the last. In a text
# longer than the second a sentence in which a rule holds is heard alone too.
_WHOLE = 240
_ONE_BREATH = 100
_PIECE = 120
_SENTENCE_END = re.compile(r"[.!?\n]+(?=\s|$)")
_DIGITS = re.compile(r"\d+")
# Feature blocks: their values are normalised by themselves so that a long text does not drown the rule hits.
_CHARACTERS = 1.0
_WORDS = 1.0
_RULES = 0.25


@dataclass(frozen=True, slots=True)
class RuleHit:
    """What the opinion needs to know of a rule hit: its name as a feature, where it is, whether it holds."""

    name: str
    at: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the words per bucket, and of the three voices: `words`, `reader`, and whether a rule holds.

    Words under `clear_below` need no reader. `threshold`: log-odds from which a text is doubtful.
    """

    harm: "array.array[int]"
    scale: float
    bias: float
    words: float
    reader: float
    rule: float
    clear_below: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """`harmful`: whether the text is doubtful. `violation`: which one it would be, known when the reader was asked."""

    harmful: bool
    violation: Violation | None


def features(text: str, rules: Iterable[str]) -> tuple[tuple[float, list[int]], ...]:
    """The features of a folded text and of the rules that matched (`id`) or were spared (`~id`).

    In blocks: a value, and the hashed buckets that have it.
    """
    text = _DIGITS.sub("0", text)
    tokens = _TOKEN.findall(text)
    words = set(tokens)
    words.update(f"{a} {b}" for a, b in itertools.pairwise(tokens))
    words.update(f"{a} {b} {c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False))
    if tokens:
        words.update((f"^ {tokens[0]}", f"^ {' '.join(tokens[:2])}", f"{tokens[-1]} $"))
    grams = frozenset[tuple[str, int]]().union(*map(_grams, set(tokens)))
    return (
        (_WORDS / math.sqrt(len(words) or 1), [_bucket(f"w{name}") for name in words]),
        (_CHARACTERS / math.sqrt(len(grams) or 1), [bucket for _, bucket in grams]),
        (_RULES, [_bucket(f"r{name}") for name in set(rules)]),
    )


def words_score(weights: Sequence[float], text: str, rules: Iterable[str]) -> float:
    """What the words and rules of a folded text add up to, by a weight for each bucket."""
    return sum(value * sum([weights[bucket] for bucket in buckets]) for value, buckets in features(text, rules))


def _bucket(feature: str) -> int:
    return zlib.crc32(feature.encode()) & _MASK


@lru_cache(_TOKENS_KEPT)
def _grams(token: str) -> frozenset[tuple[str, int]]:
    """The character n-grams of a word with their buckets; kept, since most words of a text have been met before."""
    padded = f" {token} "
    return frozenset(
        (gram, _bucket(f"c{gram}"))
        for size in (3, 4, 5)
        for gram in (padded[i : i + size] for i in range(len(padded) - size + 1))
    )


def of(text: str, read: Folded, hits: Sequence[RuleHit]) -> Opinion:
    """Whether a text is doubtful.

    A long text is heard piece by piece, so that politeness around a promise does not water it down: the worst piece counts.
    """
    model = _model()
    worst: Opinion | None = None
    most = -math.inf
    for start, end in (*pieces(read.text), *_sentences_of(hits, read.text)):
        here = [hit for hit in hits if start <= hit.at < end]
        words = model.scale * words_score(model.harm, read.text[start:end], [hit.name for hit in here])
        holds = any(hit.holds for hit in here)
        if words < model.clear_below and not holds:
            continue
        first, last = read.original_span(start, end)
        reading = reader.read(text[first:last])
        odds = model.bias + model.words * words + model.reader * reading.harm + model.rule * holds
        if odds > most:
            most, worst = odds, Opinion(odds >= model.threshold, reading.violation)
    return worst or Opinion(harmful=False, violation=None)


def pieces(text: str) -> list[tuple[int, int]]:
    """Bounds of what is heard at once: about as long as the longest examples that the models learned from."""
    if len(text) <= _WHOLE:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() - start >= _PIECE:
            found.append((start, match.end()))
            start = match.end()
    if start < len(text) or not found:
        found.append((start, len(text)))
    return found


def _sentences_of(hits: Sequence[RuleHit], text: str) -> list[tuple[int, int]]:
    """Bounds of the sentences in which a rule holds, in a text of more than one breath: whatever is said around them."""
    if len(text) <= _ONE_BREATH:
        return []
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [(start, end) for start, end in itertools.pairwise(ends) if any(hit.holds and start <= hit.at < end for hit in hits)]


@cache
def _model() -> Model:
    stored = json.loads((resources.files("guard") / "model.json").read_text(encoding="utf-8"))
    return Model(
        harm=array.array("b", zlib.decompress(base64.b64decode(stored.pop("harm")))),
        **{name: float(value) for name, value in stored.items()},
    )
