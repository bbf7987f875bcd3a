"""Reads one message on its own: model scores and signs become one consistent line, category and escalation."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from common.taxonomy import Category, Vertente
from fsm_service.understanding.clauses import LINE_CONCEPTS, focus
from fsm_service.understanding.features import concepts
from fsm_service.understanding.injection import is_injection
from fsm_service.understanding.model import Scores, load
from fsm_service.understanding.signals import signals
from fsm_service.understanding.text import words

LINE_OF: dict[Category, Vertente] = {
    Category.ENTREGAS: Vertente.ENTREGA,
    Category.SERVICOS: Vertente.SERVICOS,
    Category.TECNOLOGIA: Vertente.TECNOLOGIA,
    Category.CRM: Vertente.CRM,
}
CATEGORY_OF: dict[Vertente, Category] = {line: category for category, line in LINE_OF.items()}
NOT_BUSINESS = frozenset({Category.SAUDACAO, Category.SPAM, Category.OUTRO})
WITHOUT_LINE = NOT_BUSINESS | {Category.INSTITUCIONAL}
NEEDS_PERSON = frozenset({Category.COMERCIAL, Category.SUPORTE, Category.LEGAL})

# Intent ids by category (`contexto_llm/doc.md`); the first is what a category means when nothing more is known.
INTENTS: dict[Category, tuple[str, ...]] = {
    Category.INSTITUCIONAL: ("O_QUE_E_PYLOTO", "HISTORIA_PYLOTO", "DIFERENCIAL_PYLOTO", "PUBLICO_ATENDIDO"),
    Category.ENTREGAS: ("PYLOTO_ENTREGA_O_QUE_E", "ENTREGAS_PARA_LOJAS", "AREA_ATENDIDA", "PRAZOS", "CADASTRO_ENTREGADOR"),
    Category.SERVICOS: ("PYLOTO_SERVICOS_O_QUE_E", "TIPOS_DE_SERVICO", "PARA_PRESTADORES"),
    Category.TECNOLOGIA: ("SISTEMAS_SOB_MEDIDA", "AUTOMACOES", "INTEGRACOES"),
    Category.CRM: ("PYLOTO_CRM_O_QUE_E", "CANAIS", "MULTI_EMPRESA", "FUNIS_RELATORIOS"),
    Category.IA: ("IA_ATENDIMENTO", "LIMITES_IA"),
    Category.COMERCIAL: ("COMO_CONTRATAR", "CONTATO_HUMANO", "DEMONSTRACAO", "PARCERIAS", "PRECO", "NEGOCIACAO"),
    Category.SUPORTE: ("DUVIDAS_TECNICAS", "OCORRENCIA"),
    Category.LEGAL: ("LGPD_E_DADOS", "DUVIDA_JURIDICA"),
}

ESCALATE_ABOVE = 0.4
"""The probability above which a person takes over."""
ESCALATE_WITH_SIGN_ABOVE = 0.3
"""The same for a message that shows one of the signs of what needs a person."""
_SIGNS_FOR_PERSON = frozenset({"price", "negotiation", "hire", "demo", "partner", "incident", "legal_specific"})
_SIGNS_AGAINST = frozenset({"howto", "third_party"})
_ANGER_HIDES = frozenset({*LINE_OF, Category.OUTRO, Category.INSTITUCIONAL, Category.IA})
LINE_NAMED_ABOVE = 0.15
_COURTESY_WORDS = 9
_HUMAN_ABOVE = 0.2
"""Words that ask for a person count when the model does not find them harmless ("the CRM passes a chat to a person")."""
_SMALL = 1e-6
_HANDLED_ABOVE = 0.6
_SURE_SPAM = 0.42


def goes_with(vertente: Vertente, category: Category) -> bool:
    """True when a message on its own may have both labels."""
    if category in LINE_OF:
        return LINE_OF[category] == vertente
    return vertente is Vertente.NENHUMA or category not in WITHOUT_LINE


_LINES_WITH = {category: tuple(line for line in Vertente if goes_with(line, category)) for category in Category}
_PAIRS = tuple((vertente, category) for category, lines in _LINES_WITH.items() for vertente in lines)


@dataclass(frozen=True, slots=True)
class Reading:
    """One message read on its own, before the conversation is considered."""

    tokens: tuple[str, ...]
    signs: frozenset[str]
    scores: Scores
    vertente: Vertente
    category: Category
    intent: str
    confidence: float
    escalate: bool
    injection: bool
    mentioned: frozenset[Vertente]
    """Lines that the message names by their own words."""
    evidence: str
    chance: float
    """0..1; how likely a person is needed, by the model and the conversation."""


class Decoded(NamedTuple):
    """The labels that the model finds likeliest together."""

    vertente: Vertente
    category: Category
    confidence: float
    """The category's share of the probability."""
    chance: float
    """How likely a person is needed."""


