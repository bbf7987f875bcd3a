"""Lanes and batches: what of a conversation waits, and which of it is answered together."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.turn import MAX_TEXT
from gateway.broker import Delivery
from gateway.inbound import Inbound
from gateway.turn_record import SavedAnswer, TurnRecord, open_turn

MAX_BURST = 20
"""Messages that one turn answers at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A message that waits for its turn, with the delivery to acknowledge."""

    message: Inbound
    delivery: Delivery


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Messages that are answered together, and what all attempts at them have in common.

    A turn that one of the attempts opens carries `begun_at_ms`: so an attempt after it knows the turn for its own.
    """

    items: Sequence[Waiting]
    begun_at_ms: int
    counted: set[str] = field(default_factory=set)
    """Keys of the turns whose repeated messages are in the metric."""
    replied: dict[str, SavedAnswer] = field(default_factory=dict)
    """By turn key, what the broker has confirmed the reply of: a further attempt does not send it again."""


@dataclass(slots=True)
class Lane:
    """One conversation: what waits, and the task that works it off."""

    waiting: deque[Waiting] = field(default_factory=deque)


def next_batch(lane: Lane) -> list[Waiting]:
    """What waits, oldest first, as one turn: one channel and encoding, a bounded number, a bounded text, at most one tap."""
    batch: list[Waiting] = []
    size = 0
    while lane.waiting and len(batch) < MAX_BURST:
        item = lane.waiting[0]
        size += len(item.message.text) + 1
        if batch and (
            size > MAX_TEXT
            or item.message.channel != batch[0].message.channel
            or item.delivery.content_type != batch[0].delivery.content_type
            or bool(item.message.option_id)
            or bool(batch[-1].message.option_id)
        ):
            break
        batch.append(lane.waiting.popleft())
    return batch


def opened(items: Sequence[Waiting], batch: Batch) -> TurnRecord:
    """The turn that an attempt at the batch opens for these of its messages."""
    return open_turn([item.message for item in items], items[0].delivery.content_type, batch.begun_at_ms)


def of_turn(turn: TurnRecord, batch: Batch) -> list[Waiting]:
    """The batch's messages that the turn answers."""
    return [item for item in batch.items if item.message.key in turn.message_keys]
