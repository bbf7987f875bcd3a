"""Keeps the last good version of the documents: reload on change, keep the old one when an edit is bad."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog

from common import institution_wire, metrics
from common.errors import InvalidSetting, StoreUnavailable
from common.institution import Institution
from context_service.store import ContextStore
from protos.context.v1 import context_pb2

_log = structlog.get_logger("context")


class CurrentContext:
    """The version in use, and those who wait for the next one."""

    def __init__(self, load: Callable[[Path], Institution], directory: Path, store: ContextStore) -> None:
        self._load = load
        self._directory = directory
        self._store = store
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._changed = asyncio.Condition()
        self._unsaved: context_pb2.Institution | None = None
        self._stopping = False
        self.message = context_pb2.Institution()

    async def load_first(self) -> None:
        """Load at start; InvalidSetting with line numbers when the documents are wrong."""
        self._seen = self._stamp()
        await self._publish(await asyncio.to_thread(self._load, self._directory))

    async def follow(self, poll_s: float) -> None:
        """Look for changes for ever. A bad edit is logged with its lines and changes nothing."""
        while True:
            await asyncio.sleep(poll_s)
            await self._save_if_needed()
            stamp = await asyncio.to_thread(self._stamp)
            if stamp == self._seen:
                continue
            self._seen = stamp
            try:
                institution = await asyncio.to_thread(self._load, self._directory)
            except (InvalidSetting, OSError) as error:
                metrics.CONTEXT_REJECTED.inc()
                _log.error("edit refused, the last good version stays", version=self.message.version, problems=str(error))
                continue
            if institution.version != self.message.version:
                await self._publish(institution)

    async def versions(self, known_version: str) -> AsyncIterator[context_pb2.Institution]:
        """The current version unless it is known, then each new one; ends when the service stops."""
        while True:
            async with self._changed:
                while self.message.version == known_version and not self._stopping:
                    await self._changed.wait()
            if self._stopping:
                return
            known_version = self.message.version
            yield self.message

    async def stop(self) -> None:
        """Let the watchers go: they find another replica, or come back to this one."""
        async with self._changed:
            self._stopping = True
            self._changed.notify_all()

    async def _publish(self, institution: Institution) -> None:
        if self.message.version:
            metrics.CONTEXT_INFO.remove(self.message.version)
        metrics.CONTEXT_INFO.labels(institution.version).set(1)
        self._unsaved = institution_wire.to_proto(institution)
        await self._save_if_needed()
        async with self._changed:
            self.message = institution_wire.to_proto(institution)
            self._changed.notify_all()
        _log.info("context in use", version=institution.version)

    async def _save_if_needed(self) -> None:
        """The store may be away at start; serving does not wait for it, saving is tried again."""
        if self._unsaved is None:
            return
        try:
            await self._store.save(self._unsaved)
            self._unsaved = None
        except StoreUnavailable as error:
            _log.warning("version not stored yet", error=str(error))

    def _stamp(self) -> tuple[tuple[str, int, int], ...]:
        return tuple(
            (str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(self._directory.rglob("*.md"))
        )
