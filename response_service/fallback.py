"""The deterministic reply, from the context documents alone: what is said with no LLM, and what is said when it fails."""

from common.institution import Institution
from common.taxonomy import Action, Category
from common.turn import Turn

_OTHER_LANGUAGES = {"en": "ENGLISH", "es": "SPANISH"}


def reply(turn: Turn, institution: Institution) -> str:
    """The canonical text for the turn; every part of it was guarded when the documents were loaded."""
    text = _text(turn, institution)
    extra = _OTHER_LANGUAGES.get(turn.determination.language)
    return f"{text}\n\n{institution.phrases[extra]}" if extra else text


def _text(turn: Turn, institution: Institution) -> str:
    found = turn.determination
    if found.phrase in institution.phrases:
        return institution.phrases[found.phrase]
    intent = institution.intents.get(found.intent)
    if intent is not None and (found.action is not Action.HAND_OFF or intent.human):
        return intent.answer
    if found.action is Action.HAND_OFF:
        return institution.phrases["HANDOFF"]
    by_category = _OF_CATEGORY.get(found.category)
    if by_category is not None:
        return institution.intents[by_category].answer
    return institution.phrases["CLARIFY"]


_OF_CATEGORY = {
    Category.INSTITUCIONAL: "O_QUE_E_PYLOTO",
    Category.ENTREGAS: "PYLOTO_ENTREGA_O_QUE_E",
    Category.SERVICOS: "PYLOTO_SERVICOS_O_QUE_E",
    Category.TECNOLOGIA: "SISTEMAS_SOB_MEDIDA",
    Category.CRM: "PYLOTO_CRM_O_QUE_E",
    Category.IA: "IA_ATENDIMENTO",
    Category.LEGAL: "LGPD_E_DADOS",
    Category.SUPORTE: "DUVIDAS_TECNICAS",
}
"""The general answer of a category, when no finer intent is known."""
