"""The institution as the stable first part of every LLM prompt: compact, and the same bytes for the same documents."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from common.institution import BusinessLine, Institution, Intent


def render(institution: Institution) -> str:
    """The prefix, in document order; `prompt` and `version` are not read."""
    return "\n".join(
        [
            f"# Pyloto (assistente: {institution.assistant})",
            institution.about,
            institution.origin,
            institution.posture,
            "# Princípios imutáveis",
            *(f"{p.number}. {p.title}. {p.text}" for p in institution.principles),
            "# Vertentes",
            *(_line(line) for line in institution.lines),
            "# Categorias",
            *(f"- {note.category}: {note.text}" for note in institution.categories),
            "# Restrições",
            *(f"- {constraint.id}: {constraint.text}" for constraint in institution.constraints),
            "# Quando uma pessoa assume",
            *_bullets(institution.handoff),
            "# Vida de uma conversa",
            *_bullets(institution.conversation),
            "# Intenções, por categoria e vertente",
            "Cada uma: código: o que o cliente quer => resposta canônica. Em HUMANO uma pessoa assume, e a resposta é:",
            institution.phrases["HANDOFF"],
            *_intents(institution.intents.values()),
            "",
        ]
    )


def _bullets(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _line(line: BusinessLine) -> str:
    return (
        f"- {line.vertente} ({line.name}): {line.summary} Para {line.audience} "
        f"Oferece: {'; '.join(line.offers)}. Limites: {'; '.join(line.limits)}."
    )


def _intents(intents: Iterable[Intent]) -> Iterator[str]:
    for (category, vertente), group in groupby(intents, key=lambda intent: (intent.category, intent.vertente)):
        yield f"## {category}, {vertente}"
        for intent in group:
            # The hand-off texts differ little and are sent as they are written, so one stands for all.
            answer = "HUMANO" if intent.human else " ".join(intent.answer.split())
            yield f"- {intent.id}: {intent.description} => {answer}"
