"""The reader's network: n-gram convolutions over word pieces, then the probability of harm and of each violation.

It is Google's Universal Sentence Encoder, multilingual 3 (Apache 2.0, `LICENSE` beside `weights.npz`), cut to the pieces of
Portuguese, English and Spanish and trained further on `guard/examples` (`guard/reader/train.py`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from common.taxonomy import Violation
from guard.reader.pieces import shipped_pieces

Array = NDArray[np.float32]

# Of each convolution: how many pieces it sees, and how many of them are to the left.
CONVOLUTIONS = ((2, 0), (3, 1), (5, 2))
CHANNELS = 256
EPSILON = 1e-12
_TEXTS_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Reading:
    """`harm`: log-odds that the text breaks a constraint. `violation`: the one that it would be."""

    harm: float
    violation: Violation


@lru_cache(_TEXTS_KEPT)
def read(text: str) -> Reading:
    """What the reader that is shipped makes of a text."""
    return _network().reading(text)


class Network:
    """Vocabulary, table of vectors (a byte a number) and weights."""

    def __init__(self, stored: Mapping[str, NDArray[np.generic]]) -> None:
        self.pieces = shipped_pieces()
        self._table = stored["table"]
        self._row_scale = stored["row_scale"].astype(np.float32)
        self._row_low = stored["row_low"].astype(np.float32)
        self.weights = {name: unpacked(stored, name) for name in WEIGHTS}

    def vectors(self, numbers: NDArray[np.int64]) -> Array:
        """The vector of each piece."""
        rows: Array = self._table[numbers].astype(np.float32)
        return rows * self._row_scale[numbers][..., None] + self._row_low[numbers][..., None]

    def reading(self, text: str) -> Reading:
        """One text, read with the weights."""
        scores = self.scores(text)
        return Reading(float(scores[0]), list(Violation)[int(scores[1:].argmax())])

    def scores(self, text: str) -> Array:
        """Log-odds: of harm, then of each violation."""
        w = self.weights
        embedded = self.vectors(np.array(self.pieces.numbers(text)))
        projected = _normalised(embedded @ w["project"] + w["project_bias"], w["project_gain"], w["project_shift"])
        parts = [embedded]
        for place, (size, left) in enumerate(CONVOLUTIONS):
            x = projected[:, place * CHANNELS : (place + 1) * CHANNELS]
            x = np.maximum(_windows(x, size, left) @ w[f"first{size}"] + w[f"first_bias{size}"], 0) + x
            parts.append(np.maximum(_windows(x, size, left) @ w[f"second{size}"] + w[f"second_bias{size}"], 0) + x)
        features = _normalised(np.concatenate(parts, axis=1), w["gain"], w["shift"])
        count = len(features)
        pooled = (features.sum(axis=0) @ w["pool"] + count * w["pool_bias"]) / math.sqrt(count)
        hidden = np.maximum(pooled @ w["hidden"] + np.maximum(pooled @ w["inner"], 0) @ w["outer"], 0)
        scores: Array = hidden @ w["head"] + features.max(axis=0) @ w["head_of_strongest"] + w["head_bias"]
        return scores


WEIGHTS = (
    *("project", "project_bias", "project_gain", "project_shift"),
    *(f"{name}{size}" for size, _ in CONVOLUTIONS for name in ("first", "first_bias", "second", "second_bias")),
    *("gain", "shift", "pool", "pool_bias", "hidden", "inner", "outer", "head", "head_of_strongest", "head_bias"),
)


def packed(name: str, weight: Array) -> dict[str, NDArray[np.generic]]:
    """A matrix as signed bytes with a scale for each column; a vector as it is."""
    if weight.ndim == 1:
        return {name: weight}
    scale = np.abs(weight).max(axis=0) / 127 + 1e-12
    return {name: np.round(weight / scale).astype(np.int8), f"{name}_scale": scale.astype(np.float32)}


def unpacked(stored: Mapping[str, NDArray[np.generic]], name: str) -> Array:
    """What `packed` stored."""
    weight = stored[name].astype(np.float32)
    return weight if weight.ndim == 1 else weight * stored[f"{name}_scale"].astype(np.float32)


def _normalised(x: Array, gain: Array, shift: Array) -> Array:
    centred = x - x.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / x.shape[1]
    result: Array = centred / np.sqrt(variance + EPSILON)[:, None] * gain + shift
    return result


def _windows(x: Array, size: int, left: int) -> Array:
    """For each piece, it and its neighbours side by side; beyond the ends there is nothing."""
    padded = np.zeros((len(x) + size - 1, x.shape[1]), dtype=np.float32)
    padded[left : left + len(x)] = x
    return np.concatenate([padded[i : i + len(x)] for i in range(size)], axis=1)


@cache
def _network() -> Network:
    with resources.as_file(resources.files("guard.reader") / "weights.npz") as path, np.load(path) as stored:
        return Network(stored)
