"""What was said per turn, and what was blocked on the way to it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from common.mongo import Database, Documents
from common.turn import Provenance, Turn, provenance_from_document, provenance_to_document


@dataclass(frozen=True, slots=True)
class Blocked:
    """A text that the guard stopped, with one finding; kept for review."""

    text: str
    violation: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The result for a turn."""

    text: str
    provenance: Provenance
    blocked: tuple[Blocked, ...]


class ReplyStore:
    """`replies`: one result per turn id, never changed. `blocked`: what was stopped, for review."""

    def __init__(self, database: Database) -> None:
        self._replies = Documents(database, "replies")
        self._blocked = Documents(database, "blocked")

    async def prepare(self) -> None:
        """The index that the review of blocked texts uses."""
        await self._blocked.index("at_ms")

    async def find(self, turn_id: str) -> StoredReply | None:
        """The stored result, or None."""
        document = await self._replies.find(turn_id)
        return reply_from_document(document) if document else None

    async def save(self, turn: Turn, reply: StoredReply) -> StoredReply:
        """Keep the result; when there is one already, that stays and is returned."""
        at_ms = int(time.time() * 1000)
        document = {
            "_id": turn.turn_id,
            "conversation_id": turn.conversation_id,
            "text": reply.text,
            "provenance": provenance_to_document(reply.provenance),
            "blocked": [asdict(item) for item in reply.blocked],
            "at_ms": at_ms,
        }
        if reply.blocked:
            await self._blocked.insert({**document, "customer_text": turn.customer_text})
        if await self._replies.insert(document):
            return reply
        return await self.find(turn.turn_id) or reply

    async def newest_blocked(self, limit: int) -> list[dict[str, object]]:
        """Turns with blocked texts, newest first."""
        return await self._blocked.newest({}, "at_ms", limit)


def reply_from_document(document: Mapping[str, object]) -> StoredReply:
    """The result that `save` wrote."""
    return StoredReply(
        text=cast("str", document["text"]),
        provenance=provenance_from_document(document["provenance"]),
        blocked=tuple(Blocked(**item) for item in cast("Sequence[dict[str, str]]", document["blocked"])),
    )
