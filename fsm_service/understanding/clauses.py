"""Two lines in one message: finds the clause that the customer puts first, and the ones put aside ("não é X, é Y")."""

import re

from common.taxonomy import Vertente
from fsm_service.understanding.features import concepts_of
from fsm_service.understanding.text import fold

# Concepts that by themselves name a line.
LINE_CONCEPTS: dict[Vertente, frozenset[str]] = {
    Vertente.ENTREGA: frozenset({"entregador", "entregar"}),
    Vertente.SERVICOS: frozenset({"faxina", "profissional"}),
    Vertente.TECNOLOGIA: frozenset({"sistema", "automacao"}),
    Vertente.CRM: frozenset({"crm"}),
}
_BREAKS = re.compile(r"[,.;:!?\n()]+|\s-\s|\b(?:mas|porem|por[eé]m|s[oó] que|e sim|but|pero)\b", re.IGNORECASE)
# "não quero X", "nada de X", "já tenho X", "X depois", "X não".
_PUT_ASIDE = re.compile(
    r"^(?:eu |a gente |oi |ola )?(?:nao|sem|nada de|esquece|esqueca|deixa|nem|chega de|no|not|don t)\b"
    r"(?! (?:consigo|sei|abre|funciona|da|tem como|chegou|veio|temos|tenho))"
    r"|\b(?:eu |a gente )?ja (?:eu )?(?:tenho|temos|tem|uso|usa|usamos|contratei|resolvi|possuo)\b"
    r"|\bja (?:ta|esta) (?:certo|resolvid\w)\b"
    r"|\b(?:depois|mais tarde|futuramente|no futuro|ano que vem|mes que vem|mais pra frente|later|despues)\b"
    r"|\b(?:pode esperar|fica pra|a gente ve|outra hora|em segundo|nao preciso|nao quero)\b|\bnao$"
)
# "X primeiro", "X é mais urgente", "começa por X".
_PUT_FIRST = re.compile(
    r"\b(?:urgente|urgencia|prioridade|primeir[oa]|comeca\w*|comecar|antes|mais importante)\b"
    r"|\b(?:foco|principal\w*|first|primero)\b"
    r"|\b(?:por enquanto|por agora|agora|pra ontem|mais precis\w+|preciso mais|pegando|interessa|prefiro|sobretudo|mais [oa])\b"
)


def line_of(folded: str) -> Vertente | None:
    """The one line that the words name; None for none or several."""
    named = lines_in(folded)
    return next(iter(named)) if len(named) == 1 else None


def lines_in(folded: str) -> set[Vertente]:
    """The lines that the words name."""
    found = {concept for word in folded.split() for concept in concepts_of(word)}
    return {line for line, names in LINE_CONCEPTS.items() if names & found}


def focus(text: str) -> tuple[str, Vertente] | None:
    """What is left of `text` without what it puts aside, and the line that it puts first.

    None when the message does not choose between things, which is nearly always.
    """
    if len(lines_in(fold(text))) < 2:
        return None
    parts = [fold(part) for part in _BREAKS.split(text)]
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return None
    aside = [part for part in parts if _PUT_ASIDE.search(part) and lines_in(part)]
    kept = [part for part in parts if part not in aside]
    first = [part for part in kept if _PUT_FIRST.search(part) and line_of(part) is not None]
    if first and len(set().union(*map(lines_in, parts))) > 1:
        line = line_of(first[0])
        return (" ".join(first), line) if line is not None else None
    if aside and kept:
        line = line_of(" ".join(kept))
        if line is not None and line not in lines_in(" ".join(aside)):
            return " ".join(kept), line
    return None
