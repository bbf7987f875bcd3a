"""Turns a message into the names of its features: words, pairs of words, letters inside words, concepts and signs."""

import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from rapidfuzz import fuzz, process

_CONCEPTS_FILE = Path(__file__).with_name("concepts.toml")
_SHORTEST_GRAM, _LONGEST_GRAM = 3, 5
_MAX_WORDS = 120
_FUZZY_MIN_LETTERS = 6
_FUZZY_SCORE = 86
# A concept within this many words after "nao"/"sem" is noted as denied.
_NEGATION_REACH = 4
_NEGATIONS = frozenset({"nao", "sem", "nem", "not", "no", "sin", "nunca", "don"})

GROUPS = ("c", "w", "k")
"""Feature groups, by the first letter of a feature's name: letters, words, concepts and signs."""


class Lexicon(NamedTuple):
    """The words of `concepts.toml`, arranged for look-up."""

    exact: dict[str, tuple[str, ...]]
    prefixes: dict[str, tuple[str, ...]]
    phrases: tuple[tuple[str, str], ...]
    fuzzy: tuple[str, ...]


@cache
def lexicon() -> Lexicon:
    """The concept lists, read once."""
    exact: dict[str, list[str]] = {}
    prefixes: dict[str, list[str]] = {}
    phrases: list[tuple[str, str]] = []
    for concept, entries in tomllib.loads(_CONCEPTS_FILE.read_text(encoding="utf-8")).items():
        for entry in entries:
            if " " in entry:
                phrases.append((f" {entry.rstrip('*')}", concept))
            elif entry.endswith("*"):
                prefixes.setdefault(entry[:-1], []).append(concept)
            else:
                exact.setdefault(entry, []).append(concept)
    long_words = sorted({word for word in (*exact, *prefixes) if len(word) >= _FUZZY_MIN_LETTERS})
    return Lexicon(
        {word: tuple(names) for word, names in exact.items()},
        {word: tuple(names) for word, names in prefixes.items()},
        tuple(phrases),
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


def concepts(tokens: list[str]) -> tuple[list[str], list[str]]:
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
    affirmed.extend(concept for phrase, concept in lexicon().phrases if phrase in padded)
    return affirmed, denied


def extract(tokens: list[str], signs: Iterable[str]) -> list[str]:
    """The distinct feature names of a message: `tokens` are its folded words, `signs` what signals.signals found."""
    tokens = tokens[:_MAX_WORDS]
    names: dict[str, None] = {}
    for token in tokens:
        names[f"w{token}"] = None
    for first, second in zip(["<", *tokens], [*tokens, ">"], strict=True):
        names[f"w{first} {second}"] = None
    for token in set(tokens):
        padded = f"<{token[:20]}>"
        for size in range(_SHORTEST_GRAM, _LONGEST_GRAM + 1):
            for start in range(len(padded) - size + 1):
                names[f"c{padded[start : start + size]}"] = None
    affirmed, denied = concepts(tokens)
    counts: dict[str, int] = {}
    for concept in affirmed:
        counts[concept] = counts.get(concept, 0) + 1
    for concept, count in counts.items():
        names[f"k{concept}"] = None
        if count > 1:
            names[f"k{concept}+"] = None
    ordered = sorted(counts)
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            names[f"k{first}&{second}"] = None
    for concept in denied:
        names[f"k!{concept}"] = None
    found = sorted(signs)
    for sign in found:
        names[f"k#{sign}"] = None
        for concept in ordered:
            names[f"k#{sign}&{concept}"] = None
    names[f"k~{_length_class(len(tokens))}"] = None
    return list(names)


def _length_class(count: int) -> str:
    for limit in (0, 1, 2, 4, 7, 12, 20):
        if count <= limit:
            return str(limit)
    return "long"
