"""The session as one document, replaced whole with a version check; long histories move to pages of their own."""

from collections import OrderedDict
from dataclasses import fields, replace
from typing import cast

from common.mongo import Database, Documents
from common.taxonomy import Action, Category, State, Vertente
from common.turn import Determination, Exchange, provenance_from_document, provenance_to_document
from fsm_service.session import Session, Transition, TurnResult

HISTORY_IN_DOCUMENT = 24
"""Moves kept in the session's document; older ones are in pages, so that a turn costs the same in any conversation."""
_PAGE = 12
_WRITTEN_KEPT = 2_048
"""Sessions kept in memory between the two calls of a turn; more than can be in flight."""


class SessionStore:
    """`sessions`: the newest session by conversation. `ended`: earlier ones by session id. `history`: pages of moves."""

    def __init__(self, database: Database) -> None:
        self._sessions = Documents(database, "sessions")
        self._ended = Documents(database, "ended")
        self._history = Documents(database, "history")
        self._written: OrderedDict[str, Session] = OrderedDict()

    async def prepare(self) -> None:
        """The index that the list of those who wait for a person uses."""
        await self._sessions.index("state")

    async def with_person(self, limit: int) -> list[Session]:
        """At most `limit` sessions in which a person has the conversation, the longest without news first; for tools."""
        documents = await self._sessions.oldest({"state": State.ESCALATING}, "updated_at_ms", limit)
        return [session_from_document(document) for document in documents]

    async def newest(self, conversation_id: str) -> Session | None:
        """The newest session of the conversation; its history starts where the pages end."""
        document = await self._sessions.find(conversation_id)
        return session_from_document(document) if document else None

    async def last_written(self, conversation_id: str) -> Session | None:
        """The session as this process wrote it last, without asking the store; else the newest.

        It may be old by now: good enough for a version-checked write, which then fails, not for a decision.
        """
        return self._written.get(conversation_id) or await self.newest(conversation_id)

    async def save(self, session: Session) -> Session | None:
        """Write the next version; the session as it was written, or None when somebody else wrote first."""
        session = await self._with_old_history_paged_out(session)
        written = replace(session, version=session.version + 1)
        document = session_to_document(written)
        done = (
            await self._sessions.insert(document)
            if session.version == 0
            else await self._sessions.replace(document, expected_version=session.version)
        )
        self._written.pop(session.conversation_id, None)
        if not done:
            return None
        self._written[session.conversation_id] = written
        if len(self._written) > _WRITTEN_KEPT:
            self._written.popitem(last=False)
        return written

    async def archive(self, session: Session) -> None:
        """Keep an ended session under its own id, before the next one takes its place; safe to repeat."""
        await self._ended.put({**session_to_document(session), "_id": session.session_id})

    async def full_history(self, session: Session) -> tuple[Transition, ...]:
        """Every move of the session, oldest first."""
        names = [_page_id(session, page) for page in range(session.history_pages)]
        pages = await self._history.find_many(names) if names else {}
        moves = [_transition(move) for name in names for move in cast("list[dict[str, object]]", pages[name]["transitions"])]
        return (*moves, *session.history)

    async def _with_old_history_paged_out(self, session: Session) -> Session:
        if len(session.history) <= HISTORY_IN_DOCUMENT:
            return session
        # The oldest moves are the same for every writer, so a page may be written twice; it is written before the session
        # that counts it.
        page = [_transition_to_document(move) for move in session.history[:_PAGE]]
        await self._history.put({"_id": _page_id(session, session.history_pages), "transitions": page})
        return replace(session, history=session.history[_PAGE:], history_pages=session.history_pages + 1)


def _page_id(session: Session, page: int) -> str:
    return f"{session.session_id}/{page}"


