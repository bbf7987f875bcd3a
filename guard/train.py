"""`python -m guard.train`: fits the second opinion on `examples/` (never on the held-out sets) and writes what is shipped.

The words and the reader are trained on every writer; how they are weighed comes from models that had not seen the writer whom
they judged. Each reader takes some minutes and is kept in `build/guard/`: `python -m guard.train NAME` makes one of them (0, 1,
2, all), and what is already there is not made again.
"""

import base64
import json
import random
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from guard.check import heard, rule_hits
from guard.normalise import fold_with_offsets
from guard.numbers import with_digits
from guard.opinion import BITS, Run, Sentence, features, runs, worst_words
from guard.reader.network import Network
from guard.reader.train import WEIGHTS_FILE, Stored, fit
from guard.rulebook import rulebook

_HERE = Path(__file__).parent
_KEPT = Path("build/guard")
_SEED = 7
_FOLDS = 3
# The rules' own examples, the author's replies, what an obedient model would say, names and titles: in every training.
_AUTHOR = ("replies", "leaks", "labels")
_WRITERS = tuple(sorted(path.stem for path in (_HERE / "examples").glob("replies_*.jsonl")))
# The share of other writers' clean replies that may be stopped.
_FALSE_BLOCKS = 0.085
# The share of other writers' violations that may be let through by their words alone, without asking the reader.
_UNREAD = 0.003
# Replies of at most so many characters are also put between harmless ones of their writer: every violation, and a share of the
# others.
_SHORT = 130
_HARMLESS_JOINED = 0.7
_ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """A labelled text, who wrote it, its words as a whole, how it is heard and whether a certain rule holds."""

    text: str
    kinds: tuple[str, ...]
    writer: str
    whole: Sentence
    runs: tuple[tuple[str, Run], ...]
    """Each as it was written and as the words are heard in it."""
    certain: bool
    joined: bool

    @property
    def sentences(self) -> list[Sentence]:
        """Of all runs."""
        return [sentence for _, run in self.runs for sentence in run.sentences]


def main() -> None:
    """Make one reader (by name), or everything."""
    replies = _labelled()
    if len(sys.argv) > 1:
        _reader(sys.argv[1], replies)
        return
    judged: list[Judged] = []
    for fold in range(_FOLDS):
        words, network = _words(_without(fold, replies)), _reader(str(fold), replies)
        judged += [_judged(reply, words, network) for reply in replies if reply.writer in _WRITERS[fold::_FOLDS]]
    stored = _weighed(judged)
    weights = np.array(_words(replies))
    scale = float(np.abs(weights).max()) / 127
    stored |= {"scale": scale}
    harm = base64.b64encode(zlib.compress(np.round(weights / scale).astype(np.int8).tobytes(), 9)).decode()
    (_HERE / "model.json").write_text(json.dumps({**stored, "harm": harm}) + "\n", encoding="utf-8")
    _reader("all", replies)
    WEIGHTS_FILE.write_bytes((_KEPT / "reader-all.npz").read_bytes())


def _labelled() -> list[Reply]:
    replies = [
        _reply(text, kinds, _AUTHOR[0])
        for rule in rulebook().rules
        for texts, kinds in ((rule.must_match, [rule.violation.value]), (rule.must_not_match, []))
        for text in texts
    ]
    for name in (*_AUTHOR, *_WRITERS):
        for line in (_HERE / "examples" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            replies.append(_reply(item["text"], item["violations"], name))
    return [*replies, *_joined(replies)]


def _joined(replies: Sequence[Reply]) -> Iterator[Reply]:
    """Short replies between harmless sentences of the same writer: a violation stays one within a friendly paragraph."""
    chance = random.Random(_SEED)  # noqa: S311 - the same each time
    for writer in (*_AUTHOR, *_WRITERS):
        short = [
            reply for reply in replies if reply.writer == writer and len(reply.sentences) == 1 and len(reply.text) <= _SHORT
        ]
        harmless = [reply.text for reply in short if not reply.kinds and reply.text.endswith((".", "!", "?"))]
        if len(harmless) < _ENOUGH:
            continue
        for reply in short:
            if reply.kinds or chance.random() < _HARMLESS_JOINED:
                parts = [reply.text, *chance.sample(harmless, chance.choice((1, 1, 2)))]
                chance.shuffle(parts)
                yield _reply(" ".join(parts), reply.kinds, writer, joined=True)


def _reply(text: str, kinds: Sequence[str], writer: str, *, joined: bool = False) -> Reply:
    read = with_digits(fold_with_offsets(text))
    hits = rule_hits(read)
    return Reply(
        text,
        tuple(kinds),
        writer,
        Sentence(read.text, tuple(hit.name for hit in hits)),
        tuple((text[slice(*read.original_span(run.start, run.end))], run) for run in runs(read.text, heard(hits))),
        any(hit.holds and hit.rule.certain for hit in hits),
        joined,
    )


def _without(fold: int, replies: Sequence[Reply]) -> list[Reply]:
    return [reply for reply in replies if reply.writer not in _WRITERS[fold::_FOLDS]]


def _reader(name: str, replies: Sequence[Reply]) -> Network:
    """The reader of a fold, or of "all"; made when it is not there yet."""
    path = _KEPT / f"reader-{name}.npz"
    if not path.exists():
        seen = replies if name == "all" else _without(int(name), replies)
        stored: Stored = fit([reply.text for reply in seen], [reply.kinds for reply in seen])
        _KEPT.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, allow_pickle=False, **stored)
    with np.load(path) as loaded:
        return Network(loaded)


