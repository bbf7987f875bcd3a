"""Turns a message into the names of its features: words, pairs of words, letters inside words, concepts and signs."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from rapidfuzz import fuzz, process

_CONCEPTS_FILE = Path(__file__).with_name("concepts.toml")
_SHORTEST_GRAM, _LONGEST_GRAM = 3, 5
MAX_WORDS = 120
"""Of a longer message only the beginning is read."""
_FUZZY_MIN_LETTERS = 6
_FUZZY_SCORE = 86
# A concept within this many words after "nao"/"sem" is noted as denied.
_NEGATION_REACH = 4
_NEGATIONS = frozenset({"nao", "sem", "nem", "not", "no", "sin", "nunca", "don"})


class Lexicon(NamedTuple):
    """The words of `concepts.toml`, arranged for look-up."""

    exact: dict[str, tuple[str, ...]]
    prefixes: dict[str, tuple[str, ...]]
    phrases: dict[str, tuple[tuple[str, str], ...]]
    """By first word: the phrase after a space, and its concept."""
    fuzzy: tuple[str, ...]


@cache
def lexicon() -> Lexicon:
    """The concept lists, read once."""
    exact: dict[str, list[str]] = {}
    prefixes: dict[str, list[str]] = {}
    phrases: dict[str, list[tuple[str, str]]] = {}
    for concept, entries in tomllib.loads(_CONCEPTS_FILE.read_text(encoding="utf-8")).items():
        for entry in entries:
            if " " in entry:
                phrases.setdefault(entry.partition(" ")[0], []).append((f" {entry.rstrip('*')}", concept))
            elif entry.endswith("*"):
                prefixes.setdefault(entry[:-1], []).append(concept)
            else:
                exact.setdefault(entry, []).append(concept)
    long_words = sorted({word for word in (*exact, *prefixes) if len(word) >= _FUZZY_MIN_LETTERS})
    return Lexicon(
        {word: tuple(names) for word, names in exact.items()},
        {word: tuple(names) for word, names in prefixes.items()},
        {word: tuple(found) for word, found in phrases.items()},
        tuple(long_words),
    )


@lru_cache(maxsize=20_000)
def concepts_of(word: str, *, fuzzy: bool = True) -> tuple[str, ...]:
    """The concepts that a folded word speaks of; a misspelt long word counts as the nearest known one."""
    word = word[:40]
    found = _listed(word) if len(word) < 24 else ()
    if found or not fuzzy or len(word) < _FUZZY_MIN_LETTERS:
        return found
    nearest = process.extractOne(word, lexicon().fuzzy, scorer=fuzz.ratio, score_cutoff=_FUZZY_SCORE)
    return _listed(nearest[0]) if nearest is not None else ()


def _listed(word: str) -> tuple[str, ...]:
    known = lexicon()
    found = list(known.exact.get(word, ()))
    for length in range(2, len(word) + 1):
        found.extend(known.prefixes.get(word[:length], ()))
    return tuple(dict.fromkeys(found))


def concepts(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """The concepts affirmed and the concepts denied ("nao e entrega") in folded words, in order, with repeats."""
    affirmed: list[str] = []
    denied: list[str] = []
    last_negation = -_NEGATION_REACH - 1
    for position, token in enumerate(tokens):
        if token in _NEGATIONS:
            last_negation = position
        elif token in {"mas", "e", "so", "quero", "preciso", "pero", "but"} and position - last_negation > 1:
            last_negation = -_NEGATION_REACH - 1
        target = denied if position - last_negation <= _NEGATION_REACH else affirmed
        target.extend(concepts_of(token))
    padded = f" {' '.join(tokens)} "
    phrases = lexicon().phrases
    affirmed.extend(
        concept for token in dict.fromkeys(tokens) for phrase, concept in phrases.get(token, ()) if phrase in padded
    )
    return affirmed, denied


def letters(word: str) -> list[str]:
    """The names of the runs of letters in a folded word."""
    padded = f"<{word[:20]}>"
    return [
        f"c{padded[start : start + size]}"
        for size in range(_SHORTEST_GRAM, _LONGEST_GRAM + 1)
        for start in range(len(padded) - size + 1)
    ]


def extract(tokens: Sequence[str], signs: Iterable[str]) -> dict[str, set[str]]:
    """The feature names of a message by group, without its words' letters: `tokens` are its folded words."""
    pairs = zip(["<", *tokens], [*tokens, ">"], strict=True)
    named = {f"w{token}" for token in tokens}
    named.update(f"w{first} {second}" for first, second in pairs)
    affirmed, denied = concepts(tokens)
    counts = Counter(affirmed)
    known = {f"k{concept}" for concept in counts}
    known.update(f"k{concept}+" for concept, count in counts.items() if count > 1)
    known.update(f"k{first}&{second}" for first, second in combinations(sorted(counts), 2))
    known.update(f"k!{concept}" for concept in denied)
    for sign in signs:
        known.add(f"k#{sign}")
        known.update(f"k#{sign}&{concept}" for concept in counts)
    known.add(f"k~{_length_class(len(tokens))}")
    return {"w": named, "k": known}


def _length_class(count: int) -> str:
    for limit in (0, 1, 2, 4, 7, 12, 20):
        if count <= limit:
            return str(limit)
    return "long"