def read(text: str) -> Reading:
    """The meaning of `text` without any conversation."""
    tokens = words(text)
    folded = " ".join(tokens)
    signs = signals(text, folded)
    scores = load().score(tokens, signs)
    decoded = decode(scores)
    affirmed, _ = concepts(tokens)
    reading = Reading(
        tokens=tuple(tokens),
        signs=signs,
        scores=scores,
        vertente=decoded.vertente,
        category=decoded.category,
        intent="",
        confidence=decoded.confidence,
        escalate=False,
        injection=is_injection(text),
        mentioned=frozenset(line for line, names in LINE_CONCEPTS.items() if names.intersection(affirmed)),
        evidence="classifier",
        chance=decoded.chance,
    )
    reading = _with_named_line(_decided_by_rule(_with_focus(reading, text)))
    return replace(reading, escalate=escalates(reading), intent=intent_of(reading.category, reading))


def decode(scores: Scores, prior: Callable[[Vertente, Category], float] | None = None) -> Decoded:
    """The likeliest line and category that go together.

    `prior` is added to the logarithm of each pair's score: what the conversation makes more or less likely.
    """
    by_category, by_line = dict.fromkeys(Category, 0.0), dict.fromkeys(Vertente, 0.0)
    for vertente, category in _PAIRS:
        if prior is None:
            value = scores.pairs.get((vertente, category), 0.0)
        else:
            # The line of a follow-up comes from the conversation, so the message's own counts for less.
            value = scores.category[category] * math.sqrt(max(scores.vertente[vertente], _SMALL))
            value *= math.exp(prior(vertente, category))
        by_category[category] += value
        by_line[vertente] += value
    whole = sum(by_category.values())
    chance = sum(value * scores.escalate_in[category] for category, value in by_category.items()) / whole
    best = max(by_category, key=by_category.__getitem__)
    line = max(_LINES_WITH[best], key=by_line.__getitem__)
    return Decoded(line, best, by_category[best] / whole, between(chance, scores.person))


def between(first: float, second: float) -> float:
    """The probability in the middle of two, by their odds."""
    odds = math.sqrt(_odds(first) * _odds(second))
    return odds / (1 + odds)


def _odds(share: float) -> float:
    return max(share, _SMALL) / max(1 - share, _SMALL)


def decoded_as(reading: Reading, decoded: Decoded, evidence: str) -> Reading:
    """The reading with the labels of another decoding; whether a person is needed is judged anew."""
    placed = replace(
        reading,
        vertente=decoded.vertente,
        category=decoded.category,
        confidence=decoded.confidence,
        chance=decoded.chance,
        evidence=evidence,
    )
    return replace(placed, escalate=escalates(placed))


def _with_focus(reading: Reading, text: str) -> Reading:
    """The reading of what the customer puts first, when the message chooses between lines."""
    chosen = focus(text)
    if chosen is None or reading.category in NOT_BUSINESS | {Category.SUPORTE, Category.LEGAL}:
        return reading
    _, line = chosen
    category = reading.category if reading.category in NEEDS_PERSON else CATEGORY_OF[line]
    return replace(
        reading, vertente=line, category=category, confidence=max(reading.confidence, 0.75), evidence="what is put first"
    )


def _with_named_line(reading: Reading) -> Reading:
    """The reading with the one line that the words name, where the category may have a line and the model saw none."""
    if reading.vertente is not Vertente.NENHUMA or reading.category in WITHOUT_LINE or len(reading.mentioned) != 1:
        return reading
    line = next(iter(reading.mentioned))
    return replace(reading, vertente=line) if reading.scores.vertente[line] > LINE_NAMED_ABOVE else reading


