"""The small linear model: reads `model.json` and scores features in plain Python, without numpy or scikit-learn."""

import base64
import json
import math
import zlib
from array import array
from dataclasses import dataclass
from functools import cache
from operator import add
from pathlib import Path

from fsm_service.understanding.features import GROUPS

MODEL_FILE = Path(__file__).with_name("model.json")
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities by label for one message."""

    vertente: dict[str, float]
    category: dict[str, float]
    pairs: dict[tuple[str, str], float]
    """By line and category."""
    intent: dict[str, float]
    escalate: float
    escalate_in: dict[str, float]
    """By category: how likely a person is needed if the message is of that category."""


@dataclass(frozen=True, slots=True)
class Model:
    """Linear heads over one vocabulary; a message's vector is, per feature group, its idf weights at length 1.

    The rows of `weights` (one per feature, one signed byte per output) are already multiplied by the feature's idf.
    """

    labels: dict[str, list[str]]
    vocabulary: dict[str, int]
    idf: "array[float]"
    weights: "array[int]"
    scales: list[float]
    biases: list[float]
    group_weights: dict[str, float]

    def score(self, features: list[str]) -> Scores:
        """Probabilities of every head for the features of one message; unknown features count for nothing."""
        outputs = len(self.biases)
        totals = [float(bias) for bias in self.biases]
        for group in GROUPS:
            rows = [row for name in features if name[0] == group and (row := self.vocabulary.get(name)) is not None]
            if not rows:
                continue
            length = math.sqrt(sum(self.idf[row] * self.idf[row] for row in rows))
            summed = list(self.weights[rows[0] * outputs : (rows[0] + 1) * outputs])
            for row in rows[1:]:
                summed = list(map(add, summed, self.weights[row * outputs : (row + 1) * outputs]))
            factor = self.group_weights[group] / length
            for index, value in enumerate(summed):
                totals[index] += value * self.scales[index] * factor
        return self._probabilities(totals)

    def _probabilities(self, totals: list[float]) -> Scores:
        heads: dict[str, dict[str, float]] = {}
        start = 0
        for head, names in self.labels.items():
            values = totals[start : start + len(names)]
            start += len(names)
            highest = max(values)
            powers = [math.exp(value - highest) for value in values]
            whole = sum(powers)
            heads[head] = {name: power / whole for name, power in zip(names, powers, strict=True)}
        return _scores(heads["meaning"], heads["intent"])


def _scores(joint: dict[str, float], intent: dict[str, float]) -> Scores:
    """Scores from the joint head, whose labels are category, whether a person is needed, and line ("COMERCIAL yes CRM")."""
    vertente: dict[str, float] = {}
    category: dict[str, float] = {}
    needed: dict[str, float] = {}
    pairs: dict[tuple[str, str], float] = {}
    for name, share in joint.items():
        label, answer, line = name.split(" ")
        vertente[line] = vertente.get(line, 0.0) + share
        category[label] = category.get(label, 0.0) + share
        needed[label] = needed.get(label, 0.0) + (share if answer == "yes" else 0.0)
        pairs[line, label] = pairs.get((line, label), 0.0) + share
    within = {label: needed[label] / share if share else 0.0 for label, share in category.items()}
    return Scores(vertente, category, pairs, intent, sum(needed.values()), within)


@cache
def load() -> Model:
    """The shipped model, read once per process. Raises ValueError for a file of another format."""
    document = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ValueError(f"{MODEL_FILE.name} has format {document['format']!r}, expected {FORMAT}; retrain it")
    names = zlib.decompress(base64.b85decode(document["vocabulary"])).decode("utf-8").split("\n")
    idf = array("f")
    idf.frombytes(zlib.decompress(base64.b85decode(document["idf"])))
    weights = array("b")
    weights.frombytes(zlib.decompress(base64.b85decode(document["weights"])))
    return Model(
        labels=document["labels"],
        vocabulary={name: row for row, name in enumerate(names)},
        idf=idf,
        weights=weights,
        scales=document["scales"],
        biases=document["biases"],
        group_weights=document["group_weights"],
    )
