"""A TCP proxy in this process, between the system and one of the parts it needs: passes on, slows, cuts."""

import asyncio
import contextlib
from types import TracebackType

_CHUNK = 64 * 1024


class Proxy:
    """Forwards connections on `port` to a port of this machine. `delay_s` is added to each chunk in each direction."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self.delay_s = 0.0
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            self.cut()

    def cut(self) -> int:
        """Reset every connection, without a goodbye; how many there were."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, up_writer}
        self._writers |= pair
        try:
            # What ends one direction ends both, as a broken line does.
            copies = {asyncio.create_task(self._copy(reader, up_writer)), asyncio.create_task(self._copy(up_reader, writer))}
            _, pending = await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*copies, return_exceptions=True)
        finally:
            self._writers -= pair
            for each in pair:
                each.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(chunk)
                await writer.drain()
