"""What a message gets that has waited: no model when there is no time for it, and few turns at a time when many wait."""

import asyncio
import time

import pytest
from prometheus_client import REGISTRY

from gateway.consumer import LATE_TURNS
from tests.gateway.setting import gateway, until


async def test_what_waited_too_long_for_a_model_is_answered_without_one() -> None:
    """A backlog is worked off at the pace of the deterministic path; a fresh message gets the model again."""
    async with gateway() as setting:
        now_ms = int(time.time() * 1000)

        await setting.send("late", published_at_ms=now_ms - 5_000)
        await setting.reply()
        await setting.send("fresh", published_at_ms=int(time.time() * 1000))
        await setting.reply()

        assert setting.services.without_model == [True, False]


async def test_what_is_answered_without_a_model_but_in_time_waits_for_nothing_past_its_deadline() -> None:
    """A service that hangs must not make it late: here 0.9 seconds are left, and the canonical text is said within them."""
    async with gateway() as setting:
        await setting.send("waited", published_at_ms=int(time.time() * 1000) - 1_900)
        await setting.reply()

        assert setting.services.without_model == [True]
        assert setting.services.word_until[0].remaining_s() < 0.9


@pytest.mark.parametrize("turn_takes_s", [0.0, 1.4])
async def test_while_turns_take_longer_than_a_message_has_left_it_is_answered_without_a_model(turn_takes_s: float) -> None:
    """No call is paid for that would be thrown away; here 1.3 seconds are left."""
    async with gateway() as setting:
        setting.services.hold.clear()
        asyncio.get_running_loop().call_later(turn_takes_s, setting.services.hold.set)
        await setting.send("usual")
        await setting.reply()

        await setting.send("waited", published_at_ms=int(time.time() * 1000) - 1_500)
        await setting.reply()

        assert setting.services.without_model == [False, turn_takes_s > 1.3]


async def test_when_late_turns_queue_they_are_answered_at_the_lowest_cost() -> None:
    """In the canonical words, without the two later services; and nobody gets the model before them."""
    async with gateway() as setting:
        setting.services.hold.clear()
        long_ago_ms = int(time.time() * 1000) - 5_000
        for number in range(60):
            await setting.send(f"late{number}", conversation=f"c{number}", published_at_ms=long_ago_ms)
        await until(lambda: setting.services.running == LATE_TURNS)
        await setting.send("fresh", conversation="fresh", published_at_ms=int(time.time() * 1000))
        setting.services.hold.set()
        replies = await setting.replied(61)

        assert setting.services.most_running == LATE_TURNS
        assert setting.services.without_model == [True] * 61
        canonical = [reply for reply in replies if not str(reply["text"]).startswith("resposta a")]
        assert len(canonical) > 30
        assert all(reply["fallback"] for reply in canonical)


async def test_as_soon_as_the_queue_is_short_the_model_is_asked_again() -> None:
    """Or what began with one bad moment would go on for as long as messages come."""
    async with gateway(max_turns=4 * LATE_TURNS) as setting:
        services = setting.services
        services.hold.clear()
        now_ms, before = int(time.time() * 1000), _in_flight()
        for number in range(2 * LATE_TURNS):
            await setting.send(f"late{number}", conversation=f"l{number}", published_at_ms=now_ms - 5_000)
        await until(lambda: _in_flight() == before + 2 * LATE_TURNS)
        for number in range(LATE_TURNS):
            await setting.send(f"fresh{number}", conversation=f"f{number}", published_at_ms=now_ms)
        await until(lambda: _in_flight() == before + 3 * LATE_TURNS)
        running, services.hold = services.hold, asyncio.Event()
        running.set()
        await until(lambda: len(services.asked) == 2 * LATE_TURNS)
        running, services.hold = services.hold, asyncio.Event()
        running.set()
        await until(lambda: len(services.asked) == 3 * LATE_TURNS)

        await setting.send("after", conversation="after", published_at_ms=int(time.time() * 1000))
        await until(lambda: len(services.asked) == 3 * LATE_TURNS + 1)
        services.hold.set()
        await setting.replied(3 * LATE_TURNS + 1)

        assert services.without_model == [True] * 3 * LATE_TURNS + [False]


async def test_after_a_turn_that_took_very_long_the_model_is_soon_asked_again() -> None:
    """An outage of the store says nothing about the next hour."""
    async with gateway() as setting:
        setting.services.hold.clear()
        asyncio.get_running_loop().call_later(3.2, setting.services.hold.set)
        await setting.send("outage")
        await setting.reply()

        for number in range(2):
            await setting.send(f"m{number}", published_at_ms=int(time.time() * 1000))
            await setting.reply()

        assert setting.services.without_model[-1] is False


def _in_flight() -> float:
    """Turns that a gateway of this process works on."""
    return REGISTRY.get_sample_value("pyloto_turns_in_flight") or 0.0
