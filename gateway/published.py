"""Remembers which turns were published, off the path of the turn: many marks in one write, a moment later.

A mark only saves a second publication of the same reply when the broker delivers a message again; a mark that is lost in
a crash costs one such publication, which every consumer of replies drops by its reply id.
"""

import asyncio

import structlog

from common.errors import StoreUnavailable
from gateway.store import TurnStore
from gateway.turn_record import TurnRecord

_WINDOW_S = 0.1

_log = structlog.get_logger("gateway")


class PublishedMarks:
    """The marks of one gateway."""

    def __init__(self, store: TurnStore) -> None:
        self._store = store
        self._waiting: set[str] = set()
        self._writers: set[asyncio.Task[None]] = set()
        self._scheduled = False

    def add(self, turn: TurnRecord) -> None:
        """The broker confirmed everything of the turn."""
        self._waiting.add(turn.key)
        if not self._scheduled:
            self._scheduled = True
            writer = asyncio.create_task(self._write_soon())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)

    async def includes(self, turn: TurnRecord) -> bool:
        """Whether the broker is known to have confirmed everything of the turn."""
        return turn.key in self._waiting or await self._store.is_published(turn)

    async def flush(self) -> None:
        """Write what waits; for a graceful stop."""
        await asyncio.gather(*self._writers)

    async def _write_soon(self) -> None:
        await asyncio.sleep(_WINDOW_S)
        # What is added while this write runs waits for the next one.
        keys, self._scheduled = tuple(self._waiting), False
        try:
            await self._store.mark_published(keys)
        except StoreUnavailable as error:
            _log.info("published marks not written", turns=len(keys), error=str(error))
        self._waiting.difference_update(keys)
