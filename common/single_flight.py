"""One computation per key: a repeated call joins the one that runs, or gets what the last one gave."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class SingleFlight(Generic[R]):
    """Runs each key's computation as a task of its own, so that a caller who gives up does not throw away a paid answer.

    Results are kept for the last `keep` keys; failures are not kept. The stored result is the lasting truth: this only
    covers the time in which the store is away or a first call is still running.
    """

    def __init__(self, keep: int = 1_024) -> None:
        self._keep = keep
        self._running: dict[str, asyncio.Task[R]] = {}
        self._done: OrderedDict[str, R] = OrderedDict()

    async def run(self, key: str, compute: Callable[[], Awaitable[R]]) -> R:
        """The result for the key, computed at most once at a time; raises what the computation raises."""
        if key in self._done:
            return self._done[key]
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._compute(key, compute))
            self._running[key] = task
            task.add_done_callback(_look_at_failure)
        return await asyncio.shield(task)

    async def _compute(self, key: str, compute: Callable[[], Awaitable[R]]) -> R:
        try:
            result = await compute()
        finally:
            del self._running[key]
        self._done[key] = result
        if len(self._done) > self._keep:
            self._done.popitem(last=False)
        return result

    async def drain(self) -> None:
        """Wait for what still runs; for a graceful stop."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)


def _look_at_failure(task: "asyncio.Task[R]") -> None:
    """Every caller may have given up by now; without this, asyncio would report the failure as never retrieved."""
    if not task.cancelled():
        task.exception()
