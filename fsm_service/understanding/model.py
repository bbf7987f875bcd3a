"""The small linear model: reads `model.json` and scores features with numpy, without scikit-learn."""

import base64
import json
import math
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from common.taxonomy import Category, Vertente
from fsm_service.understanding.features import MAX_WORDS, extract, letters

MODEL_FILE = Path(__file__).with_name("model.json")
FORMAT = 3


class Document(TypedDict):
    """What `model.json` holds; vocabulary, idf and weights are packed."""

    format: int
    meanings: list[str]
    intents: list[str]
    group_weights: dict[str, float]
    scales: list[float]
    biases: list[float]
    vocabulary: str
    idf: str
    weights: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities by label for one message."""

    vertente: dict[Vertente, float]
    category: dict[Category, float]
    pairs: dict[tuple[Vertente, Category], float]
    """By line and category."""
    intent: dict[str, float]
    escalate_in: dict[Category, float]
    """By category: how likely a person is needed if the message is of that category."""
    person: float
    """How likely a person is needed, by the head that was asked only this."""


@dataclass(frozen=True, slots=True)
class Model:
    """Linear heads over one vocabulary; a message's vector is, per feature group, its idf weights at length 1.

    The rows of `weights` (one per feature, one signed byte per output) are already multiplied by the feature's idf.
    """

    meanings: tuple[tuple[Category, bool, Vertente], ...]
    """The labels of the first head: category, whether a person is needed, line."""
    intents: tuple[str, ...]
    """The labels of the second; the third, whether a person is needed, is one output."""
    vocabulary: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.int8]
    scales: NDArray[np.float64]
    biases: NDArray[np.float64]
    group_weights: dict[str, float]
    letter_rows: Callable[[str], frozenset[int]]
    """The rows of a word's runs of letters; remembered, since people use the same words."""

    def score(self, tokens: Sequence[str], signs: Iterable[str]) -> Scores:
        """Probabilities of every head for a message's folded words and signs; unknown features count for nothing."""
        tokens = tokens[:MAX_WORDS]
        of_group = {group: _rows(self.vocabulary, names) for group, names in extract(tokens, signs).items()}
        of_group["c"] = list(frozenset().union(*map(self.letter_rows, tokens)))
        totals = self.biases.copy()
        for group, rows in of_group.items():
            if rows:
                length = math.sqrt(float(np.square(self.idf[rows], dtype=np.float64).sum()))
                summed = self.weights[rows].sum(axis=0, dtype=np.int32)
                totals += summed * self.scales * (self.group_weights[group] / length)
        ends = len(self.meanings), len(self.meanings) + len(self.intents)
        meaning = _shares(totals[: ends[0]])
        intent = dict(zip(self.intents, _shares(totals[ends[0] : ends[1]]), strict=True))
        return _scores(self.meanings, meaning, intent, 1 / (1 + math.exp(-float(totals[ends[1]]))))


def _rows(vocabulary: dict[str, int], names: Iterable[str]) -> list[int]:
    return [row for name in names if (row := vocabulary.get(name)) is not None]


def _shares(values: NDArray[np.float64]) -> list[float]:
    powers = np.exp(values - values.max())
    shares: list[float] = (powers / powers.sum()).tolist()
    return shares


def _scores(
    meanings: Sequence[tuple[Category, bool, Vertente]], shares: Sequence[float], intent: dict[str, float], person: float
) -> Scores:
    vertente = dict.fromkeys(Vertente, 0.0)
    category = dict.fromkeys(Category, 0.0)
    needed = dict.fromkeys(Category, 0.0)
    pairs: dict[tuple[Vertente, Category], float] = {}
    for (label, answer, line), share in zip(meanings, shares, strict=True):
        vertente[line] += share
        category[label] += share
        if answer:
            needed[label] += share
        pairs[line, label] = pairs.get((line, label), 0.0) + share
    within = {label: needed[label] / share if share else 0.0 for label, share in category.items()}
    return Scores(vertente, category, pairs, intent, within, person)


@cache
def load() -> Model:
    """The shipped model, read once per process. Raises ValueError for a file of another format."""
    return from_document(json.loads(MODEL_FILE.read_text(encoding="utf-8")))


def from_document(document: Document) -> Model:
    """The model that a document of `train.py` holds. Raises ValueError for another format."""
    if document["format"] != FORMAT:
        raise ValueError(f"{MODEL_FILE.name} has format {document['format']!r}, expected {FORMAT}; retrain it")
    names = unpacked(document["vocabulary"]).decode("utf-8").split("\n")
    meanings = []
    for label in document["meanings"]:
        category, answer, line = label.split(" ")
        meanings.append((Category(category), answer == "yes", Vertente(line)))
    vocabulary = {name: row for row, name in enumerate(names)}

    @lru_cache(maxsize=20_000)
    def letter_rows(word: str) -> frozenset[int]:
        return frozenset(_rows(vocabulary, letters(word)))

    return Model(
        meanings=tuple(meanings),
        intents=tuple(document["intents"]),
        vocabulary=vocabulary,
        idf=np.frombuffer(unpacked(document["idf"]), dtype="<f4"),
        weights=np.frombuffer(unpacked(document["weights"]), dtype=np.int8).reshape(len(names), -1),
        scales=np.array(document["scales"]),
        biases=np.array(document["biases"]),
        group_weights=document["group_weights"],
        letter_rows=letter_rows,
    )


def packed(data: bytes) -> str:
    """Bytes as compressed text."""
    return base64.b85encode(zlib.compress(data, 9)).decode("ascii")


def unpacked(text: str) -> bytes:
    """The bytes of compressed text."""
    return zlib.decompress(base64.b85decode(text))
