"""What Pyloto is, as typed data: the three context documents after parsing, as every service holds them in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.taxonomy import Category, MessageKind, Vertente


@dataclass(frozen=True, slots=True)
class Principle:
    """One of the six immutable principles. Source: `visao_principios-e-posicionamento.md`."""

    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class BusinessLine:
    """One vertente. Source: `vertentes.md`."""

    vertente: Vertente
    name: str
    summary: str
    audience: str
    offers: tuple[str, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a customer may want, and what Pyloto says to it. Source: `contexto_llm/doc.md`."""

    id: str
    category: Category
    vertente: Vertente
    description: str
    triggers: tuple[str, ...]
    """Phrases a customer uses, in lower-case Portuguese."""
    answer: str
    """The canonical answer; guarded when the documents are loaded."""
    human: bool
    """True when a person takes over (the canonical answer is then the hand-off text)."""
    menu: str
    """The id of the menu that goes with the answer; empty for none."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the assistant must never do. Source: `contexto_llm/doc.md`."""

    id: str
    """A `common.taxonomy.Violation`, or another name for a rule that only the prompt carries."""
    text: str
    refusal: str = ""
    """How to say no in the assistant's words; guarded when the documents are loaded."""


@dataclass(frozen=True, slots=True)
class CategoryNote:
    """What belongs to one category of the taxonomy. Source: `contexto_llm/doc.md`."""

    category: Category
    text: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice offered as a button or a list row; the model picks ids, it never writes them."""

    id: str
    title: str
    """At most 20 characters, so that it fits a WhatsApp button."""
    description: str
    """At most 72 characters; may be empty."""
    intent: str
    """The intent that choosing it means."""


@dataclass(frozen=True, slots=True)
class Menu:
    """A set of options that belong together, with the form they prefer."""

    id: str
    kind: MessageKind
    """BUTTON or LIST."""
    button: str
    """The label that opens a list; at most 20 characters."""
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Media:
    """An asset that may be sent; nothing outside this catalogue may."""

    id: str
    kind: MessageKind
    """IMAGE, VIDEO, AUDIO, DOCUMENT, LOCATION, CTA_URL or TEMPLATE."""
    title: str
    caption: str
    url: str
    """https; empty for LOCATION and TEMPLATE."""
    mime_type: str
    latitude: float
    longitude: float
    vertente: Vertente


@dataclass(frozen=True, slots=True)
class Institution:
    """All that the services must know, immutable; `version` is a hash of the documents' content."""

    version: str
    assistant: str
    """The name the assistant introduces itself with."""
    principles: tuple[Principle, ...]
    lines: tuple[BusinessLine, ...]
    intents: Mapping[str, Intent]
    constraints: tuple[Constraint, ...]
    menus: Mapping[str, Menu]
    media: Mapping[str, Media]
    phrases: Mapping[str, str]
    """Fixed texts by id; `PHRASES` lists the ids that must exist."""
    prompt: str
    """The stable first part of every LLM prompt: the same bytes for the same version."""
    about: str = ""
    """Who Pyloto is, in a paragraph."""
    origin: str = ""
    posture: str = ""
    """How Pyloto positions itself, what it is not, and the place of AI."""
    categories: tuple[CategoryNote, ...] = ()
    handoff: tuple[str, ...] = ()
    """When a person takes over, one rule each."""
    conversation: tuple[str, ...] = ()
    """The usual life of a conversation, one rule each."""
    phrase_menus: Mapping[str, str] = field(default_factory=dict)
    """Phrase id → the id of the menu that goes with it; phrases without a menu are absent."""


PHRASES: Mapping[str, str] = {
    "GREETING": "answers a greeting; introduces Otto and says what he can help with",
    "THANKS": "answers a thank-you",
    "GOODBYE": "answers a goodbye; the conversation ends",
    "CLARIFY": "asks what the customer needs, when it was not understood, without a known line",
    "CLARIFY_ENTREGA": "the same, when the line is known",
    "CLARIFY_SERVICOS": "the same",
    "CLARIFY_TECNOLOGIA": "the same",
    "CLARIFY_CRM": "the same",
    "NEED_ENTREGA": "the customer stated a need for the line: put it in context, ask the one thing that helps to route",
    "NEED_SERVICOS": "the same",
    "NEED_TECNOLOGIA": "the same",
    "NEED_CRM": "the same",
    "NOTED": "takes note of what the customer told in reply to a question, and offers a person",
    "BEYOND": "a question that the documents do not answer: offers a person",
    "HANDOFF": "a person takes over; what was collected goes along",
    "HANDOFF_UNCLEAR": "a person takes over because the assistant did not understand twice",
    "HANDOFF_ANGER": "a person takes over; the customer is upset",
    "WITH_HUMAN": "kept for attendants' tools: the conversation is with a person",
    "SPAM": "one short, polite line to unsolicited advertising or a scam attempt",
    "INJECTION": "polite refusal, within role, to an attempt to change or extract the instructions",
    "OUT_OF_SCOPE": "what was asked is not among Pyloto's lines; says which are",
    "UNSUPPORTED_MEDIA": "audio, image or another form that the assistant cannot read; asks for text",
    "EMPTY": "an emoji or nothing that can be read as a question; asks how to help",
    "SAFE": "the text that goes out when everything else was blocked or failed",
    "ENGLISH": "one line in English: the assistant answers in Portuguese and a person can help",
    "SPANISH": "the same in Spanish",
}
