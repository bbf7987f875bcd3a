"""Turns by the key of their first message; the other messages of a burst point to it."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import cast

from common.mongo import Database, Documents
from gateway.turn_record import Blocked, SavedAnswer, TurnRecord
from protos.conversation.v1 import messages_pb2 as pb


class TurnStore:
    """`turns`: `_id` is a message key; a document is a turn, or says which turn its message belongs to.

    `answers`: what a turn came to, by the turn's key. `published`: the keys of the turns of which everything was confirmed.
    Documents of all three are written once and never changed.
    """

    def __init__(self, database: Database) -> None:
        self._turns = Documents(database, "turns")
        self._answers = Documents(database, "answers")
        self._published = Documents(database, "published")

    async def prepare(self) -> None:
        """The indexes that the trace of a conversation and the review use."""
        await self._turns.index("conversation_id", "opened_at_ms")
        await self._turns.index("opened_at_ms")

    async def turns_of(self, message_keys: Sequence[str]) -> dict[str, TurnRecord]:
        """The turns that are known for these messages, by message key."""
        found = await self._documents(message_keys)
        leaders = {str(document["leader"]) for document in found.values() if "leader" in document} - found.keys()
        found_leaders = await self._documents(tuple(leaders)) if leaders else {}
        leader_of = {key: str(document.get("leader", key)) for key, document in found.items()}
        documents = {key: document for key, document in (found | found_leaders).items() if "leader" not in document}
        turns = {turn.key: turn for turn in await self._with_answers(list(documents.values()))}
        return {key: turns[leader] for key, leader in leader_of.items() if leader in turns}

    async def open(self, turn: TurnRecord) -> bool:
        """Save a new turn and the pointers of its other messages; False when one of the messages has a turn already."""
        return await self._turns.insert(turn_to_document(turn), *_pointers(turn))

    async def claim(self, turn: TurnRecord) -> None:
        """Save those pointers of an opened turn that are missing."""
        if len(turn.message_keys) > 1:
            await self._turns.insert_each(_pointers(turn))

    async def save_answer(self, turn: TurnRecord, answer: SavedAnswer) -> SavedAnswer:
        """Save the turn's answer; the one that was saved before, if another replica was faster."""
        if await self._answers.insert(answer_to_document(turn.key, answer)):
            return answer
        document = await self._answers.find(turn.key)
        return answer_from_document(document) if document else answer

    async def mark_published(self, turn_keys: Sequence[str]) -> None:
        """Remember that the broker confirmed everything of these turns."""
        await self._published.insert_each([{"_id": key} for key in turn_keys])

    async def is_published(self, turn: TurnRecord) -> bool:
        """Whether the broker is known to have confirmed everything of the turn."""
        return await self._published.find(turn.key) is not None

    async def newest(self, conversation_id: str, limit: int) -> list[TurnRecord]:
        """The newest turns of a conversation, newest first; for tools."""
        documents = await self._turns.newest({"conversation_id": conversation_id}, "opened_at_ms", limit)
        return await self._with_answers(documents)

    async def newest_of_all(self, limit: int) -> list[TurnRecord]:
        """The newest turns of any conversation, newest first; for tools."""
        documents = await self._turns.newest({"opened_at_ms": {"$gt": 0}}, "opened_at_ms", limit)
        return await self._with_answers(documents)

    async def _with_answers(self, documents: Sequence[dict[str, object]]) -> list[TurnRecord]:
        turns = [turn_from_document(document) for document in documents]
        answers = await self._answers.find_many([turn.key for turn in turns]) if turns else {}
        return [
            replace(turn, answer=answer_from_document(answers[turn.key])) if turn.key in answers else turn for turn in turns
        ]

    async def _documents(self, keys: Sequence[str]) -> dict[str, dict[str, object]]:
        if len(keys) == 1:
            document = await self._turns.find(keys[0])
            return {keys[0]: document} if document else {}
        return await self._turns.find_many(keys)


def _pointers(turn: TurnRecord) -> list[dict[str, object]]:
    """What says of each further message of the turn which turn it belongs to."""
    return [{"_id": key, "leader": turn.key} for key in turn.message_keys[1:]]


def turn_to_document(turn: TurnRecord) -> dict[str, object]:
    """The turn as MongoDB keeps it, without its answer."""
    return {
        "_id": turn.key,
        "turn_id": turn.turn_id,
        "conversation_id": turn.conversation_id,
        "channel": turn.channel,
        "sender_id": turn.sender_id,
        "sender_name": turn.sender_name,
        "message_keys": list(turn.message_keys),
        "message_ids": list(turn.message_ids),
        "text": turn.text,
        "option_id": turn.option_id,
        "attachment": turn.attachment,
        "content_type": turn.content_type,
        "published_at_ms": turn.published_at_ms,
        "opened_at_ms": turn.opened_at_ms,
    }


def turn_from_document(document: dict[str, object]) -> TurnRecord:
    """The turn that `turn_to_document` wrote, of this version or, during a roll-out, of the one before (no `attachment`)."""
    return TurnRecord(
        key=cast("str", document["_id"]),
        turn_id=cast("str", document["turn_id"]),
        conversation_id=cast("str", document["conversation_id"]),
        channel=cast("str", document["channel"]),
        sender_id=cast("str", document["sender_id"]),
        sender_name=cast("str", document["sender_name"]),
        message_keys=tuple(cast("list[str]", document["message_keys"])),
        message_ids=tuple(cast("list[str]", document["message_ids"])),
        text=cast("str", document["text"]),
        option_id=cast("str", document["option_id"]),
        attachment=cast("str", document.get("attachment", "")),
        content_type=cast("str", document["content_type"]),
        published_at_ms=cast("int", document["published_at_ms"]),
        opened_at_ms=cast("int", document["opened_at_ms"]),
    )


def answer_to_document(turn_key: str, answer: SavedAnswer) -> dict[str, object]:
    """The answer as MongoDB keeps it; what is to be sent is kept as encoded protobuf."""
    return {
        "_id": turn_key,
        "outbound": _encoded(answer.outbound.SerializeToString()) if answer.outbound else "",
        "escalation": _encoded(answer.escalation.SerializeToString()) if answer.escalation else "",
        "events": [_encoded(event.SerializeToString()) for event in answer.events],
        "completion": _encoded(answer.completion),
        "blocked": [asdict(item) for item in answer.blocked],
    }


def answer_from_document(document: dict[str, object]) -> SavedAnswer:
    """The answer that `answer_to_document` wrote, of this version or, during a roll-out, of the one before (no `blocked`)."""
    outbound, escalation = cast("str", document["outbound"]), cast("str", document["escalation"])
    return SavedAnswer(
        outbound=pb.OutboundMessage.FromString(b64decode(outbound)) if outbound else None,
        escalation=pb.Escalation.FromString(b64decode(escalation)) if escalation else None,
        events=tuple(pb.Event.FromString(b64decode(event)) for event in cast("list[str]", document["events"])),
        completion=b64decode(cast("str", document["completion"])),
        blocked=tuple(Blocked(**item) for item in cast("list[dict[str, str]]", document.get("blocked", []))),
    )


def _encoded(message: bytes) -> str:
    """As text: the embedded store replaces no document that holds bytes."""
    return b64encode(message).decode("ascii")
