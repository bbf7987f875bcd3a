"""`python -m guard.train`: fits the second opinion on `examples/` (never on the held-out set), writes `model.json`."""

import base64
import json
import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from common.taxonomy import Violation
from guard.check import rule_hits
from guard.normalise import Folded, fold_with_offsets
from guard.numbers import with_digits
from guard.opinion import BITS, features
from guard.rulebook import rulebook

_HERE = Path(__file__).parent
_TRAINING = ("replies.jsonl", "replies_b.jsonl", "replies_c.jsonl", *(f"replies_d{n}.jsonl" for n in range(1, 6)), "leaks.jsonl")
_SEED = 7


def main() -> None:
    """Train, report what cross-validation says at several thresholds, write the model."""
    texts, kinds = _labelled()
    harmful = np.array([bool(k) for k in kinds])
    rows = _matrix(texts)
    # No intercept: a text without known evidence (a name, a city) must score even, not harmful.
    harm = LogisticRegression(
        C=20.0, max_iter=3000, solver="liblinear", class_weight="balanced", fit_intercept=False, random_state=_SEED
    )
    folds = StratifiedKFold(10, shuffle=True, random_state=_SEED)
    held_back = cross_val_predict(harm, rows, harmful, cv=folds, method="predict_proba")[:, 1]
    blocked = np.array([any(hit.holds for hit in rule_hits(_read(t))) for t in texts])
    for threshold in (0.4, 0.45, 0.5, 0.55, 0.6, 0.65):
        both = (held_back >= threshold) | blocked
        sys.stdout.write(f"{threshold:.2f}: recall {both[harmful].mean():.3f}, false {both[~harmful].mean():.3f}\n")
    harm.fit(rows, harmful)
    weights = [harm.coef_[0]]
    biases = [0.0]
    for violation in Violation:
        one = LogisticRegression(C=20.0, max_iter=3000, solver="liblinear", class_weight="balanced", random_state=_SEED)
        one.fit(rows, np.array([violation.value in k for k in kinds]))
        weights.append(one.coef_[0])
        biases.append(float(one.intercept_[0]))
    scale = max(float(np.abs(w).max()) for w in weights) / 127
    stored = {
        "threshold": float(sys.argv[1]) if len(sys.argv) > 1 else 0.53,
        "bias": round(biases[0], 6),
        "scale": scale,
        "harm": _packed(weights[0], scale),
        "kinds": [
            {"violation": v.value, "bias": round(b, 6), "weights": _packed(w, scale)}
            for v, b, w in zip(Violation, biases[1:], weights[1:], strict=True)
        ],
    }
    (_HERE / "model.json").write_text(json.dumps(stored) + "\n", encoding="utf-8")


def _labelled() -> tuple[list[str], list[list[str]]]:
    """Texts and their violations: the rules' own examples, the labelled replies and the red-team set."""
    texts: list[str] = []
    kinds: list[list[str]] = []
    for rule in rulebook().rules:
        texts += [*rule.must_match, *rule.must_not_match]
        kinds += [[rule.violation.value]] * len(rule.must_match) + [[]] * len(rule.must_not_match)
    for name in _TRAINING:
        for line in (_HERE / "examples" / name).read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            texts.append(item["text"])
            kinds.append(item["violations"])
    return texts, kinds


def _read(text: str) -> Folded:
    return with_digits(fold_with_offsets(text))


def _matrix(texts: list[str]) -> csr_matrix:
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for text in texts:
        read = _read(text)
        for bucket, value in features(read.text, [hit.name for hit in rule_hits(read)]):
            columns.append(bucket)
            data.append(value)
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(texts), 1 << BITS))


def _packed(weights: NDArray[np.float64], scale: float) -> str:
    return base64.b64encode(zlib.compress(np.round(weights / scale).astype(np.int8).tobytes(), 9)).decode()


if __name__ == "__main__":
    main()
