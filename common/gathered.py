"""Many callers, one round trip: what is asked within a moment goes out together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


class Gathered(Generic[I, R]):
    """Calls `send` with a batch at most once per `every_s`; a call after a quiet moment goes out at once and alone.

    So a process that has little to do adds no delay, and a busy one makes fewer, larger round trips. No batch holds two items
    of one key: the later one goes with the next batch. `send` gives a result, or an error to raise, for each item; what it
    raises is raised for all.
    """

    def __init__(
        self, send: Callable[[Sequence[I]], Awaitable[Sequence[R | Exception]]], key: Callable[[I], str], every_s: float
    ) -> None:
        self._send = send
        self._key = key
        self._every_s = every_s
        self._waiting: list[tuple[I, asyncio.Future[R]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._not_before_s = 0.0
        self._batches: set[asyncio.Task[None]] = set()

    async def __call__(self, item: I) -> R:
        """The item's result. Who is cancelled before the batch leaves takes the item back."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future))
        if self._timer is None:
            self._timer = loop.call_at(max(loop.time(), self._not_before_s), self._leave)
        return await future

    def _leave(self) -> None:
        loop = asyncio.get_running_loop()
        batch: dict[str, tuple[I, asyncio.Future[R]]] = {}
        later = []
        for item, future in self._waiting:
            if future.done():
                continue
            if batch.setdefault(self._key(item), (item, future))[1] is not future:
                later.append((item, future))
        self._waiting, self._timer = later, None
        self._not_before_s = loop.time() + self._every_s
        if later:
            self._timer = loop.call_at(self._not_before_s, self._leave)
        if batch:
            task = asyncio.create_task(self._answer(tuple(batch.values())))
            self._batches.add(task)
            task.add_done_callback(self._batches.discard)

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
