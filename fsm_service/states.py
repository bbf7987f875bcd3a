"""The state table, pure: which moves are legal, which states are at rest, and which path leads from one to another."""

from collections.abc import Mapping
from types import MappingProxyType

from common.errors import IllegalTransition
from common.taxonomy import State

TABLE: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.INIT: frozenset({State.IDENTIFYING, State.SPAM, State.FAILED}),
        State.IDENTIFYING: frozenset({State.UNDERSTANDING_INTENT, State.SPAM, State.FAILED}),
        State.UNDERSTANDING_INTENT: frozenset({State.PROCESSING, State.ESCALATING, State.SPAM, State.FAILED}),
        State.PROCESSING: frozenset({State.GENERATING_RESPONSE, State.ESCALATING, State.FAILED}),
        State.GENERATING_RESPONSE: frozenset({State.SELECTING_MESSAGE_TYPE, State.ESCALATING, State.FAILED}),
        State.SELECTING_MESSAGE_TYPE: frozenset({State.AWAITING_USER, State.ESCALATING, State.COMPLETED, State.FAILED}),
        State.AWAITING_USER: frozenset(
            {State.UNDERSTANDING_INTENT, State.ESCALATING, State.COMPLETED, State.SPAM, State.FAILED}
        ),
        State.ESCALATING: frozenset({State.AWAITING_USER, State.COMPLETED, State.FAILED}),
        State.COMPLETED: frozenset(),
        State.FAILED: frozenset(),
        State.SPAM: frozenset(),
    }
)

RESTING = frozenset({State.AWAITING_USER, State.ESCALATING, State.COMPLETED, State.FAILED, State.SPAM})
"""Where a conversation may be between two turns."""

FINAL = frozenset({State.COMPLETED, State.FAILED, State.SPAM})
"""From here nothing leads on: the next message opens a new session."""

PROPOSABLE = (State.AWAITING_USER, State.ESCALATING, State.COMPLETED, State.SPAM)
"""The resting states that the answer to a message may lead to; FAILED is ours to say, not the model's."""

TO_UNDERSTANDING: Mapping[State, tuple[State, ...]] = MappingProxyType(
    {
        State.INIT: (State.IDENTIFYING, State.UNDERSTANDING_INTENT),
        State.AWAITING_USER: (State.UNDERSTANDING_INTENT,),
    }
)
"""The hops with which a turn begins."""


def is_legal(from_state: State, to_state: State) -> bool:
    """Whether the table has the move."""
    return to_state in TABLE[from_state]


def require_legal(from_state: State, to_state: State) -> None:
    """Raise IllegalTransition, which says what would be legal, unless the table has the move."""
    if not is_legal(from_state, to_state):
        legal = ", ".join(sorted(TABLE[from_state])) or "none, it is final"
        raise IllegalTransition(f"{from_state} → {to_state} is not legal; from {from_state}: {legal}")


def completion_path(resting: State) -> tuple[State, ...]:
    """The hops from PROCESSING to a resting state, by way of the two later tasks."""
    return (State.GENERATING_RESPONSE, State.SELECTING_MESSAGE_TYPE, resting)
