"""Calls that come close together share a round trip; each caller gets its own result."""

import asyncio
from collections.abc import Sequence

import pytest

from common.gathered import Gathered

EVERY_S = 0.02


class FakeStore:
    """Remembers the batches; answers an item with its upper case, and refuses what begins with '!'."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    async def send(self, items: Sequence[str]) -> list[str | Exception]:
        """One round trip."""
        self.batches.append(list(items))
        return [ValueError(item) if item.startswith("!") else item.upper() for item in items]


def gathered(store: FakeStore) -> Gathered[str, str]:
    """The key of an item is its first letter."""
    return Gathered(store.send, lambda item: item[:1], EVERY_S)


async def test_calls_at_once_share_a_round_trip() -> None:
    """Each gets its own result."""
    store = FakeStore()
    ask = gathered(store)

    assert list(await asyncio.gather(ask("a"), ask("b"), ask("c"))) == ["A", "B", "C"]

    assert store.batches == [["a", "b", "c"]]


async def test_a_call_after_a_quiet_moment_does_not_wait() -> None:
    """A process with little to do adds no delay."""
    ask = gathered(FakeStore())

    async with asyncio.timeout(EVERY_S / 2):
        assert await ask("a") == "A"


async def test_calls_soon_after_one_another_wait_for_the_next_batch() -> None:
    """The second and third go together, one interval after the first."""
    store, loop = FakeStore(), asyncio.get_running_loop()
    ask = gathered(store)
    started_s = loop.time()

    await ask("a")
    await asyncio.gather(ask("b"), ask("c"))

    assert store.batches == [["a"], ["b", "c"]]
    assert loop.time() - started_s >= EVERY_S


async def test_two_items_of_one_key_are_never_in_one_batch() -> None:
    """The later one goes with the next batch."""
    store = FakeStore()
    ask = gathered(store)

    assert list(await asyncio.gather(ask("a1"), ask("b1"), ask("a2"))) == ["A1", "B1", "A2"]

    assert store.batches == [["a1", "b1"], ["a2"]]


async def test_an_error_of_one_item_is_its_own() -> None:
    """The others in its batch get their results."""
    ask = gathered(FakeStore())

    good, bad = await asyncio.gather(ask("a"), ask("!b"), return_exceptions=True)

    assert good == "A"
    assert isinstance(bad, ValueError)


async def test_an_error_of_the_round_trip_is_everybodys() -> None:
    """Nobody waits for ever."""

    async def away(_: Sequence[str]) -> list[str]:
        raise ConnectionError("away")

    ask: Gathered[str, str] = Gathered(away, str, EVERY_S)

    for outcome in await asyncio.gather(ask("a"), ask("b"), return_exceptions=True):
        assert isinstance(outcome, ConnectionError)


async def test_who_gives_up_in_time_takes_the_item_back() -> None:
    """And does not disturb the others."""
    store = FakeStore()
    ask = gathered(store)
    await ask("a")

    given_up = asyncio.create_task(ask("b"))
    kept = asyncio.create_task(ask("c"))
    await asyncio.sleep(0)
    given_up.cancel()

    assert await kept == "C"
    assert store.batches == [["a"], ["c"]]
    with pytest.raises(asyncio.CancelledError):
        await given_up
