"""The ledger, pure: from what was accepted, seen and stored to the figures, and what of it breaks the promise."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.chaos.evidence import Accepted, Call, Evidence, Interval, Reply, StoredConversation, StoredTurn
from common.taxonomy import State
from fsm_service.states import is_legal

PROMISE_S = 3.0
PAID = frozenset({"ok", "cut_json", "schema_miss", "not_json", "refusal", "invented_enum", "overlay"})
"""Outcomes of a call that the provider answered, and would be paid for."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The figures of one run, and a line for each breach."""

    accepted: int
    answered: int
    """A reply, and no person needed."""
    escalated: int
    """A hand-off was recorded: with a reply, or silent because a person had the conversation already (`with_person`)."""
    with_person: int
    dead_lettered: int
    lost: int
    duplicates_before_dedupe: int
    """Replies that the system published more than once with the same reply id."""
    reader_redeliveries: int
    """Replies that the broker repeated to us after our own connection was cut."""
    duplicates: int
    """Messages answered by more than one reply id."""
    out_of_order: int
    illegal_transitions: int
    forks: int
    unguarded: int
    llm_calls: int
    llm_calls_per_message: float
    extra_llm_calls: int
    extra_llm_calls_explained: int
    late: int
    late_explained: int
    latest_s: float
    latest_unexplained_s: float
    fallback: int
    """Replies in which the deterministic path wrote something."""
    kills: Mapping[str, int]
    faults: Mapping[str, int]
    breaches: tuple[str, ...]


def ledger(seen: Evidence) -> Ledger:
    """The whole account."""
    replied, doubled, repeats, reread = _replied(seen.replies)
    handed_over, forwarded = _handed_off(seen)
    accepted = {message.message_id: message for message in seen.accepted}
    silent = forwarded.keys() - replied.keys()
    escalated = (handed_over.keys() & replied.keys()) | silent
    answered = replied.keys() - escalated
    dead = seen.dead.keys() - replied.keys() - escalated
    lost = accepted.keys() - answered - escalated - dead
    out_of_order = _out_of_order(accepted, seen.replies)
    seen_hand_offs = {hand_off.turn_id for hand_off in seen.hand_offs}
    unheard = sorted(turn.turn_id for turn in seen.turns if turn.hands_off and turn.turn_id not in seen_hand_offs)
    illegal = [problem for conversation in seen.conversations for problem in _illegal(conversation)]
    forks = [*_claimed_twice(seen.turns), *_forks(seen)]
    unguarded = [
        f"unguarded text: reply {reply.reply_id}: {', '.join(reply.violations)}" for reply in seen.replies if reply.violations
    ]
    paid = [call for call in seen.calls if call.outcome in PAID]
    extra = _extra_calls(paid)
    unexplained_calls = [call for call, from_s in extra if not _explained(seen.faults, from_s, call.to_s)]
    settled_at_s = {**forwarded, **replied}
    late = [(message, settled_at_s[key] - message.published_at_s) for key, message in accepted.items() if key in settled_at_s]
    late = sorted(((message, wait_s) for message, wait_s in late if wait_s > PROMISE_S), key=lambda pair: -pair[1])
    essential = [fault for fault in seen.faults if fault.essential]
    unexplained_late = [
        (message, wait_s)
        for message, wait_s in late
        if not _explained(essential, message.published_at_s, message.published_at_s + wait_s)
    ]
    breaches = (
        *(f"lost: message {key} of {accepted[key].conversation_id} ({_where(accepted[key], seen)})" for key in sorted(lost)),
        *(f"lost: the hand-off of {turn_id}" for turn_id in unheard),
        *(f"answered twice: message {key} by {', '.join(sorted(ids))}" for key, ids in doubled.items()),
        *out_of_order,
        *illegal,
        *forks,
        *unguarded,
        *(f"extra call not explained: {call.task} of {call.turn_id} ({call.outcome})" for call in unexplained_calls),
        *(f"late, not explained: {message.message_id} after {wait_s:.1f} s" for message, wait_s in unexplained_late),
    )
    return Ledger(
        accepted=len(accepted),
        answered=len(answered & accepted.keys()),
        escalated=len(escalated & accepted.keys()),
        with_person=len(silent & accepted.keys()),
        dead_lettered=len(dead & accepted.keys()),
        lost=len(lost) + len(unheard),
        duplicates_before_dedupe=repeats,
        reader_redeliveries=reread,
        duplicates=len(doubled),
        out_of_order=len(out_of_order),
        illegal_transitions=len(illegal),
        forks=len(forks),
        unguarded=len(unguarded),
        llm_calls=len(paid),
        llm_calls_per_message=round(len(paid) / max(len(accepted), 1), 3),
        extra_llm_calls=len(extra),
        extra_llm_calls_explained=len(extra) - len(unexplained_calls),
        late=len(late),
        late_explained=len(late) - len(unexplained_late),
        latest_s=round(late[0][1], 2) if late else 0.0,
        latest_unexplained_s=round(unexplained_late[0][1], 2) if unexplained_late else 0.0,
        fallback=len({reply.reply_id for reply in seen.replies if reply.fallback}),
        kills=dict(sorted(Counter(fault.target for fault in seen.faults if fault.kind in {"kill", "restart"}).items())),
        faults=dict(sorted(Counter(f"{fault.kind} {fault.target}" for fault in seen.faults).items())),
        breaches=breaches,
    )


