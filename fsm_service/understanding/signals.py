"""Readable signs in one folded message: greeting, human request, price, incident, negation of a hand-off, spam shapes."""

import re
import tomllib
from functools import cache
from pathlib import Path

from fsm_service.understanding.features import concepts_of
from fsm_service.understanding.patterns import PatternSet
from fsm_service.understanding.text import LAUGHTER, strip_accents
from fsm_service.understanding.wordlists import wordlist

_SIGNS_FILE = Path(__file__).with_name("signals.toml")

_EMOJI = re.compile(r"[\u2190-\u2bff\u2600-\u27bf\U0001f000-\U0001faff]")
_GREETING_EMOJI = re.compile(r"[\U0001f44b\U0001f64b\U0001f91d\u270b\U0001f596\U0001f590\U0001f31e\u2600]")
_THANKS_EMOJI = re.compile(r"[\U0001f64f\u2764\U0001f970\U0001f618\U0001fac2\U0001f917]")
_VOWELS = frozenset("aeiouy")
_URL = re.compile(r"https?://|www\.|\b[\w-]+\.(?:com|net|example|bit|ly|me|top|xyz|shop|online|br)\b|bit\.ly|t\.me")


@cache
def _rules() -> tuple[PatternSet, tuple[str, ...]]:
    """The expressions of `signals.toml`, read once, and the name of each one's sign."""
    signs = tomllib.loads(_SIGNS_FILE.read_text(encoding="utf-8"))
    named = [(name, expression) for name, sign in signs.items() for expression in sign["any"]]
    return PatternSet([expression for _, expression in named]), tuple(name for name, _ in named)


def signals(text: str, folded: str) -> frozenset[str]:
    """The names of the signs found; `text` as written, `folded` by text.fold."""
    patterns, names = _rules()
    found = {names[number] for number in patterns.found(folded)}
    tokens = folded.split()
    if _URL.search(strip_accents(text)):
        found.add("url")
    letters = [char for char in text if char.isalpha()]
    if len(letters) > 9 and sum(char.isupper() for char in letters) > 0.7 * len(letters):
        found.add("caps")
    if text.count("!") >= 2:
        found.add("exclaims")
    if "?" in text:
        found.add("question")
    if any(char.isdigit() for char in text):
        found.add("digits")
    if _EMOJI.search(text):
        found.add("emoji")
    if not tokens:
        found.add(_wordless_kind(text))
    elif all(word in wordlist("greeting") or word == LAUGHTER for word in tokens) and wordlist("greeting_core").intersection(
        tokens
    ):
        found.add("greeting_only")
    elif all(token in wordlist("acknowledgement") for token in tokens):
        found.add("ack_only")
    elif is_gibberish(tokens):
        found.add("gibberish")
    return frozenset(found)


def _wordless_kind(text: str) -> str:
    if _GREETING_EMOJI.search(text):
        return "greeting_only"
    if _THANKS_EMOJI.search(text):
        return "thanks"
    return "gibberish"


def is_gibberish(tokens: list[str]) -> bool:
    """True when no token looks like a word of a Latin language: keys hit at random, or digits alone."""
    return not any(_looks_like_word(token) or concepts_of(token, fuzzy=False) for token in tokens)


_ODD = re.compile(
    r"[bcdfghjklmnpqrstvwxz]{4,}|[qw][^uaeio]|[aeiou]{4,}|(?:asd|sdf|dfg|fgh|ghj|hjk|jkl|qwe|wer|ert|zxc|xcv|lkj|kjh|poi|oiu)"
)


def _looks_like_word(token: str) -> bool:
    return token.isalpha() and bool(_VOWELS.intersection(token)) and len(token) > 1 and not _ODD.search(token)