def _words(replies: Sequence[Reply]) -> list[float]:
    """Weights per bucket. No intercept: a text without known evidence (a name, a city) must score even, not harmful.

    The sentences of a harmless reply are harmless too; of a harmful one's nobody said which it is.
    """
    replies = [reply for reply in replies if not reply.joined]
    examples = [(reply.whole, bool(reply.kinds)) for reply in replies]
    examples += [(one, False) for reply in replies if not reply.kinds and len(reply.sentences) > 1 for one in reply.sentences]
    model = LogisticRegression(
        C=20.0, max_iter=3000, solver="liblinear", class_weight="balanced", fit_intercept=False, random_state=_SEED
    )
    model.fit(_matrix([text for text, _ in examples]), [harmful for _, harmful in examples])
    weights: list[float] = model.coef_[0].tolist()
    return weights


@dataclass(frozen=True, slots=True)
class Judged:
    """What the voices say of a reply: words, reader, whether a rule holds."""

    voices: tuple[float, float, bool]
    reply: Reply


def _judged(reply: Reply, words: list[float], network: Network) -> Judged:
    found = [(worst_words(words, run), float(network.scores(text)[0]), run.holds) for text, run in reply.runs]
    return Judged(max(found, key=sum), reply)


def _weighed(judged: Sequence[Judged]) -> dict[str, float]:
    """How much each voice counts, and from where a text is doubtful; prints what that means for writers not seen."""
    voices = np.array([one.voices for one in judged])
    harmful = np.array([bool(one.reply.kinds) for one in judged])
    certain = np.array([one.reply.certain for one in judged])
    joined = np.array([one.reply.joined for one in judged])
    several = np.array([len(one.reply.sentences) > 1 for one in judged]) & ~joined
    lengths = (("one sentence", ~several & ~joined), ("several", several), ("between harmless ones", joined))
    model = LogisticRegression(C=10.0, class_weight="balanced", random_state=_SEED)
    for name, heard_ in (("words and rules", [0, 2]), ("words, reader and rules", [0, 1, 2])):
        model.fit(voices[~certain][:, heard_], harmful[~certain])
        odds = np.where(certain, np.inf, model.decision_function(voices[:, heard_]))
        for length, only in lengths:
            recalls = (
                f"{(odds > _threshold(odds[only & ~harmful], share))[only & harmful].mean():.1%} at {share:.0%}"
                for share in (0.02, 0.03, 0.05, 0.08)
            )
            sys.stdout.write(f"{name}, {length}: recall {', '.join(recalls)} false blocks\n")
    threshold = _threshold(odds[~harmful], _FALSE_BLOCKS)
    silent = voices[harmful & ~certain & (voices[:, 2] == 0) & (odds > threshold), 0]
    low = float(np.sort(silent)[int(_UNREAD * harmful.sum())])
    asked = (voices[:, 0] >= low) | (voices[:, 2] > 0)
    for length, only in lengths:
        stopped = (odds > threshold) & (asked | certain)
        sys.stdout.write(
            f"chosen, {length}: recall {stopped[only & harmful].mean():.1%} at {stopped[only & ~harmful].mean():.1%} "
            f"false blocks, the reader is asked about {asked[only & ~harmful].mean():.0%} of the clean ones\n"
        )
    weights = dict(zip(("words", "reader", "rule"), model.coef_[0].tolist(), strict=True))
    weights |= {"bias": float(model.intercept_[0]), "threshold": threshold, "clear_below": low}
    return {name: round(weight, 4) for name, weight in weights.items()}


def _threshold(clean: NDArray[np.float64], share: float) -> float:
    """The log-odds that no more than a share of the clean replies exceed."""
    return float(np.sort(clean)[::-1][int(share * len(clean))])


def _matrix(sentences: Sequence[Sentence]) -> csr_matrix:
    data: list[float] = []
    columns: list[int] = []
    ends = [0]
    for sentence in sentences:
        for value, buckets in features(sentence):
            columns += buckets
            data += [value] * len(buckets)
        ends.append(len(columns))
    return csr_matrix((data, columns, ends), shape=(len(sentences), 1 << BITS))


if __name__ == "__main__":
    main()
