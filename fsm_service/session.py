"""One conversation session as an immutable value: it moves only through the table, and remembers what the next turn needs."""

from dataclasses import dataclass, replace

from common.taxonomy import Category, State, Vertente
from common.turn import RECENT_EXCHANGES, Determination, Exchange, Provenance
from fsm_service.states import FINAL, require_legal

TURNS_KEPT = 8
"""Results kept for repeated calls; the gateway keeps the reply itself much longer."""
ARRIVALS_KEPT = 30
TEXTS_KEPT = 6


@dataclass(frozen=True, slots=True)
class Transition:
    """One move, with why it happened."""

    from_state: State
    to_state: State
    trigger: str
    confidence: float
    metadata: dict[str, str]
    turn_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What was decided for one turn; a repeated call gets it again."""

    turn_id: str
    determination: Determination
    provenance: Provenance
    previous_state: State
    resting_state: State
    completed: bool
    customer_text: str


@dataclass(frozen=True, slots=True)
class Session:
    """The whole document. `version` grows by one with every write, across the sessions of a conversation."""

    conversation_id: str
    session_id: str
    sequence: int
    channel: str
    opened_at_ms: int
    updated_at_ms: int
    version: int = 0
    state: State = State.INIT
    vertente: Vertente = Vertente.NENHUMA
    category: Category | None = None
    intents: tuple[str, ...] = ()
    clarifications: int = 0
    escalated: bool = False
    blocked_until_ms: int = 0
    outcome: str = ""
    illegal_proposals: int = 0
    history: tuple[Transition, ...] = ()
    history_pages: int = 0
    recent: tuple[Exchange, ...] = ()
    options_shown: tuple[str, ...] = ()
    turns: tuple[TurnResult, ...] = ()
    arrivals_ms: tuple[int, ...] = ()
    text_hashes: tuple[str, ...] = ()

    def moved(
        self,
        *path: State,
        trigger: str,
        turn_id: str,
        at_ms: int,
        confidence: float = 1.0,
        metadata: dict[str, str] | None = None,
    ) -> "Session":
        """The session after walking the path hop by hop; IllegalTransition when the table lacks a hop."""
        state, hops = self.state, []
        for to_state in path:
            require_legal(state, to_state)
            hops.append(Transition(state, to_state, trigger, confidence, metadata or {}, turn_id, at_ms))
            state = to_state
        return replace(self, state=state, history=(*self.history, *hops), updated_at_ms=at_ms)

    def result_of(self, turn_id: str) -> TurnResult | None:
        """What was decided for the turn; None when it was never seen (or very long ago)."""
        return next((result for result in self.turns if result.turn_id == turn_id), None)

    def with_result(self, result: TurnResult) -> "Session":
        """The session that remembers the turn's result in place of an earlier one."""
        others = tuple(kept for kept in self.turns if kept.turn_id != result.turn_id)
        return replace(self, turns=(*others, result)[-TURNS_KEPT:])

    def with_exchange(self, customer_text: str, reply_text: str) -> "Session":
        """The session that remembers what was said."""
        return replace(self, recent=(*self.recent, Exchange(customer_text, reply_text))[-RECENT_EXCHANGES:])

    @property
    def handed_over(self) -> Transition | None:
        """The last move to a person; None when there was none."""
        return next((move for move in reversed(self.history) if move.to_state is State.ESCALATING), None)

    @property
    def handed_over_line(self) -> Vertente:
        """The business line under which a person has the conversation, or had it last."""
        move = self.handed_over
        return Vertente(move.metadata["vertente"]) if move and "vertente" in move.metadata else self.vertente

    @property
    def ended(self) -> bool:
        """True when the next message opens a new session."""
        return self.state in FINAL
