"""Second opinion: a small linear model over n-grams and rule hits, for phrasings that no rule foresees.

`python -m guard.train` trains it. Inference is plain Python: hashed features, a table of signed bytes per class (`model.json`).
"""

import array
import base64
import itertools
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from common.taxonomy import Violation

BITS = 16
# A rule that is not marked `certeza` gives way when the model is this sure that the text is harmless.
CLEARED_BELOW = 0.3
_MASK = (1 << BITS) - 1
_TOKEN = re.compile(r"\w+|[?!$%:]")
_PIECE = 40  # characters
_TOKENS_KEPT = 8_192
_SENTENCE_END = re.compile(r"[.!?\n]+(?=\s|$)")
_DIGITS = re.compile(r"\d+")
# Feature blocks: their values are normalised by themselves so that a long text does not drown the rule hits.
_CHARACTERS = 1.0
_WORDS = 1.0
_RULES = 0.25


@dataclass(frozen=True, slots=True)
class Model:
    """Weights per bucket: `harm` decides, `kinds` names the violation. `threshold` was chosen by cross-validation."""

    threshold: float
    bias: float
    harm: "array.array[int]"
    kinds: "tuple[tuple[Violation, float, array.array[int]], ...]"
    scale: float


def features(text: str, rules: Iterable[str]) -> Iterator[tuple[int, float]]:
    """Hashed (bucket, value) pairs of a folded text and of the rules that matched (`id`) or were spared (`~id`)."""
    text = _DIGITS.sub("0", text)
    tokens = _TOKEN.findall(text)
    words = set(tokens)
    words.update(f"{a} {b}" for a, b in itertools.pairwise(tokens))
    words.update(f"{a} {b} {c}" for a, b, c in zip(tokens, tokens[1:], tokens[2:], strict=False))
    if tokens:
        words.update((f"^ {tokens[0]}", f"^ {' '.join(tokens[:2])}", f"{tokens[-1]} $"))
    value = _WORDS / math.sqrt(len(words) or 1)
    for name in words:
        yield _bucket(f"w{name}"), value
    grams = frozenset[tuple[str, int]]().union(*map(_grams, set(tokens)))
    value = _CHARACTERS / math.sqrt(len(grams) or 1)
    for _, bucket in grams:
        yield bucket, value
    for name in set(rules):
        yield _bucket(f"r{name}"), _RULES


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


def of(text: str, hits: Iterable[tuple[int, str]]) -> tuple[float, Violation | None]:
    """The probability that a folded text breaks a constraint, and which one when that is enough for a doubt.

    `hits`: position and name of each rule hit. A long text is read piece by piece, so that politeness around a promise does not
    water it down: the worst piece counts.
    """
    model = _model()
    worst, pairs = 0.0, list[tuple[int, float]]()
    hits = list(hits)
    for start, end in _pieces(text):
        here = list(features(text[start:end], [name for at, name in hits if start <= at < end]))
        score = model.bias + model.scale * sum(model.harm[bucket] * value for bucket, value in here)
        probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
        if probability > worst:
            worst, pairs = probability, here
    if worst < model.threshold:
        return worst, None
    kind = max(model.kinds, key=lambda k: k[1] + model.scale * sum(k[2][bucket] * value for bucket, value in pairs))
    return worst, kind[0]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Bounds of runs of whole sentences, each about as long as the examples that the model learned from."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.end() - start >= _PIECE:
            pieces.append((start, match.end()))
            start = match.end()
    if start < len(text) or not pieces:
        pieces.append((start, len(text)))
    return pieces


@cache
def _model() -> Model:
    stored = json.loads((resources.files("guard") / "model.json").read_text(encoding="utf-8"))

    def table(text: str) -> "array.array[int]":
        return array.array("b", zlib.decompress(base64.b64decode(text)))

    return Model(
        threshold=stored["threshold"],
        bias=stored["bias"],
        harm=table(stored["harm"]),
        kinds=tuple((Violation(k["violation"]), k["bias"], table(k["weights"])) for k in stored["kinds"]),
        scale=stored["scale"],
    )
