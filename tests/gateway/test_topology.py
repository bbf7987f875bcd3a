"""The broker's names and arguments, by themselves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.gateway import topology
from gateway.settings import GatewaySettings
from gateway.topology import Queue, Topology, by_priority, priority, topic_matches

OLD, NEW = (3, 10, 8), (4, 1, 0)


def queue(name: str) -> Queue:
    """A queue of the default topology."""
    return next(each for each in Topology().queues() if each.name == name)


def test_a_partition_keeps_order_and_loses_nothing() -> None:
    """One active consumer, bounded returns, dead letters that are confirmed, and refusal instead of dropping."""
    arguments = queue("pyloto.inbound.0").arguments(OLD)

    assert arguments == {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": 20,
        "x-max-length": 100_000,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "pyloto.dead",
        "x-dead-letter-strategy": "at-least-once",
    }


def test_the_limits_of_the_queues_are_settings() -> None:
    """Left alone, they are what the adapters' contract says."""
    limits = {"gateway_partition_max_length": 7, "gateway_outbound_max_length": 70}

    queues = {each.name: each.max_length for each in topology(GatewaySettings.model_validate(limits)).queues()}

    assert (queues["pyloto.inbound.15"], queues["pyloto.outbound.whatsapp"]) == (7, 70)
    assert topology(GatewaySettings()) == Topology()


def test_a_server_before_3_10_is_not_asked_for_what_it_refuses() -> None:
    """It dead-letters at most once."""
    assert "x-dead-letter-strategy" not in queue("pyloto.inbound.0").arguments((3, 9, 0))


@pytest.mark.parametrize("name", ["pyloto.dead-letters", "pyloto.escalations.attendants", "pyloto.outbound.whatsapp"])
def test_no_queue_has_the_limit_of_returns_that_drops_messages(name: str) -> None:
    """RabbitMQ 4 drops after 20 returns where no dead-letter exchange is set, unless told -1; 3.x reads -1 as 0."""
    assert queue(name).arguments(NEW)["x-delivery-limit"] == -1
    assert "x-delivery-limit" not in queue(name).arguments(OLD)


def test_what_a_terminal_does_not_read_is_forgotten() -> None:
    """Replies to a chat that was closed do not fill the broker."""
    arguments = queue("pyloto.outbound.console").arguments(OLD)

    assert arguments["x-message-ttl"] == 3_600_000
    assert "x-overflow" not in arguments


def test_every_name_begins_with_the_namespace() -> None:
    """Two systems on one virtual host do not meet."""
    topology = Topology("staging")

    names = [exchange.name for exchange in topology.exchanges()] + [queue.name for queue in topology.queues()]
    assert all(name.startswith("staging.") for name in names)


@given(st.integers(0, 500))
def test_a_partition_is_found_by_its_queue(partition: int) -> None:
    """And other queues are no partition."""
    topology = Topology("a.b")

    assert topology.partition_of(topology.partition_queue(partition)) == partition
    assert topology.partition_of(topology.outbound_queue(str(partition))) is None


def test_replicas_want_about_equally_many_partitions() -> None:
    """Over many partitions, the highest priority is spread over the replicas."""
    replicas = ["one", "two", "three", "four"]

    winners = Counter(max(replicas, key=lambda replica: priority(partition, replica)) for partition in range(400))

    assert min(winners[replica] for replica in replicas) > 70


def test_a_replica_subscribes_to_each_partition_most_wanted_first() -> None:
    """The order is its own, and complete."""
    order = by_priority(16, "one")

    assert sorted(order) == list(range(16))
    assert order != by_priority(16, "two")
    assert priority(order[0], "one") >= priority(order[-1], "one")


@pytest.mark.parametrize(
    ("binding", "key", "matches"),
    [
        ("whatsapp", "whatsapp", True),
        ("whatsapp", "console", False),
        ("#", "", True),
        ("#", "a.b.c", True),
        ("*", "a", True),
        ("*", "a.b", False),
        ("a.*.c", "a.b.c", True),
        ("a.#", "a", True),
        ("#.c", "a.b.c", True),
        ("a.#.c", "a.c", True),
        ("a.*", "a", False),
    ],
)
def test_topic_bindings_match_as_in_amqp(binding: str, key: str, matches: bool) -> None:
    """`*` stands for one word, `#` for any number."""
    assert topic_matches(binding, key) is matches