def _replied(replies: Iterable[Reply]) -> tuple[dict[str, float], dict[str, set[str]], int, int]:
    """When each message was first answered, those with two reply ids, repeated reply ids, and what was only read twice."""
    replied: dict[str, float] = {}
    by_message: defaultdict[str, set[str]] = defaultdict(set)
    known: set[str] = set()
    repeats = reread = 0
    for reply in replies:
        if reply.reply_id in known:
            reread += reply.again
            repeats += not reply.again
        known.add(reply.reply_id)
        for message_id in reply.in_reply_to:
            replied.setdefault(message_id, reply.at_s)
            by_message[message_id].add(reply.reply_id)
    return replied, {key: ids for key, ids in by_message.items() if len(ids) > 1}, repeats, reread


def _where(message: Accepted, seen: Evidence) -> str:
    """How far a message that came to nothing got; the data is gone when the run is over."""
    turn = next((turn for turn in seen.turns if message.message_id in turn.message_ids), None)
    states = [each.sessions[-1].state for each in seen.conversations if each.conversation_id == message.conversation_id]
    got_to = f"turn {turn.turn_id}, saved answer: {turn.answer}" if turn else "no turn was opened"
    return f"{got_to}; conversation in {states[0] if states else 'no state'}"


def _handed_off(seen: Evidence) -> tuple[dict[str, float], dict[str, float]]:
    """When the hand-off of each message arrived: those that began one, and those forwarded to the person."""
    messages_of = {turn.turn_id: turn.message_ids for turn in seen.turns}
    begun: dict[str, float] = {}
    forwarded: dict[str, float] = {}
    for hand_off in seen.hand_offs:
        into = forwarded if hand_off.reason == "forwarded" else begun
        for message_id in messages_of.get(hand_off.turn_id, ()):
            into.setdefault(message_id, hand_off.at_s)
    return begun, forwarded


def _out_of_order(accepted: Mapping[str, Accepted], replies: Iterable[Reply]) -> list[str]:
    """Replies, without repetitions, that answer a message published before one that was answered already."""
    problems: list[str] = []
    reached: defaultdict[str, int] = defaultdict(lambda: -1)
    known: set[str] = set()
    for reply in replies:
        if reply.reply_id in known:
            continue
        known.add(reply.reply_id)
        for message_id in reply.in_reply_to:
            if (message := accepted.get(message_id)) is None:
                continue
            if message.number <= reached[message.conversation_id]:
                problems.append(f"out of order: {message_id} of {message.conversation_id} was answered after a later one")
            reached[message.conversation_id] = max(reached[message.conversation_id], message.number)
    return problems


def _illegal(conversation: StoredConversation) -> list[str]:
    """Moves that the table lacks, or that do not begin where the last one ended."""
    problems = []
    for session in conversation.sessions:
        state = State.INIT
        where = f"{conversation.conversation_id} session {session.sequence}"
        for move in session.moves:
            if not is_legal(move.from_state, move.to_state):
                problems.append(f"illegal transition: {where}: {move.from_state} → {move.to_state}")
            if move.from_state is not state:
                problems.append(f"broken chain: {where}: {state}, then a move from {move.from_state}")
            state = move.to_state
        if session.state is not state:
            problems.append(f"broken chain: {where}: rests in {session.state}, its history ends in {state}")
    return problems


def _claimed_twice(turns: Iterable[StoredTurn]) -> list[str]:
    """Messages that two turns say they answer."""
    claims = Counter(message_id for turn in turns for message_id in turn.message_ids)
    return [f"fork: {count} turns claim message {message_id}" for message_id, count in claims.items() if count > 1]


def _forks(seen: Evidence) -> list[str]:
    """Each turn writes its conversation twice (decided, completed); fewer writes or a gap mean that one was lost.

    A turn whose messages were dead-lettered may have written less.
    """
    turns: defaultdict[str, list[StoredTurn]] = defaultdict(list)
    for turn in seen.turns:
        turns[turn.conversation_id].append(turn)
    stored = {conversation.conversation_id: conversation for conversation in seen.conversations}
    problems = []
    for conversation_id, of_conversation in turns.items():
        conversation = stored.get(conversation_id)
        if conversation is None:
            problems.append(f"fork: {conversation_id} has turns and no session")
            continue
        full = [turn for turn in of_conversation if not seen.dead.keys() & set(turn.message_ids)]
        least, most = 2 * len(full), 2 * len(of_conversation)
        if not least <= conversation.version <= most:
            problems.append(f"fork: {conversation_id} has version {conversation.version} after {len(of_conversation)} turns")
        sequences = [session.sequence for session in conversation.sessions]
        if sequences != list(range(1, len(sequences) + 1)):
            problems.append(f"fork: {conversation_id} has sessions {sequences}")
        problems.extend(_interleaved(conversation))
    return problems


def _interleaved(conversation: StoredConversation) -> list[str]:
    """Turns whose moves are not next to one another."""
    order = [move.turn_id for session in conversation.sessions for move in session.moves]
    blocks = [turn_id for place, turn_id in enumerate(order) if place == 0 or order[place - 1] != turn_id]
    return [
        f"fork: {conversation.conversation_id}: the moves of {turn_id} are interleaved with another turn's"
        for turn_id, count in Counter(blocks).items()
        if count > 1
    ]


def _extra_calls(paid: Iterable[Call]) -> list[tuple[Call, float]]:
    """Answered calls beyond the first of a turn and task, each with the beginning of that first one."""
    by_question: defaultdict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in paid:
        by_question[call.turn_id, call.task].append(call)
    extra: list[tuple[Call, float]] = []
    for calls in by_question.values():
        first, *others = sorted(calls, key=lambda call: call.from_s)
        extra.extend((call, first.from_s) for call in others)
    return extra


def _explained(faults: Iterable[Interval], from_s: float, to_s: float) -> bool:
    return any(fault.overlaps(from_s, to_s) for fault in faults)
