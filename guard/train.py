"""`python -m guard.train`: fits the second opinion on `examples/` (never on the held-out sets) and writes what is shipped.

The words and the reader are trained on every writer; how they are weighed comes from models that had not seen the writer whom
they judged. Each reader takes some minutes and is kept in `build/guard/`: `python -m guard.train NAME` makes one of them (0, 1,
2, all), and what is already there is not made again.
"""

import base64
import json
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from guard.check import heard, rule_hits
from guard.normalise import Folded, fold_with_offsets
from guard.numbers import with_digits
from guard.opinion import BITS, features, pieces, words_score
from guard.reader.network import Network
from guard.reader.train import WEIGHTS_FILE, Stored, fit
from guard.rulebook import rulebook

_HERE = Path(__file__).parent
_KEPT = Path("build/guard")
_SEED = 7
_FOLDS = 3
# The rules' own examples, the author's replies and what an obedient model would say: one hand, in every training.
_AUTHOR = ("replies", "leaks")
_WRITERS = tuple(sorted(path.stem for path in (_HERE / "examples").glob("replies_*.jsonl")))
# The share of other writers' clean replies that may be stopped.
_FALSE_BLOCKS = 0.05
# The share of other writers' violations that may be let through by their words alone, without asking the reader.
_UNREAD = 0.004


@dataclass(frozen=True, slots=True)
class Reply:
    """A labelled text and who wrote it."""

    text: str
    kinds: Sequence[str]
    writer: str


def main() -> None:
    """Make one reader (by name), or everything."""
    replies = _labelled()
    if len(sys.argv) > 1:
        _reader(sys.argv[1], replies)
        return
    voices: list[tuple[float, float, bool]] = []
    truth: list[bool] = []
    certain: list[bool] = []
    for fold in range(_FOLDS):
        others = _without(fold, replies)
        words, network = _words(others), _reader(str(fold), replies)
        for reply in replies:
            if reply.writer in _WRITERS[fold::_FOLDS]:
                voices.append(_voices(reply.text, words, network))
                truth.append(bool(reply.kinds))
                certain.append(any(hit.holds and hit.rule.certain for hit in rule_hits(_read(reply.text))))
    stored = _weighed(np.array(voices), np.array(truth), np.array(certain))
    words = _words(replies)
    scale = float(np.abs(words).max()) / 127
    stored |= {"scale": scale}
    harm = base64.b64encode(zlib.compress(np.round(words / scale).astype(np.int8).tobytes(), 9)).decode()
    (_HERE / "model.json").write_text(json.dumps({**stored, "harm": harm}) + "\n", encoding="utf-8")
    _reader("all", replies)
    WEIGHTS_FILE.write_bytes((_KEPT / "reader-all.npz").read_bytes())


def _labelled() -> list[Reply]:
    replies = [
        Reply(text, kinds, _AUTHOR[0])
        for rule in rulebook().rules
        for texts, kinds in ((rule.must_match, [rule.violation.value]), (rule.must_not_match, []))
        for text in texts
    ]
    for name in (*_AUTHOR, *_WRITERS):
        for line in (_HERE / "examples" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            replies.append(Reply(item["text"], item["violations"], name))
    return replies


def _without(fold: int, replies: Sequence[Reply]) -> list[Reply]:
    return [reply for reply in replies if reply.writer not in _WRITERS[fold::_FOLDS]]


def _reader(name: str, replies: Sequence[Reply]) -> Network:
    """The reader of a fold, or of "all"; made when it is not there yet."""
    path = _KEPT / f"reader-{name}.npz"
    if not path.exists():
        seen = replies if name == "all" else _without(int(name), replies)
        stored: Stored = fit([reply.text for reply in seen], [reply.kinds for reply in seen], _SEED)
        _KEPT.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **stored)
    with np.load(path) as loaded:
        return Network(loaded)


def _words(replies: Sequence[Reply]) -> NDArray[np.float64]:
    """Weights per bucket. No intercept: a text without known evidence (a name, a city) must score even, not harmful."""
    rows = _matrix([reply.text for reply in replies])
    model = LogisticRegression(
        C=20.0, max_iter=3000, solver="liblinear", class_weight="balanced", fit_intercept=False, random_state=_SEED
    )
    model.fit(rows, np.array([bool(reply.kinds) for reply in replies]))
    weights: NDArray[np.float64] = model.coef_[0]
    return weights


def _voices(text: str, words: NDArray[np.float64], network: Network) -> tuple[float, float, bool]:
    """Words, reader and rules on the worst piece of a text."""
    read = _read(text)
    hits = heard(rule_hits(read))
    found: list[tuple[float, float, bool]] = []
    for start, end in pieces(read.text):
        here = [hit for hit in hits if start <= hit.at < end]
        score = words_score(words.tolist(), read.text[start:end], [hit.name for hit in here])
        first, last = read.original_span(start, end)
        found.append((float(score), float(network.scores(text[first:last])[0]), any(hit.holds for hit in here)))
    return max(found, key=sum)


def _weighed(voices: NDArray[np.float64], truth: NDArray[np.bool_], certain: NDArray[np.bool_]) -> dict[str, float]:
    """How much each voice counts, and from where a text is doubtful; prints what that means for writers not seen."""
    model = LogisticRegression(C=10.0, class_weight="balanced", random_state=_SEED)
    model.fit(voices[~certain], truth[~certain])
    odds = voices @ model.coef_[0] + model.intercept_[0]
    clean = np.sort(np.where(certain, np.inf, odds)[~truth])[::-1]
    for share in (0.02, 0.03, 0.05, 0.08, 0.1, 0.15):
        at = clean[int(share * len(clean))]
        recall = ((odds > at) | certain)[truth].mean()
        sys.stdout.write(f"log-odds {at:.2f}: recall {recall:.3f} at {share:.0%} false blocks, on writers not seen\n")
    threshold = float(clean[int(_FALSE_BLOCKS * len(clean))])
    silent = voices[truth & ~certain & (voices[:, 2] == 0) & (odds > threshold), 0]
    low = float(np.sort(silent)[int(_UNREAD * truth.sum())])
    asked = ((voices[:, 0] >= low) | (voices[:, 2] > 0))[~truth].mean()
    sys.stdout.write(f"the reader is asked about {asked:.0%} of the clean replies\n")
    names = ("words", "reader", "rule")
    weights = {name: round(float(w), 4) for name, w in zip(names, model.coef_[0], strict=True)}
    return weights | {
        "bias": round(float(model.intercept_[0]), 4),
        "threshold": round(threshold, 4),
        "clear_below": round(low, 4),
    }


def _read(text: str) -> Folded:
    return with_digits(fold_with_offsets(text))


def _matrix(texts: list[str]) -> csr_matrix:
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for text in texts:
        read = _read(text)
        for value, buckets in features(read.text, [hit.name for hit in rule_hits(read)]):
            columns += buckets
            data += [value] * len(buckets)
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(texts), 1 << BITS))


if __name__ == "__main__":
    main()
