"""One computation per key: what is paid for once is not paid for twice, whoever gives up meanwhile."""

import asyncio

import pytest

from common.single_flight import SingleFlight


class Computation:
    """Counts how often it was started, and ends when it is let go."""

    def __init__(self) -> None:
        self.started = 0
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self) -> str:
        self.started += 1
        self.begun.set()
        await self.let_go.wait()
        return f"result {self.started}"


async def test_a_second_call_joins_the_one_that_runs() -> None:
    """Both get the one result."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()

    first = asyncio.create_task(flight.run("turn", computation))
    second = asyncio.create_task(flight.run("turn", computation))
    await computation.begun.wait()
    computation.let_go.set()

    assert (await first, await second) == ("result 1", "result 1")


async def test_a_later_call_gets_what_the_first_gave() -> None:
    """Also when the store could not keep it."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()
    computation.let_go.set()
    await flight.run("turn", computation)

    assert await flight.run("turn", computation) == "result 1"
    assert computation.started == 1


async def test_other_keys_are_other_computations() -> None:
    """Turns do not wait for one another."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()
    computation.let_go.set()

    await asyncio.gather(flight.run("one", computation), flight.run("two", computation))

    assert computation.started == 2


async def test_a_caller_who_gives_up_does_not_stop_the_computation() -> None:
    """The answer that was paid for is there when the caller comes back."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()
    caller = asyncio.create_task(flight.run("turn", computation))
    await computation.begun.wait()

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    computation.let_go.set()

    assert await flight.run("turn", computation) == "result 1"


async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    """The next call tries again."""
    flight: SingleFlight[str] = SingleFlight()
    calls = 0

    async def fails_first() -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("away")
        return "back"

    with pytest.raises(ValueError, match="away"):
        await flight.run("turn", fails_first)

    assert await flight.run("turn", fails_first) == "back"


async def test_a_failure_that_nobody_waits_for_makes_no_noise() -> None:
    """A caller who left is not an error of ours (warnings are errors here)."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()

    async def fails() -> str:
        await computation()
        raise ValueError("too late")

    caller = asyncio.create_task(flight.run("turn", fails))
    await computation.begun.wait()
    caller.cancel()
    computation.let_go.set()
    await flight.drain()

    assert caller.cancelled() or caller.cancelling()


async def test_results_are_forgotten_oldest_first() -> None:
    """Memory is bounded; the store is the lasting truth."""
    flight: SingleFlight[str] = SingleFlight(keep=2)
    computation = Computation()
    computation.let_go.set()

    for key in ("one", "two", "three", "one"):
        await flight.run(key, computation)

    assert computation.started == 4


async def test_drain_waits_for_what_callers_gave_up_on() -> None:
    """A graceful stop keeps what was paid for."""
    flight: SingleFlight[str] = SingleFlight()
    computation = Computation()
    caller = asyncio.create_task(flight.run("turn", computation))
    await computation.begun.wait()
    caller.cancel()

    draining = asyncio.create_task(flight.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    computation.let_go.set()
    await draining

    assert await flight.run("turn", computation) == "result 1"
