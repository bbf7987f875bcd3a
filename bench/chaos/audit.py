"""Reads what the services stored, for the ledger."""

from collections.abc import Iterable
from contextlib import AsyncExitStack

from pydantic import SecretStr

from bench.chaos.evidence import Move, StoredConversation, StoredSession, StoredTurn
from bench.load import CHANNEL
from common import mongo
from common.ids import derived_id
from common.mongo import Database, Documents
from common.settings import StoreSettings
from fsm_service.session import Session
from fsm_service.store import SessionStore, session_from_document
from gateway.store import TurnStore

_ALL = 1_000_000


class Audit:
    """The databases of gateway and FSM service, and the results of the two later tasks."""

    def __init__(self, store_url: str) -> None:
        self._settings = StoreSettings(mongodb_url=SecretStr(store_url), mongodb_timeout_s=30.0)
        self._stack = AsyncExitStack()
        self._databases: dict[str, Database] = {}

    async def __aenter__(self) -> "Audit":
        for service in ("gateway", "fsm", "response", "msgtype"):
            self._databases[service] = await self._stack.enter_async_context(mongo.connect(self._settings, service))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def turn_of(self, message_ids: Iterable[str]) -> dict[str, str]:
        """The turn id of each message that has a turn."""
        keys = {f"{CHANNEL}:{message_id}": message_id for message_id in message_ids}
        found = await TurnStore(self._databases["gateway"]).turns_of(tuple(keys)) if keys else {}
        return {keys[key]: turn.turn_id for key, turn in found.items()}

    async def turns(self) -> list[StoredTurn]:
        """Every turn."""
        turns = await TurnStore(self._databases["gateway"]).newest_of_all(_ALL)
        return [
            StoredTurn(
                turn.turn_id,
                turn.conversation_id,
                turn.message_ids,
                hands_off=bool(turn.answer and turn.answer.escalation),
                answer="none" if turn.answer is None else "silence" if turn.answer.outbound is None else "a reply",
            )
            for turn in turns
        ]

    async def conversations(self) -> list[StoredConversation]:
        """Every conversation with all its sessions and their whole histories."""
        database = self._databases["fsm"]
        sessions = SessionStore(database)
        newest = await Documents(database, "sessions").newest({}, "opened_at_ms", _ALL)
        ended = {
            str(document["_id"]): document for document in await Documents(database, "ended").newest({}, "opened_at_ms", _ALL)
        }
        found = []
        for session in map(session_from_document, newest):
            # An ended session is filed under its own id, which follows from the conversation and its number.
            ids = [derived_id("session", session.conversation_id, str(number)) for number in range(1, session.sequence)]
            earlier = [session_from_document({**ended[each], "_id": session.conversation_id}) for each in ids if each in ended]
            stored = [await _stored(sessions, each) for each in (*earlier, session)]
            found.append(StoredConversation(session.conversation_id, session.version, tuple(stored)))
        return found

    async def results(self, service: str, collection: str) -> list[dict[str, object]]:
        """The stored results of a task: `("response", "replies")`, `("msgtype", "forms")`."""
        return await Documents(self._databases[service], collection).newest({}, "at_ms", _ALL)


async def _stored(sessions: SessionStore, session: Session) -> StoredSession:
    history = await sessions.full_history(session)
    moves = tuple(Move(move.from_state, move.to_state, move.turn_id) for move in history)
    return StoredSession(session.sequence, session.state, moves)
