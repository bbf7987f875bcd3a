"""The exam of dialogs: every turn through the FSM service's code with its memory, and the guarded reply to it."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import guard
from cli.exam.items import Dialog, DialogTurn
from cli.exam.messages import fsm_task
from cli.exam.score import Case, Reading
from cli.exam.sitting import Taken, Terms, llm, take
from cli.processes import Child, scratch_folder
from cli.system import Wanted, plan
from common import mongo
from common.clients import channel
from common.context import ContextClient
from common.model_task import Task
from common.settings import StoreSettings, load
from common.taxonomy import Action, MessageKind, Source, State, Violation
from common.turn import Turn
from fsm_service import fallback
from fsm_service.__main__ import rules
from fsm_service.complete_turn import Completion, complete_turn
from fsm_service.determine_state import Arrival, DetermineState
from fsm_service.settings import FsmSettings
from fsm_service.store import SessionStore
from fsm_service.understand import memory_of
from response_service.generate_response import GenerateResponse
from response_service.prompt import PROMPT_VERSION, Judgement, Reply
from response_service.settings import ResponseSettings
from response_service.store import ReplyStore

_CHANNEL = "console"
_BETWEEN_TURNS_MS = 20_000
"""How long the customer takes to write: played faster, a dialog would look like a flood."""


@dataclass(frozen=True, slots=True)
class Turned:
    """One turn as it came out."""

    reading: Reading
    action: Action
    state: State
    reply: str
    broken: frozenset[Violation]
    """What the guard finds in the reply as it leaves; must be empty."""
    reason: str
    ms: float


@dataclass(frozen=True, slots=True)
class Played:
    """A dialog as it came out."""

    turns: tuple[Turned, ...]

    @property
    def state(self) -> State:
        """Where the conversation rests."""
        return self.turns[-1].state

    @property
    def labels(self) -> tuple[object, ...]:
        """What two runs are compared by."""
        return (self.state, *(turn.reading for turn in self.turns))


async def play_dialogs(dialogs: Sequence[Dialog], terms: Terms) -> list[Taken[Played]]:
    """Each dialog in a conversation of its own, on the embedded store and with the real context service."""
    async with _desk(terms) as desk:

        async def answer(dialog: Dialog, run: int) -> Played:
            turns = [await desk.turn(f"{dialog.id}/{run}", number, turn) for number, turn in enumerate(dialog.turns, start=1)]
            return Played(tuple(turns))

        return await take(dialogs, answer, terms)


def cases(dialog: Dialog, played: Played) -> list[Case]:
    """The labels of each turn against what was recorded for it."""
    return [
        Case(
            f"{dialog.id}.{number}",
            turn.user,
            Reading(turn.expect.vertente, turn.expect.intent, turn.expect.escalate),
            turned.reading,
        )
        for number, (turn, turned) in enumerate(zip(dialog.turns, played.turns, strict=True), start=1)
    ]


class _Clock:
    """The time of the conversations: it only moves on when a customer writes."""

    def __init__(self) -> None:
        self.now_ms = int(time.time() * 1000)

    def __call__(self) -> int:
        return self.now_ms


@asynccontextmanager
async def _desk(terms: Terms) -> AsyncIterator["_Desk"]:
    """The store and the context service as processes; the FSM and the response task in this one, where the clock can be set."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(scratch_folder()))
        programs, mongodb_url = plan(Wanted(), folder)
        for name in ("store", "context"):
            child = Child(programs[name], folder)
            stack.push_async_callback(child.stop, patience_s=1.0)
            await child.start()
        fsm, response = load(FsmSettings), load(ResponseSettings)
        where = load(lambda: StoreSettings.model_validate({"mongodb_url": mongodb_url, "mongodb_timeout_s": 10.0}))
        opened = await stack.enter_async_context(channel(f"127.0.0.1:{programs['context'].port}", where))
        context = await stack.enter_async_context(ContextClient(opened, where))
        model = await stack.enter_async_context(llm(terms))
        clock = _Clock()
        store = SessionStore(await stack.enter_async_context(mongo.connect(where, "fsm")))
        determine_state = DetermineState(store, context, model, fsm_task(fsm), rules(fsm), clock)
        generate_response = GenerateResponse(
            ReplyStore(await stack.enter_async_context(mongo.connect(where, "response"))),
            context,
            model,
            Task("response", Reply, response.llm_model_response, PROMPT_VERSION, max_output_tokens=700),
            Task("judge", Judgement, response.llm_model_judge, PROMPT_VERSION, max_output_tokens=200),
            response.response_reserve_s,
        )
        yield _Desk(store, determine_state, generate_response, clock, terms)


class _Desk:
    """Answers turns as the gateway does, without a broker and a form."""

    def __init__(
        self, store: SessionStore, determine: DetermineState, generate: GenerateResponse, clock: _Clock, terms: Terms
    ) -> None:
        self._store = store
        self._determine = determine
        self._generate = generate
        self._clock = clock
        self._terms = terms

    async def turn(self, conversation_id: str, number: int, turn: DialogTurn) -> Turned:
        """Determine, word, complete; and look at what would leave with the guard."""
        started_s = time.perf_counter()
        self._clock.now_ms += _BETWEEN_TURNS_MS
        turn_id = f"{conversation_id}/{number}"
        before = await self._store.newest(conversation_id)
        arrival = Arrival(turn_id, conversation_id, _CHANNEL, turn.user, option_id="", message_count=1, unreadable=False)
        determined = await self._determine.determine(arrival, self._terms.deadline)
        found, silent = determined.result.determination, determined.result.determination.action is Action.STAY_SILENT
        reply = ""
        if not silent:
            worded = Turn(turn_id, conversation_id, _CHANNEL, turn.user, found, determined.recent, first_attempt=True)
            reply = (await self._generate.generate(worded, self._terms.deadline)).reply.text
        state, _ = await complete_turn(_completion(turn_id, conversation_id, reply), self._store, self._clock)
        after = await self._store.newest(conversation_id)
        assert after is not None, "the turn was stored"
        escalate = determined.result.resting_state is State.ESCALATING
        if silent and before is not None and determined.state is State.ESCALATING:
            # A person has it: the state stays whatever the customer writes, and the understanding says whether they insist.
            escalate = fallback.understand(turn.user, memory_of(before)).escalate
        verdict = guard.check(reply, customer_text=turn.user)
        return Turned(
            reading=Reading(after.vertente, found.category, escalate),
            action=found.action,
            state=state,
            reply=reply,
            broken=frozenset(finding.violation for finding in (*verdict.findings, *verdict.doubts)),
            reason=determined.result.provenance.fallback_reason,
            ms=(time.perf_counter() - started_s) * 1000,
        )


def _completion(turn_id: str, conversation_id: str, reply: str) -> Completion:
    wrote = Source.FALLBACK if reply else None
    return Completion(
        turn_id=turn_id,
        conversation_id=conversation_id,
        reply_text=reply,
        reply_id=f"{turn_id}/reply" if reply else "",
        kind=MessageKind.TEXT if reply else None,
        response_ms=0,
        msgtype_ms=0,
        response_source=wrote,
        msgtype_source=wrote,
        option_ids=(),
    )
