"""What every kind of exam shares: which LLM to ask, how often, in what time, and how long the items took."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import guard
from common.deadline import Deadline
from common.model import Model
from common.model_settings import ModelSettings
from common.model_setup import open_model
from common.settings import load
from fsm_service import fallback

_AT_ONCE = 8
"""Items in work at the same time when an LLM is asked; without one they would only slow each other down."""

I = TypeVar("I")  # noqa: E741 - item
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Terms:
    """How the exam is held. `deadline_s` is for one message, reply or turn."""

    llm_url: str = ""
    runs: int = 1
    deadline_s: float = 10.0
    strict: bool = False

    @property
    def deadline(self) -> Deadline:
        """That of an item which begins now."""
        return Deadline.after(self.deadline_s)


@dataclass(frozen=True, slots=True)
class Taken(Generic[A]):
    """The answers to one item, one per run; `ms` is the time of the first."""

    answers: Sequence[A]
    ms: float

    @property
    def answer(self) -> A:
        """The one that is marked."""
        return self.answers[0]


@asynccontextmanager
async def llm(terms: Terms) -> AsyncIterator[Model | None]:
    """The real client for the LLM at the URL, key from LLM_API_KEY; without a URL None, whatever the environment says."""
    if not terms.llm_url:
        yield None
        return
    async with open_model(load(lambda: ModelSettings(llm_base_url=terms.llm_url))) as model:
        yield model


async def take(items: Sequence[I], answer: Callable[[I, int], Awaitable[A]], terms: Terms) -> list[Taken[A]]:
    """Every item, `runs` times; `answer` gets the item and the number of the run."""
    _warm_up()
    places = asyncio.Semaphore(_AT_ONCE if terms.llm_url else 1)

    async def one(item: I) -> Taken[A]:
        async with places:
            started_s = time.perf_counter()
            answers = [await answer(item, 0)]
            ms = (time.perf_counter() - started_s) * 1000
            answers += [await answer(item, run) for run in range(1, terms.runs)]
            return Taken(answers, ms)

    return await asyncio.gather(*(one(item) for item in items))


def _warm_up() -> None:
    """What a service loads once, when it starts, is no part of the first item's time."""
    fallback.understand("oi")
    guard.check("oi")
