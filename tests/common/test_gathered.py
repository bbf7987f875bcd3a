"""Calls that come close together share a round trip; each caller gets its own result."""

import asyncio
from collections.abc import Sequence

import pytest

from common.gathered import Gathered

PATIENCE_S = 60.0


class FakeStore:
    """Remembers the batches; answers an item with its upper case, and refuses what begins with '!'."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.answers = asyncio.Event()
        """While it is not set, round trips hang."""
        self.answers.set()

    async def send(self, items: Sequence[str]) -> list[str | Exception]:
        """One round trip."""
        self.batches.append(list(items))
        await self.answers.wait()
        return [ValueError(item) if item.startswith("!") else item.upper() for item in items]


def gathered(store: FakeStore, patience_s: float = PATIENCE_S) -> Gathered[str, str]:
    """The key of an item is its first letter."""
    return Gathered(store.send, lambda item: item[:1], patience_s)


async def _turns_of_the_loop() -> None:
    """Long enough for everything that waits for nothing outside."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_calls_at_once_share_a_round_trip() -> None:
    """Each gets its own result."""
    store = FakeStore()
    ask = gathered(store)

    assert list(await asyncio.gather(ask("a"), ask("b"), ask("c"))) == ["A", "B", "C"]

    assert store.batches == [["a", "b", "c"]]


async def test_what_is_asked_while_a_round_trip_is_under_way_goes_together_when_it_is_back() -> None:
    """The first does not wait for company."""
    store = FakeStore()
    store.answers.clear()
    ask = gathered(store)

    asked = [asyncio.create_task(ask("a"))]
    await _turns_of_the_loop()
    asked += [asyncio.create_task(ask(item)) for item in ("b", "c")]
    await _turns_of_the_loop()
    assert store.batches == [["a"]]
    store.answers.set()

    assert list(await asyncio.gather(*asked)) == ["A", "B", "C"]
    assert store.batches == [["a"], ["b", "c"]]


async def test_a_round_trip_that_hangs_holds_nobody_up_for_long() -> None:
    """After the patience the next one leaves beside it."""
    store = FakeStore()
    store.answers.clear()
    ask = gathered(store, patience_s=0.01)
    hanging = asyncio.create_task(ask("a"))
    await _turns_of_the_loop()
    store.answers, stuck = asyncio.Event(), store.answers
    store.answers.set()

    async with asyncio.timeout(5):
        assert await ask("b") == "B"

    assert not hanging.done()
    stuck.set()
    assert await hanging == "A"


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

    ask: Gathered[str, str] = Gathered(away, str, PATIENCE_S)

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
