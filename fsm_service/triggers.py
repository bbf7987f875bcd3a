"""The phrases that product people write under `gatilhos:` of an intent, heard in what a customer writes; pure.

A trigger is heard when all its words occur (as written, inflected or misspelt) and little else is said. So an intent that was
added this morning is understood this morning, with no model and no training.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from common.institution import Institution, Intent
from common.taxonomy import Vertente
from fsm_service.understanding.text import words
from fsm_service.understanding.types import Understanding
from fsm_service.understanding.wordlists import wordlist

_NOT = frozenset({"nao", "nem", "nunca", "sem"})
_ALIKE = 80.0
"""Two words of which so many of a hundred letters agree are one: abre and abrem, horario and horaro."""
_PREFIX = 3
_MOST_EXTRA = 1
_SURE = 0.9
_KEPT = 8


@dataclass(frozen=True, slots=True)
class _Trigger:
    intent: Intent
    words: tuple[str, ...]
    prefixes: frozenset[str]


_Triggers = dict[tuple[int, bool], tuple[_Trigger, ...]]
"""By how many words they have and whether they are negated."""

_BY_VERSION: dict[str, _Triggers] = {}


def heard(understanding: Understanding, text: str, institution: Institution) -> Understanding:
    """The understanding with the intent whose trigger was heard; unchanged when there is none, or something weighs more.

    Attacks, anger and the wish for a person weigh more. Whether a person takes over, and what looks like an advertisement,
    changes only when the trigger is all that was said, word by word.
    """
    found = _heard(text, institution, understanding.intent)
    if found is None or understanding.injection or understanding.anger or understanding.human_request:
        return understanding
    intent, alone = found
    if not alone and (understanding.spam or intent.human is not understanding.escalate):
        return understanding
    return replace(
        understanding,
        vertente=intent.vertente if intent.vertente is not Vertente.NENHUMA else understanding.vertente,
        category=intent.category,
        intent=intent.id,
        confidence=max(understanding.confidence, _SURE),
        escalate=intent.human,
        spam=False,
        closing=False,
        reasoning="Heard a trigger of the documents.",
    )


def _heard(text: str, institution: Institution, likely: str) -> tuple[Intent, bool] | None:
    """The intent whose trigger says most of the text, the likely one of several; and whether that is all that was said."""
    said = words(text)
    matter = _matter(said)
    if not matter:
        return None
    prefixes = frozenset(word[:_PREFIX] for word in matter)
    negated = not _NOT.isdisjoint(said)
    best: tuple[int, int, bool, bool, float] = (0, 0, False, False, 0.0)
    found: Intent | None = None
    for trigger in _near(len(matter), negated, institution):
        extra = len(matter) - len(trigger.words)
        if trigger.prefixes <= prefixes and (alike := _alike(trigger.words, matter)) > 0:
            exact = alike == 100 * len(trigger.words)
            score = (len(trigger.words), -extra, exact, trigger.intent.id == likely, alike)
            if score > best:
                best, found = score, trigger.intent
    return (found, best[1:3] == (0, True)) if found else None


def _alike(wanted: Sequence[str], matter: Sequence[str]) -> float:
    """How alike the words are to those of the text, summed; 0 when one of them does not occur."""
    total = 0.0
    for word in wanted:
        closest = max((fuzz.ratio(word, other) for other in matter if other[:_PREFIX] == word[:_PREFIX]), default=0.0)
        if closest < _ALIKE:
            return 0.0
        total += closest
    return total


def _matter(said: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in said if word not in wordlist("small") and word not in _NOT))


def _near(count: int, negated: bool, institution: Institution) -> Iterator[_Trigger]:
    """The triggers of so many words, then those of fewer, as long as most of the text is theirs."""
    triggers = _triggers(institution)
    for extra in range(min(_MOST_EXTRA, (count - 1) // 2) + 1):
        yield from triggers.get((count - extra, negated), ())


def _triggers(institution: Institution) -> _Triggers:
    """Of one version of the documents; a trigger of small words alone cannot be told from talk."""
    known = _BY_VERSION.get(institution.version)
    if known is None:
        known = _BY_VERSION[institution.version] = {}
        for intent in institution.intents.values():
            for said in map(words, intent.triggers):
                if matter := _matter(said):
                    prefixes = frozenset(word[:_PREFIX] for word in matter)
                    kind = len(matter), not _NOT.isdisjoint(said)
                    known[kind] = (*known.get(kind, ()), _Trigger(intent, matter, prefixes))
        if len(_BY_VERSION) > _KEPT:
            del _BY_VERSION[next(iter(_BY_VERSION))]
    return known
