"""Many callers, one round trip: what is asked while a round trip is under way goes out together when it is back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


class Gathered(Generic[I, R]):
    """Calls `send` with a batch, one batch after the other; a call when none is under way goes out at once.

    So a process that has little to do adds no delay, and a busy one makes fewer, larger round trips. A batch that takes longer
    than `patience_s` holds the next one up no more. No batch holds two items of one key: the later one goes with the next
    batch. `send` gives a result, or an error to raise, for each item; what it raises is raised for all.
    """

    def __init__(
        self, send: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]], key: Callable[[I], str], patience_s: float
    ) -> None:
        self._send = send
        self._key = key
        self._patience_s = patience_s
        self._waiting: list[tuple[I, asyncio.Future[R]]] = []
        self._next: asyncio.Handle | None = None
        """When the next batch leaves at the latest; None when no batch is under way and none is about to be."""
        self._batches: set[asyncio.Task[None]] = set()

    async def __call__(self, item: I) -> R:
        """The item's result. Who is cancelled before the batch leaves takes the item back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        if self._next is None:
            self._next = loop.call_soon(self._leave)
        return await future

    def _leave(self) -> None:
        batch: dict[str, tuple[I, asyncio.Future[R]]] = {}
        later = []
        for item, future in self._waiting:
            if future.done():
                continue
            if batch.setdefault(self._key(item), (item, future))[1] is not future:
                later.append((item, future))
        self._waiting, self._next = later, None
        if batch:
            following = self._next = asyncio.get_running_loop().call_later(self._patience_s, self._leave)
            task = asyncio.create_task(self._answer(tuple(batch.values())))
            self._batches.add(task)
            task.add_done_callback(lambda task: self._back(task, following))

    def _back(self, task: asyncio.Task[None], following: asyncio.Handle) -> None:
        self._batches.discard(task)
        if self._next is following:
            following.cancel()
            self._leave()

    async def _answer(self, batch: Sequence[tuple[I, "asyncio.Future[R]"]]) -> None:
        try:
            results = await self._send([item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
