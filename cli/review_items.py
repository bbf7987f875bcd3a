"""The turns worth a look, from the stores: blocked texts, doubtful understanding, hand-overs."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import cast

from cli.stores import Stores
from common.ids import derived_id
from common.masking import mask_text
from gateway.turn_record import TurnRecord
from protos.conversation.v1 import conversation_pb2, messages_pb2


class Kind(StrEnum):
    """Why a turn is worth a look."""

    BLOCKED = "blocked"
    DOUBTFUL = "doubtful"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Item:
    """One turn to review. For a blocked text `reason` is the guard's; for a hand-over the reason of that."""

    kind: Kind
    turn_id: str
    at_ms: int
    customer_text: str
    reply_text: str = ""
    blocked_text: str = ""
    violations: tuple[str, ...] = ()
    reason: str = ""
    vertente: str = "NENHUMA"
    category: str = "OUTRO"
    intent: str = ""
    confidence: float = 0.0
    escalate: bool = False

    @property
    def example_id(self) -> str:
        """The id of the labelled example; the same for the same turn and text, so that nothing is asked twice."""
        return derived_id("rv", self.turn_id, mask_text(self.blocked_text))

    def changed(self, seen: Callable[[str], str]) -> "Item":
        """With every text as `seen` shows it."""
        return replace(
            self,
            customer_text=seen(self.customer_text),
            reply_text=seen(self.reply_text),
            blocked_text=seen(self.blocked_text),
        )

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {"example_id": self.example_id, **asdict(self), "violations": list(self.violations)}


async def collect(stores: Stores, limit: int, below: float) -> list[Item]:
    """Blocked texts first, then doubtful and handed-over turns, each newest first."""
    blocked = [item for document in await stores.replies.newest_blocked(limit) for item in _blocked(document)]
    newest = await stores.turns.newest_of_all(limit)
    blocked += [item for turn in newest for item in blocked_last(turn)]
    turns = [item for turn in newest if (item := _turn(turn, below)) is not None]
    order = list(Kind)
    return sorted([*blocked, *turns], key=lambda item: (order.index(item.kind), -item.at_ms))


def _blocked(document: dict[str, object]) -> list[Item]:
    """What the response service stopped for a turn."""
    turn = Item(
        kind=Kind.BLOCKED,
        turn_id=str(document["_id"]),
        at_ms=cast("int", document["at_ms"]),
        customer_text=str(document.get("customer_text", "")),
        reply_text=str(document["text"]),
    )
    return _by_text(turn, cast("list[dict[str, str]]", document["blocked"]))


def blocked_last(turn: TurnRecord) -> list[Item]:
    """What the gateway, the last door, stopped for a turn."""
    if turn.answer is None or turn.answer.outbound is None:
        return []
    said = turn.answer.outbound.text
    item = Item(Kind.BLOCKED, turn.turn_id, turn.opened_at_ms, customer_text=turn.text, reply_text=said)
    return _by_text(item, [asdict(blocked) for blocked in turn.answer.blocked])


def _by_text(turn: Item, findings: list[dict[str, str]]) -> list[Item]:
    """One item per blocked text; a text with several findings is one."""
    found: dict[str, Item] = {}
    for finding in findings:
        text = finding["text"]
        item = found.get(text) or replace(turn, blocked_text=text, reason=finding["reason"])
        violations = dict.fromkeys((*item.violations, *filter(None, (finding["violation"],))))
        found[text] = replace(item, violations=tuple(violations))
    return list(found.values())


def _turn(turn: TurnRecord, below: float) -> Item | None:
    """The turn, when it was handed over or understood with little confidence; None for silence and for clear ones."""
    answer = turn.answer
    if answer is None or answer.outbound is None:
        return None
    event = next((event for event in answer.events if event.type == "turn_answered"), messages_pb2.Event())
    handed_over = answer.escalation is not None
    if not handed_over and event.confidence >= below:
        return None
    return Item(
        kind=Kind.ESCALATED if handed_over else Kind.DOUBTFUL,
        turn_id=turn.turn_id,
        at_ms=turn.opened_at_ms,
        customer_text=turn.text,
        reply_text=answer.outbound.text,
        reason=answer.escalation.reason if answer.escalation is not None else "",
        vertente=conversation_pb2.Vertente.Name(event.vertente).removeprefix("VERTENTE_"),
        category=conversation_pb2.Category.Name(event.category).removeprefix("CATEGORY_"),
        intent=event.intent,
        confidence=event.confidence,
        escalate=handed_over,
    )
