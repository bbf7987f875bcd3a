"""Recognises attempts to command the assistant instead of talking to it, in Portuguese, English and Spanish."""

import base64
import binascii
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from fsm_service.understanding.patterns import PatternSet
from fsm_service.understanding.text import fold, strip_accents

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){10,}")
_BINARY = re.compile(r"(?:[01]{8}[ ]?){6,}")
_LEET = str.maketrans("013457@$!", "oieastasi")
_ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM"
)
_SPELLED = re.compile(r"(?:\b\w[\s.\-_*]+){5,}\w\b")
_MAX_CHARS = 4000
_RULES_FILE = Path(__file__).with_name("injection.toml")


@cache
def _patterns() -> tuple[PatternSet, re.Pattern[str]]:
    """The expressions for folded and for raw text, read once from `injection.toml`."""
    rules = tomllib.loads(_RULES_FILE.read_text(encoding="utf-8"))
    words = {f"<<{name}>>": f"(?:{'|'.join(entries)})" for name, entries in rules["words"].items()}

    def spelled_out(expression: str) -> str:
        for name, entries in words.items():
            expression = expression.replace(name, entries)
        return expression

    raw = re.compile("|".join(f"(?:{spelled_out(expression)})" for expression in rules["raw"]), re.IGNORECASE | re.MULTILINE)
    return PatternSet([spelled_out(expression) for expression in rules["folded"]]), raw


def is_injection(text: str) -> bool:
    """True when `text` tries to command the assistant: plain, in disguise (leetspeak, spaced letters) or encoded."""
    clipped = text[:_MAX_CHARS]
    in_folded, in_raw = _patterns()
    if in_raw.search(strip_accents(clipped)):
        return True
    return any(in_folded.found(form) for form in _readings(clipped))


def _readings(text: str) -> Iterator[str]:
    """`text` and every other way to read it that is worth trying."""
    folded = fold(text)
    yield folded
    if any(char.isdigit() or char in "@$!" for char in text):
        yield fold(text.lower().translate(_LEET))
    if _SPELLED.search(text):
        # Letters one by one: spaces between words are lost with those between letters unless they are wider.
        wide = re.sub(r"\s{2,}", "\n", text)
        yield fold(" ".join(re.sub(r"[\s.\-_*]+", "", part) for part in wide.split("\n")))
        yield from _unspaced(re.sub(r"[\s.\-_*]+", "", strip_accents(text)))
    if len(folded) > 24:
        yield fold(text[::-1])
        yield fold(text.translate(_ROT13))
    yield from map(fold, _decoded(text))


def _unspaced(letters: str) -> Iterator[str]:
    """A run of letters with spaces put back round the words that an attack cannot do without."""
    parts = re.split(
        r"(ignore|ignora|esqueca|olvida|forget|todas|tudo|suas|your|tus|las|the|instrucoes|instructions|instrucciones|regras|rules|reglas|prompt|system|sistema|mostre|revele|reveal|show|anteriores|previous|all|as|o)",
        letters,
    )
    yield " ".join(part for part in parts if part)


def _decoded(text: str) -> Iterator[str]:
    for match in _BASE64.finditer(text):
        chunk = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(chunk + "=" * (-len(chunk) % 4)).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
    for match in _HEX.finditer(text):
        try:
            yield bytes.fromhex(match.group().replace(":", "").replace(" ", "")).decode("utf-8")
        except (ValueError, UnicodeDecodeError):
            continue
    for match in _BINARY.finditer(text):
        bits = match.group().replace(" ", "")
        yield "".join(chr(int(bits[index : index + 8], 2)) for index in range(0, len(bits), 8))
