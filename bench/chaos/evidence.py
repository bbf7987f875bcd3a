"""What was seen of one run, as plain values: the ledger's input. Times are in seconds since the epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.taxonomy import State

RECOVERY_S = 2.0
"""After a fault is over: so long may reconnecting and working off what waited take, and still be its consequence."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message whose publish the broker confirmed. `number` orders the messages of its conversation."""

    message_id: str
    conversation_id: str
    number: int
    published_at_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it arrived. `again`: the broker repeated its delivery to us, because our own connection was cut."""

    reply_id: str
    in_reply_to: tuple[str, ...]
    at_s: float
    again: bool = False
    fallback: bool = False
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandOff:
    """A hand-off as it arrived; reason `forwarded` when a person had the conversation already."""

    turn_id: str
    reason: str
    at_s: float


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """What the gateway stored: a turn and the messages that it answers. `hands_off`: its saved answer holds a hand-off.

    `answer`: what that answer is: "none", "a reply" or "silence".
    """

    turn_id: str
    conversation_id: str
    message_ids: tuple[str, ...]
    hands_off: bool = False
    answer: str = "none"


@dataclass(frozen=True, slots=True)
class Move:
    """One stored transition."""

    from_state: State
    to_state: State
    turn_id: str


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One session with its whole history, oldest move first."""

    sequence: int
    state: State
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """The sessions of a conversation, oldest first; `version` counts the writes over all of them."""

    conversation_id: str
    version: int
    sessions: tuple[StoredSession, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the provider recorded it."""

    turn_id: str
    task: str
    outcome: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A fault, from its beginning until what it hit served again. `essential`: without that part nothing is answered."""

    kind: str
    target: str
    from_s: float
    to_s: float
    essential: bool

    def overlaps(self, from_s: float, to_s: float) -> bool:
        """Whether it, with the time of recovery, has an instant in common with the other interval."""
        return self.from_s <= to_s and from_s <= self.to_s + RECOVERY_S


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was seen; replies and hand-offs in the order of their arrival."""

    accepted: Sequence[Accepted] = ()
    replies: Sequence[Reply] = ()
    hand_offs: Sequence[HandOff] = ()
    dead: Mapping[str, str] = field(default_factory=dict)
    """message id → reason."""
    turns: Sequence[StoredTurn] = ()
    conversations: Sequence[StoredConversation] = ()
    calls: Sequence[Call] = ()
    faults: Sequence[Interval] = ()
