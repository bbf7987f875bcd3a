"""Trains the small linear model from the hand-written examples: `python -m fsm_service.understanding.train`.

Needs scikit-learn (the `train` extra); the services never do. Same examples, same seed, same bytes. `--check` only
compares what training gives with the shipped file.
"""

import os

# One thread keeps the sums in one order, so that the file is the same on every run. Read by BLAS at import.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import base64
import json
import math
import random
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from fsm_service.understanding.dataset import EXAMPLES, read_dialogs, read_messages
from fsm_service.understanding.features import GROUPS, extract
from fsm_service.understanding.model import FORMAT, MODEL_FILE
from fsm_service.understanding.reading import INTENTS
from fsm_service.understanding.signals import signals
from fsm_service.understanding.text import ABBREVIATIONS, strip_accents, words

SEED = 20
GROUP_WEIGHTS = {"c": 1.0, "w": 0.9, "k": 1.2}
# The first author's examples are many and alike; those of every other hand say more about how customers differ.
FILE_WEIGHTS = {"messages.jsonl": 0.7, "messages_d.jsonl": 0.7, "messages_f.jsonl": 0.3}
OTHER_HANDS = 2.0
REGULARISATION = 8.0
MIN_COUNT = 2
"""A feature must be in this many different examples (before augmentation)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One training row."""

    text: str
    vertente: str
    category: str
    intent: str
    escalate: str
    weight: float


def samples() -> list[Sample]:
    """The training examples; the held-out files are not among them. Injections are left to the rules."""
    rows = [
        Sample(
            item.text,
            item.vertente.value,
            item.category.value,
            item.intent or ("" if item.category in INTENTS else item.category.value),
            "yes" if item.escalate else "no",
            (0.6 if item.doubtful else 1.0) * FILE_WEIGHTS.get(file.name, OTHER_HANDS),
        )
        for file in sorted(EXAMPLES.glob("messages*.jsonl"))
        for item in read_messages(file)
        if "injection" not in item.notes
    ]
    for file in sorted(EXAMPLES.glob("dialogs*.jsonl")):
        for dialog in read_dialogs(file):
            first = dialog.turns[0]
            rows.append(
                Sample(first.text, first.vertente.value, first.category.value, "", "yes" if first.escalate else "no", 1.0)
            )
    return rows


def augment(text: str, chance: random.Random) -> str:
    """`text` as a hastier person would type it: an abbreviation, a lost accent, a slip of the finger."""
    short = {value: key for key, value in ABBREVIATIONS.items() if " " not in value}
    typed = strip_accents(text).split(" ")
    for index, word in enumerate(typed):
        if word in short and chance.random() < 0.3:
            typed[index] = short[word]
        elif len(word) > 5 and chance.random() < 0.18:
            typed[index] = _slip(word, chance)
    return " ".join(typed)


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(3)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at] + word[at:]


def features_of(text: str) -> list[str]:
    """The features of a message on its own."""
    tokens = words(text)
    return extract(tokens, signals(text, " ".join(tokens)))


def train(rows: Sequence[Sample]) -> dict[str, object]:
    """The model document for these rows: vocabulary, idf, quantised weights, scales and biases."""
    chance = random.Random(SEED)  # noqa: S311 -- augmentation, not secrets
    plain = [features_of(row.text) for row in rows]
    seen = Counter(name for names in plain for name in names)
    vocabulary = {name: index for index, name in enumerate(sorted(n for n, count in seen.items() if count >= MIN_COUNT))}
    idf = np.array([1.0 + math.log((1 + len(rows)) / (1 + seen[name])) for name in vocabulary], dtype=np.float64)
    all_features = [*plain, *(features_of(augment(row.text, chance)) for row in rows)]
    all_rows = [*rows, *rows]
    matrix = vectors(all_features, vocabulary, idf)
    weights = np.array([row.weight * (1.0 if index < len(rows) else 0.6) for index, row in enumerate(all_rows)])
    labels: dict[str, list[str]] = {}
    coefficients: list[np.ndarray] = []
    biases: list[float] = []
    for head, values in {
        # One question: what a person must do depends on what the message is, and that on the line.
        "meaning": [f"{row.category} {row.escalate} {row.vertente}" for row in all_rows],
        "intent": [row.intent for row in all_rows],
    }.items():
        used = np.array([index for index, value in enumerate(values) if value])
        classifier = LogisticRegression(C=REGULARISATION, max_iter=300, tol=1e-3)
        classifier.fit(matrix[used], [values[index] for index in used], sample_weight=weights[used])
        names = [str(name) for name in classifier.classes_]
        labels[head] = names
        coefficients.extend(classifier.coef_)
        biases.extend(float(value) for value in classifier.intercept_)
    return document(labels, vocabulary, idf, np.array(coefficients), biases)


def vectors(features: Sequence[list[str]], vocabulary: dict[str, int], idf: np.ndarray) -> csr_matrix:
    """One row per message: per feature group, the idf weights scaled to length 1 times the group's weight."""
    indices: list[int] = []
    values: list[float] = []
    starts = [0]
    for names in features:
        for group in GROUPS:
            known = sorted(vocabulary[name] for name in names if name[0] == group and name in vocabulary)
            if known:
                length = math.sqrt(sum(float(idf[row]) ** 2 for row in known))
                indices.extend(known)
                values.extend(GROUP_WEIGHTS[group] * float(idf[row]) / length for row in known)
        starts.append(len(indices))
    return csr_matrix((values, indices, starts), shape=(len(features), len(vocabulary)))


def document(
    labels: dict[str, list[str]], vocabulary: dict[str, int], idf: np.ndarray, coefficients: np.ndarray, biases: list[float]
) -> dict[str, object]:
    """The JSON document of a model: weights times idf, one signed byte each."""
    scaled = coefficients * idf  # outputs by features
    scales = np.abs(scaled).max(axis=1) / 127
    quantised = np.rint(scaled / scales[:, None]).astype(np.int8).T
    return {
        "format": FORMAT,
        "labels": labels,
        "group_weights": GROUP_WEIGHTS,
        "scales": [float(f"{value:.5g}") for value in scales],
        "biases": [round(value, 3) for value in biases],
        "vocabulary": _packed("\n".join(vocabulary).encode("utf-8")),
        "idf": _packed(array("f", [float(f"{value:.4g}") for value in idf]).tobytes()),
        "weights": _packed(np.ascontiguousarray(quantised).tobytes()),
    }


def _packed(data: bytes) -> str:
    return base64.b85encode(zlib.compress(data, 9)).decode("ascii")


def rendered(model: dict[str, object]) -> str:
    """The text of `model.json`."""
    return json.dumps(model, indent=1, ensure_ascii=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes `model.json`, or with --check says whether it is what training gives."""
    parser = argparse.ArgumentParser(prog="python -m fsm_service.understanding.train", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the shipped file instead of writing it")
    options = parser.parse_args(arguments)
    rows = samples()
    text = rendered(train(rows))
    if options.check:
        same = MODEL_FILE.read_text(encoding="utf-8") == text
        sys.stdout.write("model.json is what training gives\n" if same else "model.json differs from what training gives\n")
        return 0 if same else 1
    MODEL_FILE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(rows)} examples, {len(text) // 1024} KiB written to {MODEL_FILE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
