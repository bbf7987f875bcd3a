"""The rules as data: reads `rules/*.toml` once and compiles their patterns.

The pattern language is a regular expression over folded text (`guard.normalise`, `guard.numbers`) with four shorthands that
keep it readable: `{nome}` is a vocabulary, a space is any white space, `palavra*` is any ending, and ` .. ` / ` ... ` is a
gap of up to four / nine words within a sentence.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from common.taxonomy import Violation
from guard.clauses import Cue, Place
from guard.patterns import PatternIndex

_REFERENCE = re.compile(r"\{([a-z_]+)\}")
_GAPS = {" .. ": r"(?:\s+|\s*[,:(]\s*)(?:\S*[^\s.!?;]\s+){0,4}?", " ... ": r"(?:\s+|\s*[,:(]\s*)(?:\S*[^\s.!?;]\s+){0,9}?"}
_PLACES: dict[str, Place] = {p: p for p in ("before", "after", "near", "inside", "sentence", "text")}


class InvalidRules(ValueError):  # noqa: N818 - named as the other settings that are wrong
    """A rule file cannot be used; says which, and where in it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to break a constraint.

    `patterns` are numbers in the rulebook's index. `reason` is Portuguese, for a product person and for the repair call.
    """

    id: str
    violation: Violation
    reason: str
    patterns: range
    spared_by: tuple[Cue, ...]
    unless: re.Pattern[str] | None
    certain: bool
    doubt: bool
    must_match: tuple[str, ...]
    must_not_match: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Every rule, and what reading a text needs beside them."""

    rules: tuple[Rule, ...]
    rule_of: tuple[int, ...]
    """By the number of a pattern, the place of its rule."""
    index: PatternIndex
    clause_break: re.Pattern[str]
    idiom: re.Pattern[str]
    quote: tuple[Cue, ...]


@cache
def rulebook() -> Rulebook:
    """The rules shipped with the package, compiled on first use."""
    folder = resources.files("guard") / "rules"
    documents = {
        entry.name: _toml(entry.name, entry.read_text(encoding="utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda e: e.name)
        if entry.name.endswith(".toml")
    }
    shared = documents.pop("_clausulas.toml")
    vocabulary: dict[str, list[str]] = shared["vocabulario"]
    cues = {
        name: Cue(name, _PLACES[cue["onde"]], _compiled(cue["padroes"], vocabulary)) for name, cue in shared["sinal"].items()
    }
    rules: list[Rule] = []
    patterns: list[str] = []
    for file, document in documents.items():
        words = vocabulary | document.get("vocabulario", {})
        for entry in document["regra"]:
            unless = entry.get("exceto", [])
            first = len(patterns)
            where = f"guard/rules/{file}: regra {entry['id']!r}"
            patterns += [_checked(pattern, words, where) for pattern in entry["padroes"]]
            rules.append(
                Rule(
                    id=entry["id"],
                    violation=Violation(document["violacao"]),
                    reason=entry["motivo"],
                    patterns=range(first, len(patterns)),
                    spared_by=tuple(cues[name] for name in entry.get("poupa", document.get("poupa", []))),
                    unless=_compiled(unless, words) if unless else None,
                    certain=bool(entry.get("certeza", False)),
                    doubt=bool(entry.get("duvida", False)),
                    must_match=tuple(entry["must_match"]),
                    must_not_match=tuple(entry["must_not_match"]),
                )
            )
    return Rulebook(
        rules=tuple(rules),
        rule_of=tuple(place for place, rule in enumerate(rules) for _ in rule.patterns),
        index=PatternIndex(patterns),
        clause_break=re.compile("|".join(_expanded(p, vocabulary) for p in shared["quebra_de_oracao"])),
        idiom=_compiled(shared["idiomatismos"], vocabulary),
        quote=tuple(cues[name] for name in shared["poupa_valor_do_cliente"]),
    )


def _toml(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRules(f"guard/rules/{name}: falta fechar aspas, colchete ou vírgula ({error})") from None


def _checked(pattern: str, vocabulary: dict[str, list[str]], where: str) -> str:
    try:
        expanded = _expanded(pattern, vocabulary)
        re.compile(expanded)
    except (ValueError, re.error) as error:
        raise InvalidRules(f"{where}: padrão {pattern[:60]!r}: {error}") from None
    return expanded


def _compiled(patterns: list[str], vocabulary: dict[str, list[str]]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(_expanded(p, vocabulary) for p in patterns)})(?!\w)")


def _expanded(pattern: str, vocabulary: dict[str, list[str]]) -> str:
    """The regular expression that a pattern of the data files stands for."""
    while (reference := _REFERENCE.search(pattern)) is not None:
        name = reference.group(1)
        if name not in vocabulary:
            raise ValueError(f"não há vocabulário {name!r}")
        pattern = pattern[: reference.start()] + f"(?:{'|'.join(vocabulary[name])})" + pattern[reference.end() :]
    for shorthand, gap in _GAPS.items():
        pattern = pattern.replace(shorthand, gap)
    pattern = re.sub(r"(?<=[a-z])(?<!\\[a-z])\*", r"\\w*", pattern)
    return pattern.replace(" ?", r"\s*").replace(" ", r"\s+")
