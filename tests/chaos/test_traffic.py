"""The customers write as fast as they are told to, each in order, and the same again from the same seed."""

import itertools
from collections import defaultdict

import pytest

from bench.chaos.traffic import messages


@pytest.mark.parametrize("rate", [5.0, 30.0, 160.0])
def test_the_rate_is_the_one_that_was_asked_for(rate: float) -> None:
    """Bursts and all; time does not run backwards."""
    written = list(itertools.islice(messages(1, rate, "t"), 3_000))

    took_s = sum(message.after_s for message in written)
    assert 3_000 / took_s == pytest.approx(rate, rel=0.05)
    assert min(message.after_s for message in written) >= 0


def test_a_conversation_writes_in_its_order_and_repeats_what_it_wrote_before() -> None:
    """Numbers without a gap; an earlier message that is published once more was published."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    known: set[str] = set()

    for message in itertools.islice(messages(2, 30.0, "t"), 5_000):
        numbers[message.conversation_id].append(message.number)
        assert message.repeats in known | {""}
        known.add(message.message_id)

    assert all(of_one == list(range(len(of_one))) for of_one in numbers.values())
    assert len(known) == 5_000


def test_the_same_seed_gives_the_same_messages() -> None:
    """Another one gives others."""
    first, again, other = (list(itertools.islice(messages(seed, 30.0, "t"), 200)) for seed in (7, 7, 8))

    assert first == again
    assert first != other
