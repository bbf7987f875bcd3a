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
from collections.abc import Iterator, Sequence
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
# Characters. The words are heard sentence by sentence, each joined to at least so many: politeness must not dilute them.
_SENTENCE = 25
# Of a text longer than the first, which is about what the reader takes in, sentences of together at least the second are read.
_WHOLE = 320
_RUN = 160
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
class Sentence:
    """A folded text of which the words are heard at once, and the rules that matched (`id`) or were spared (`~id`) in it."""

    text: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The part `[start, end)` of a folded text, which is read at once; `holds`: whether a rule does in it."""

    start: int
    end: int
    sentences: tuple[Sentence, ...]
    holds: bool


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of the words per bucket, and of the three voices: `words`, `reader`, and whether a `rule` holds.

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


def features(sentence: Sentence) -> tuple[tuple[float, list[int]], ...]:
    """The features of a sentence, in blocks: a value, and the hashed buckets that have it."""
    text = _DIGITS.sub("0", sentence.text)
    tokens = _TOKEN.findall(text)
    words = set(tokens)
    words.update(f"{a} {b}" for a, b in itertools.pairwise(tokens))
    words.update(f"{a} {b} {c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False))
    if tokens:
        words.update((f"^ {tokens[0]}", f"^ {' '.join(tokens[:2])}", f"{tokens[-1]} $"))
    grams = frozenset[int]().union(*map(_grams, set(tokens)))
    return (
        (_WORDS / math.sqrt(len(words) or 1), [_bucket(f"w{name}") for name in words]),
        (_CHARACTERS / math.sqrt(len(grams) or 1), list(grams)),
        (_RULES, [_bucket(f"r{name}") for name in set(sentence.rules)]),
    )


def words_score(weights: Sequence[float], sentence: Sentence) -> float:
    """What the features of a sentence add up to, by a weight for each bucket."""
    return sum(value * sum([weights[bucket] for bucket in buckets]) for value, buckets in features(sentence))


def _bucket(feature: str) -> int:
    return zlib.crc32(feature.encode()) & _MASK


@lru_cache(_TOKENS_KEPT)
def _grams(token: str) -> frozenset[int]:
    """The buckets of a word's character n-grams; kept, since most words of a text have been met before."""
    padded = f" {token} "
    return frozenset(
        _bucket(f"c{padded[start : start + size]}") for size in (3, 4, 5) for start in range(len(padded) - size + 1)
    )


def of(text: str, read: Folded, hits: Sequence[RuleHit]) -> Opinion:
    """Whether a text is doubtful.

    Politeness around a promise must not water it down: the sentence with the worst words counts, and of a very long text the
    worst run of sentences.
    """
    model = _model()
    worst: Opinion | None = None
    most = -math.inf
    for run in runs(read.text, hits):
        words = model.scale * worst_words(model.harm, run)
        if words < model.clear_below and not run.holds:
            continue
        first, last = read.original_span(run.start, run.end)
        reading = reader.read(text[first:last])
        odds = model.bias + model.words * words + model.reader * reading.harm + model.rule * run.holds
        if odds > most:
            most, worst = odds, Opinion(odds >= model.threshold, reading.violation)
    return worst or Opinion(harmful=False, violation=None)


def runs(text: str, hits: Sequence[RuleHit]) -> list[Run]:
    """What is read at once of a folded text: all of it, unless it is very long; and each sentence in which a rule holds."""
    whole = [_run(text, start, end, hits) for start, end in _cut(text, 0, len(text), _WHOLE, _RUN)]
    alone = (_run(text, start, end, hits) for start, end in _cut(text, 0, len(text), 0, 1))
    return [*whole, *(run for run in alone if run.holds and run not in whole)]


def _run(text: str, start: int, end: int, hits: Sequence[RuleHit]) -> Run:
    sentences = (
        Sentence(text[first:last], tuple(hit.name for hit in hits if first <= hit.at < last))
        for first, last in _cut(text, start, end, 0, _SENTENCE)
    )
    return Run(start, end, tuple(sentences), any(hit.holds and start <= hit.at < end for hit in hits))


def _cut(text: str, start: int, end: int, whole: int, least: int) -> Iterator[tuple[int, int]]:
    """Bounds of the sentences in a part, joined to at least `least` characters; its own when it is no longer than `whole`."""
    if end - start > whole:
        for match in _SENTENCE_END.finditer(text, start, end):
            if match.end() - start >= least and end - match.end() >= least:
                yield start, match.end()
                start = match.end()
    yield start, end


def worst_words(weights: Sequence[float], run: Run) -> float:
    """The words' score of the worst sentence, by a weight for each bucket."""
    return max(words_score(weights, sentence) for sentence in run.sentences)


@cache
def _model() -> Model:
    stored = json.loads((resources.files("guard") / "model.json").read_text(encoding="utf-8"))
    return Model(
        harm=array.array("b", zlib.decompress(base64.b64decode(stored.pop("harm")))),
        **{name: float(value) for name, value in stored.items()},
    )
