"""Lines from stdin without a thread: Ctrl-C then ends a command that waits for input at once."""

import asyncio
import os
from collections.abc import AsyncIterator


async def stdin_lines() -> AsyncIterator[str]:
    """Each line without its end, as soon as it is there; from a terminal, a pipe or a file."""
    pending = b""
    while chunk := await _readable_chunk(0):
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace").rstrip("\r")
    if pending:
        yield pending.decode(errors="replace")


async def _readable_chunk(descriptor: int) -> bytes:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except PermissionError:
        # A regular file cannot be polled, and never blocks.
        return os.read(descriptor, 65_536)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, 65_536)