def _decided_by_rule(reading: Reading) -> Reading:
    """The cases in which a sign is surer than the model."""
    signs, category = reading.signs, reading.category
    if reading.injection:
        return _as(reading, Category.OUTRO, 0.95, "injection attempt")
    if "spam_shape" in signs and reading.scores.category[Category.SPAM] > 0.12:
        return _as(reading, Category.SPAM, max(reading.confidence, 0.8), "shape of spam")
    if category is Category.SPAM:
        if reading.scores.category[Category.SPAM] >= _SURE_SPAM:
            return reading
        # Spam ends the conversation: an honest customer must not meet it by chance.
        likeliest = decode(reading.scores, lambda _, other: -9.0 if other is Category.SPAM else 0.0)
        reading = decoded_as(reading, likeliest, reading.evidence)
        category = reading.category
    if "wrong_number" in signs and not reading.mentioned:
        return _as(reading, Category.OUTRO, 0.9, "wrong number")
    if "greeting_only" in signs:
        return _as(reading, Category.SAUDACAO, 0.97, "greeting")
    if _is_courtesy(reading):
        return _as(reading, Category.SAUDACAO, 0.95, "thanks or goodbye")
    if "gibberish" in signs:
        return _as(reading, Category.OUTRO, 0.6, "no readable words")
    if "ack_only" in signs:
        return _as(reading, Category.OUTRO, 0.7, "acknowledgement only")
    if "food_order" in signs:
        return _as(reading, Category.OUTRO, 0.8, "order meant for another business")
    if "anger" in signs and "third_party" not in signs and reading.chance > 0.5 and category in _ANGER_HIDES:
        return replace(reading, category=Category.SUPORTE, confidence=max(reading.confidence, 0.6), evidence="anger at Pyloto")
    asks = "human" in signs and "no_handoff" not in signs and reading.chance > _HUMAN_ABOVE
    if asks and category not in {Category.SUPORTE, Category.LEGAL}:
        return replace(
            reading,
            category=Category.COMERCIAL,
            confidence=max(reading.confidence, 0.9),
            evidence="asks for a person",
        )
    return reading


def _as(reading: Reading, category: Category, confidence: float, evidence: str) -> Reading:
    return replace(reading, category=category, vertente=Vertente.NENHUMA, confidence=confidence, evidence=evidence)


def _is_courtesy(reading: Reading) -> bool:
    """Thanks or goodbye with nothing else to answer."""
    signs = reading.signs
    if not signs & {"thanks", "goodbye", "only_that"} or signs & {
        "price",
        "hire",
        "incident",
        "human",
        "negotiation",
        "anger",
        "legal_specific",
        "handled",
    }:
        return False
    if "question" in signs and len(reading.tokens) > 4:
        return False
    return len(reading.tokens) <= _COURTESY_WORDS or reading.scores.category[Category.SAUDACAO] > 0.5


def escalates(reading: Reading) -> bool:
    """True when a person must take over (README of the exam, `escalate`)."""
    signs, category, chance = reading.signs, reading.category, reading.chance
    if reading.injection or category in {Category.SPAM, Category.SAUDACAO}:
        return False
    if "no_handoff" in signs and "anger" not in signs:
        return False
    if "human" in signs and chance > _HUMAN_ABOVE and category is not Category.OUTRO:
        return True
    if "anger" in signs and "ours" in signs and "third_party" not in signs and chance > 0.4:
        return True
    if category is Category.COMERCIAL and signs & {"handled", "not_now"}:
        return chance > _HANDLED_ABOVE
    shown = signs & _SIGNS_FOR_PERSON and not signs & _SIGNS_AGAINST
    return chance > (ESCALATE_WITH_SIGN_ABOVE if shown else ESCALATE_ABOVE)


def intent_of(category: Category, reading: Reading) -> str:
    """The likeliest intent id of the category; empty for what is not business."""
    names = INTENTS.get(category, ())
    if not names:
        return ""
    if category is Category.COMERCIAL and reading.evidence == "asks for a person":
        return "CONTATO_HUMANO"
    return max(names, key=lambda name: (reading.scores.intent.get(name, 0.0), -names.index(name)))