def session_to_document(session: Session) -> dict[str, object]:
    """The session as MongoDB keeps it."""
    return {
        **{name: getattr(session, name) for name in _PLAIN},
        "_id": session.conversation_id,
        "category": session.category or "",
        "intents": list(session.intents),
        "options_shown": list(session.options_shown),
        "arrivals_ms": list(session.arrivals_ms),
        "text_hashes": list(session.text_hashes),
        "history": [_transition_to_document(move) for move in session.history],
        "recent": [[exchange.customer_text, exchange.reply_text] for exchange in session.recent],
        "turns": [_turn_result_to_document(result) for result in session.turns],
    }


_PLAIN = (
    "session_id",
    "sequence",
    "channel",
    "opened_at_ms",
    "updated_at_ms",
    "version",
    "state",
    "vertente",
    "clarifications",
    "escalated",
    "blocked_until_ms",
    "outcome",
    "illegal_proposals",
    "history_pages",
)


def session_from_document(document: dict[str, object]) -> Session:
    """The session that `session_to_document` wrote."""
    plain = {name: document[name] for name in _PLAIN}
    category = cast("str", document["category"])
    return Session(
        **{  # type: ignore[arg-type]  # the document was written from the same fields
            **plain,
            "conversation_id": document["_id"],
            "state": State(cast("str", plain["state"])),
            "vertente": Vertente(cast("str", plain["vertente"])),
        },
        category=Category(category) if category else None,
        intents=tuple(cast("list[str]", document["intents"])),
        options_shown=tuple(cast("list[str]", document["options_shown"])),
        arrivals_ms=tuple(cast("list[int]", document["arrivals_ms"])),
        text_hashes=tuple(cast("list[str]", document["text_hashes"])),
        history=tuple(_transition(move) for move in cast("list[dict[str, object]]", document["history"])),
        recent=tuple(Exchange(said, reply) for said, reply in cast("list[tuple[str, str]]", document["recent"])),
        turns=tuple(_turn_result(turn) for turn in cast("list[dict[str, object]]", document["turns"])),
    )


def _transition_to_document(move: Transition) -> dict[str, object]:
    return {name: getattr(move, name) for name in _TRANSITION_FIELDS}


def _turn_result_to_document(result: TurnResult) -> dict[str, object]:
    return {
        "turn_id": result.turn_id,
        "determination": {name: getattr(result.determination, name) for name in _DETERMINATION_FIELDS},
        "provenance": provenance_to_document(result.provenance),
        "previous_state": result.previous_state,
        "resting_state": result.resting_state,
        "completed": result.completed,
        "customer_text": result.customer_text,
    }


# dataclasses.asdict copies deeply, at twenty times the cost of reading the fields.
_TRANSITION_FIELDS = tuple(field.name for field in fields(Transition))
_DETERMINATION_FIELDS = tuple(field.name for field in fields(Determination))


def _transition(document: dict[str, object]) -> Transition:
    return Transition(
        from_state=State(cast("str", document["from_state"])),
        to_state=State(cast("str", document["to_state"])),
        trigger=cast("str", document["trigger"]),
        confidence=cast("float", document["confidence"]),
        metadata=cast("dict[str, str]", document["metadata"]),
        turn_id=cast("str", document["turn_id"]),
        at_ms=cast("int", document["at_ms"]),
    )


def _turn_result(document: dict[str, object]) -> TurnResult:
    determination = cast("dict[str, object]", document["determination"])
    return TurnResult(
        turn_id=cast("str", document["turn_id"]),
        determination=Determination(
            **{  # type: ignore[arg-type]  # the document was written from the same fields
                **determination,
                "action": Action(cast("str", determination["action"])),
                "vertente": Vertente(cast("str", determination["vertente"])),
                "category": Category(cast("str", determination["category"])),
            }
        ),
        provenance=provenance_from_document(document["provenance"]),
        previous_state=State(cast("str", document["previous_state"])),
        resting_state=State(cast("str", document["resting_state"])),
        completed=cast("bool", document["completed"]),
        customer_text=cast("str", document["customer_text"]),
    )
