"""The canonical text for a decision, from the context documents alone: what is said with no LLM, and when one fails."""

from common.institution import Institution
from common.taxonomy import Action, Category
from common.turn import Determination

_OTHER_LANGUAGES = {"en": "ENGLISH", "es": "SPANISH"}

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


def canonical_text(found: Determination, institution: Institution) -> str:
    """Never empty; every part of it was guarded when the documents were loaded."""
    text = _text(found, institution)
    extra = _OTHER_LANGUAGES.get(found.language)
    return f"{text}\n\n{institution.phrases[extra]}" if extra else text


def _text(found: Determination, institution: Institution) -> str:
    if found.phrase in institution.phrases:
        return institution.phrases[found.phrase]
    intent = institution.intents.get(found.intent)
    handed_over = found.action is Action.HAND_OFF
    # The answer of an intent for people says that one continues: that is said only when one does.
    if intent is not None and intent.human == handed_over:
        return intent.answer
    if handed_over:
        return institution.phrases["HANDOFF"]
    general = institution.intents.get(_OF_CATEGORY.get(found.category, ""))
    if general is not None:
        return general.answer
    return institution.phrases["BEYOND" if intent is not None else "CLARIFY"]
