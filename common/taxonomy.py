"""The closed sets that every part of the system shares: one word, the same in proto, Python, Mongo, logs and metrics."""

from enum import StrEnum


class State(StrEnum):
    """Where a conversation session is. Legal moves between states are in `fsm_service/states.py`."""

    INIT = "INIT"
    IDENTIFYING = "IDENTIFYING"
    UNDERSTANDING_INTENT = "UNDERSTANDING_INTENT"
    PROCESSING = "PROCESSING"
    GENERATING_RESPONSE = "GENERATING_RESPONSE"
    SELECTING_MESSAGE_TYPE = "SELECTING_MESSAGE_TYPE"
    AWAITING_USER = "AWAITING_USER"
    ESCALATING = "ESCALATING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SPAM = "SPAM"


class Vertente(StrEnum):
    """Pyloto's business lines (`vertentes.md`); NENHUMA when no line is revealed."""

    NENHUMA = "NENHUMA"
    ENTREGA = "ENTREGA"
    SERVICOS = "SERVICOS"
    TECNOLOGIA = "TECNOLOGIA"
    CRM = "CRM"


class Category(StrEnum):
    """The taxonomy of intents (`contexto_llm/doc.md`); the last three are not business."""

    INSTITUCIONAL = "INSTITUCIONAL"
    ENTREGAS = "ENTREGAS"
    SERVICOS = "SERVICOS"
    TECNOLOGIA = "TECNOLOGIA"
    CRM = "CRM"
    IA = "IA"
    COMERCIAL = "COMERCIAL"
    SUPORTE = "SUPORTE"
    LEGAL = "LEGAL"
    SAUDACAO = "SAUDACAO"
    SPAM = "SPAM"
    OUTRO = "OUTRO"


class MessageKind(StrEnum):
    """The form of an outbound message."""

    TEXT = "TEXT"
    BUTTON = "BUTTON"
    LIST = "LIST"
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    DOCUMENT = "DOCUMENT"
    LOCATION = "LOCATION"
    CTA_URL = "CTA_URL"
    TEMPLATE = "TEMPLATE"


class Source(StrEnum):
    """Who wrote a stored result."""

    MODEL = "MODEL"
    REPAIRED = "REPAIRED"
    FALLBACK = "FALLBACK"


class Violation(StrEnum):
    """What no outgoing word may do (`contexto_llm/doc.md`, section of constraints)."""

    PRICE = "PRICE"
    NEGOTIATION = "NEGOTIATION"
    CONTRACT_CLOSING = "CONTRACT_CLOSING"
    DEADLINE_PROMISE = "DEADLINE_PROMISE"
    SCOPE_PROMISE = "SCOPE_PROMISE"
    INVENTED_SERVICE = "INVENTED_SERVICE"
    PERSONAL_DATA = "PERSONAL_DATA"
    PROMPT_LEAK = "PROMPT_LEAK"
    OFFENSIVE = "OFFENSIVE"


class Action(StrEnum):
    """What a turn does, decided by the FSM service."""

    ANSWER = "ANSWER"
    CLARIFY = "CLARIFY"
    HAND_OFF = "HAND_OFF"
    CLOSE = "CLOSE"
    REFUSE = "REFUSE"
    DISMISS = "DISMISS"
    STAY_SILENT = "STAY_SILENT"
