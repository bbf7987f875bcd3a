"""Abuse checks before any LLM call, pure: blocked sender, flood, repeated content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fsm_service.session import ARRIVALS_KEPT, TEXTS_KEPT, Session


class Abuse(StrEnum):
    """Why a turn is stopped."""

    BLOCKED = "blocked"
    FLOOD = "flood"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class AbuseLimits:
    """The limits; times in seconds."""

    flood_messages: int
    flood_window_s: int
    repeats: int


def check(session: Session, text: str, now_ms: int, limits: AbuseLimits) -> Abuse | None:
    """What is wrong with this arrival, given what the session has seen before it (`arrived` not yet applied)."""
    if session.blocked_until_ms > now_ms:
        return Abuse.BLOCKED
    if _within(session.arrivals_ms, now_ms, limits.flood_window_s) >= limits.flood_messages:
        return Abuse.FLOOD
    last = session.text_hashes[-(limits.repeats - 1) :]
    # Short words ("ok", "sim") are repeated by honest people.
    if len(text) >= _TOO_SHORT_TO_COUNT and len(last) == limits.repeats - 1 and set(last) == {_hash(text)}:
        return Abuse.REPEATED
    return None


_TOO_SHORT_TO_COUNT = 12


def arrived(session: Session, text: str, message_count: int, now_ms: int) -> Session:
    """The session that remembers this arrival."""
    return replace(
        session,
        arrivals_ms=(*session.arrivals_ms, *([now_ms] * min(message_count, ARRIVALS_KEPT)))[-ARRIVALS_KEPT:],
        text_hashes=(*session.text_hashes, _hash(text))[-TEXTS_KEPT:],
    )


def _within(arrivals_ms: Sequence[int], now_ms: int, window_s: int) -> int:
    return sum(1 for at_ms in arrivals_ms if at_ms > now_ms - window_s * 1000)


def _hash(text: str) -> str:
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:12]
