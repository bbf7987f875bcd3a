"""Deliveries become turns: in order within a conversation, concurrent across them, and nothing is lost or answered twice."""

import asyncio
from collections.abc import Callable

import orjson
import pytest
from prometheus_client import REGISTRY

from common.errors import InvalidInput, PylotoError, StoreUnavailable, Unauthenticated, Unavailable
from common.mongo import Database
from gateway.batch import MAX_BURST
from gateway.inbound import MAX_BODY_BYTES
from gateway.store import TurnStore
from gateway.turn_record import TurnRecord
from tests.gateway.setting import WAIT_S, body, gateway, until


async def test_a_message_is_answered_and_acknowledged() -> None:
    """In this order."""
    async with gateway() as setting:
        await setting.send("m1")

        reply = await setting.reply()

        assert (reply["text"], reply["in_reply_to"]) == ("resposta a m1", ["m1"])
        await until(lambda: setting.broker.acked == ["m1"])


async def test_messages_of_one_conversation_are_answered_in_order() -> None:
    """Each one once."""
    async with gateway() as setting:
        for number in range(5):
            await setting.send(f"m{number}")
            assert (await setting.reply())["in_reply_to"] == [f"m{number}"]

        await until(lambda: len(setting.broker.acked) == 5)
        assert setting.broker.acked == [f"m{number}" for number in range(5)]


async def test_conversations_do_not_wait_for_one_another() -> None:
    """All of them run at once, on however many partitions they lie."""
    async with gateway() as setting:
        setting.services.hold.clear()
        for number in range(10):
            await setting.send(f"m{number}", conversation=f"c{number}")

        await until(lambda: setting.services.running == 10)
        setting.services.hold.set()

        assert len(await setting.replied(10)) == 10


async def test_no_more_turns_run_at_once_than_allowed() -> None:
    """The rest waits, and is answered."""
    async with gateway(max_turns=3) as setting:
        setting.services.hold.clear()
        for number in range(9):
            await setting.send(f"m{number}", conversation=f"c{number}")
        await until(lambda: setting.services.running == 3)
        setting.services.hold.set()

        assert len(await setting.replied(9)) == 9

        assert setting.services.most_running == 3


async def test_what_waits_while_a_turn_runs_is_answered_together() -> None:
    """One reply for the burst, which names every message."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m1")
        await until(lambda: setting.services.running)
        await setting.send("m2", "m3", "m4")
        setting.services.hold.set()

        first, second = await setting.replied(2)

        assert first["in_reply_to"] == ["m1"]
        assert second["in_reply_to"] == ["m2", "m3", "m4"]
        assert second["text"] == "resposta a m2\nm3\nm4"


async def test_a_burst_has_a_limit() -> None:
    """What is over it is the next turn."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("first")
        await until(lambda: setting.services.running)
        await setting.send(*(f"m{number}" for number in range(MAX_BURST + 1)))
        setting.services.hold.set()

        replies = await setting.replied(3)

        assert [len(list(str(reply["in_reply_to"]).split(","))) for reply in replies] == [1, MAX_BURST, 1]


async def test_a_tap_is_a_turn_of_its_own() -> None:
    """It chooses from the menu that was there, not from what was written around it."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("first")
        await until(lambda: setting.services.running)
        await setting.send("m1", "m2")
        await setting.send("tap", kind="INBOUND_KIND_OPTION", option_id="crm")
        await setting.send("m3")
        setting.services.hold.set()

        replies = await setting.replied(4)

        assert [reply["in_reply_to"] for reply in replies] == [["first"], ["m1", "m2"], ["tap"], ["m3"]]


async def test_a_message_that_is_published_twice_gets_the_same_reply_and_costs_nothing() -> None:
    """The publisher did not hear the confirm; it gets the reply again, under the same id."""
    async with gateway() as setting:
        await setting.send("m1")
        first = await setting.reply()
        await setting.send("m1")
        second = await setting.reply()

        assert second == first
        assert len(setting.services.asked) == 1


async def test_a_duplicate_inside_a_burst_is_not_answered_again() -> None:
    """It gets its old reply, and the new messages a turn of their own."""
    async with gateway() as setting:
        await setting.send("m1")
        first = await setting.reply()
        setting.services.hold.clear()
        await setting.send("m2")
        await until(lambda: setting.services.running)
        await setting.send("m3", "m1", "m4")
        setting.services.hold.set()

        _, repeated, fresh = await setting.replied(3)

        assert repeated["reply_id"] == first["reply_id"]
        assert fresh["in_reply_to"] == ["m3", "m4"]


async def test_a_duplicate_of_a_bursts_second_message_gets_the_bursts_reply() -> None:
    """Every message of a turn leads to it."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m0")
        await until(lambda: setting.services.running)
        await setting.send("m1", "m2")
        setting.services.hold.set()
        _, burst = await setting.replied(2)

        await setting.send("m2")

        assert (await setting.reply())["reply_id"] == burst["reply_id"]


async def test_a_redelivered_turn_is_resumed_as_it_was_grouped() -> None:
    """A replica dies in the middle of a burst; the next one answers the same burst, under the same turn id."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m0")
        await until(lambda: setting.services.running)
        await setting.send("m1", "m2")
        setting.services.hold.set()
        await setting.reply()
        setting.services.hold.clear()
        await until(lambda: [turn for turn in setting.services.asked if turn.message_ids == ("m1", "m2")])

        await setting.broker.close()  # its connection is gone: what is un-acked comes again
        await setting.send("m3")
        other = await setting.another()
        await until(lambda: len(setting.services.asked) >= 3)
        setting.services.hold.set()
        replies = {str(reply["in_reply_to"]): reply for reply in await setting.replied(2)}

        assert set(replies) == {"['m1', 'm2']", "['m3']"}
        grouped = [turn.turn_id for turn in setting.services.asked if "m1" in turn.message_ids]
        assert len(grouped) == 2
        assert len(set(grouped)) == 1
        await other.stop(5)


class AwayAtFirst(TurnStore):
    """A store whose first writes fail."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failures = 3

    async def open(self, turn: TurnRecord) -> bool:
        """Fails at first."""
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("insert turns: away")
        return await super().open(turn)


async def test_while_the_store_is_away_a_turn_is_tried_again_in_place() -> None:
    """Order is kept, and nothing goes to the dead letters."""
    async with gateway(AwayAtFirst) as setting:
        await setting.send("m1")

        assert (await setting.reply())["in_reply_to"] == ["m1"]
        assert await setting.publisher.dead_letters(1) == []


@pytest.mark.parametrize("failure", [Unavailable("DetermineState: away"), Unauthenticated("DetermineState: another token")])
async def test_while_the_fsm_service_is_away_a_turn_is_tried_again_in_place(failure: PylotoError) -> None:
    """As the same turn; also while a new token has not reached every service yet."""
    async with gateway() as setting:
        setting.services.failures = [failure] * 3
        await setting.send("m1")

        await setting.reply()

        assert len({turn.turn_id for turn in setting.services.asked}) == 1
        assert len(setting.services.asked) == 4


def came_again() -> float:
    """The metric: messages that came again after their turn had begun."""
    return REGISTRY.get_sample_value("pyloto_duplicates_suppressed_total") or 0.0


class AnswerLost(TurnStore):
    """A store that takes the first turn, and is gone before it can say so."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lost = False

    async def open(self, turn: TurnRecord) -> bool:
        """Done, and reported as failed, once."""
        opened = await super().open(turn)
        if not self.lost:
            self.lost = True
            raise StoreUnavailable("insert turns: no answer in time")
        return opened


@pytest.mark.parametrize("store", [TurnStore, AnswerLost], ids=["after its opening", "in its opening"])
async def test_a_turn_that_is_tried_again_in_place_is_no_duplicate(store: Callable[[Database], TurnStore]) -> None:
    """Its messages came once, however often the turn was begun."""
    before = came_again()

    async with gateway(store) as setting:
        setting.services.failures = [Unavailable("DetermineState: away")] * 2
        await setting.send("m1")
        await setting.reply()

        assert len(setting.services.asked) == 3
        assert came_again() == before


async def test_a_message_that_is_delivered_again_is_a_duplicate_once_however_often_it_is_tried() -> None:
    """The replica that began its turn lost its connection; the next one needs three attempts."""
    async with gateway() as setting:
        before = came_again()
        setting.services.hold.clear()
        await setting.send("m1")
        await until(lambda: setting.services.running)
        setting.services.failures = [Unavailable("DetermineState: away")] * 2

        await setting.broker.close()  # its connection is gone: what is un-acked comes again
        other = await setting.another()
        await until(lambda: len(setting.services.asked) == 4)
        setting.services.hold.set()
        await setting.reply()

        assert came_again() == before + 1
        await other.stop(5)


async def test_each_copy_of_a_message_that_is_published_twice_counts_as_a_duplicate() -> None:
    """Whether it comes when the first is answered, or waits for its turn beside it."""
    async with gateway() as setting:
        before = came_again()
        setting.services.hold.clear()
        await setting.send("m1")
        await until(lambda: setting.services.running)
        await setting.send("m1", "m2", "m2")
        setting.services.hold.set()
        replies = await setting.replied(3)

        assert [reply["in_reply_to"] for reply in replies] == [["m1"], ["m1"], ["m2"]]
        await until(lambda: came_again() == before + 2)


async def test_an_unexpected_error_goes_to_the_dead_letters_after_three_attempts() -> None:
    """With the reason, and without what the error said, which may be personal."""
    async with gateway() as setting:
        setting.services.failures = [RuntimeError("Ana 123.456.789-09")] * 3
        await setting.send("m1")

        letter = await setting.dead_letter()

        assert letter.reason == "internal error: RuntimeError"
        assert letter.message_id == "m1"
        assert len(setting.services.asked) == 3
        assert setting.broker.acked == ["m1"]


async def test_a_message_that_is_set_aside_is_told_as_an_event_without_its_words() -> None:
    """The field at fault and a pseudonym; the reason stays with the letter, since it may quote the customer."""
    async with gateway() as setting:
        await setting.send("m1", published_at_ms=1_764_000_000)
        letter = await setting.dead_letter()
        event = await setting.events.next(timeout_s=WAIT_S)

        assert letter.reason.startswith("published_at_ms: expected a whole number of Unix milliseconds")
        assert event.routing_key == "dead.lettered"
        told = orjson.loads(event.body)
        assert (told["type"], told["reason"], told["message_count"]) == ("dead_lettered", "published_at_ms", 1)
        assert told["conversation_key"]
        assert "ana" not in told["conversation_key"]


async def test_an_id_that_another_conversation_has_used_is_set_aside_and_never_answered_with_its_reply() -> None:
    """Some messengers count per chat. What came with it in the same burst is answered."""
    async with gateway() as setting:
        await setting.send("17", conversation="ana")
        assert (await setting.reply())["conversation_id"] == "ana"
        setting.services.hold.clear()
        await setting.send("b1", "17", "b2", conversation="bia")
        setting.services.hold.set()

        letter = await setting.dead_letter()
        answered = await setting.replied(2)

        assert letter.reason == "message_id: expected one that no other conversation of the channel has used"
        assert letter.message_id == "17"
        assert {reply["conversation_id"] for reply in answered} == {"bia"}
        assert [reply["in_reply_to"] for reply in answered] == [["b1"], ["b2"]]


async def test_one_bad_message_does_not_take_its_burst_along() -> None:
    """Together they were refused; one by one only one is."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m0")
        await until(lambda: setting.services.running == 1)
        setting.services.failures = [InvalidInput("text", "is strange")] * 2
        await setting.send("m1", "m2")
        setting.services.hold.set()

        letter = await setting.dead_letter()

        assert letter.message_id == "m1"
        assert [reply["in_reply_to"] for reply in await setting.replied(2)] == [["m0"], ["m1", "m2"]]


async def test_one_bad_turn_does_not_hold_up_the_conversation() -> None:
    """The next message is answered."""
    async with gateway() as setting:
        setting.services.failures = [RuntimeError("x")] * 3
        await setting.send("m1")
        await setting.dead_letter()
        await setting.send("m2")

        assert (await setting.reply())["in_reply_to"] == ["m2"]


async def test_what_a_service_refuses_as_wrong_is_not_tried_again() -> None:
    """The reason names the field."""
    async with gateway() as setting:
        setting.services.failures = [InvalidInput("text", "is strange")]
        await setting.send("m1")

        assert (await setting.dead_letter()).reason == "text: is strange"
        assert len(setting.services.asked) == 1


@pytest.mark.parametrize(
    ("raw", "content_type", "reason"),
    [
        (b"\xff\xfe", "application/json", "body: expected JSON in UTF-8"),
        (b'{"text": "oi"}', "application/json", "channel: is required"),
        (body("m", text="x" * 1_000_000), "application/json", f"body: expected at most {MAX_BODY_BYTES} bytes"),
        (body("m"), "text/html", "content_type: expected application/json"),
        (body("m", kind="INBOUND_KIND_SMELL"), "application/json", "kind: expected one of INBOUND_KIND_UNSPECIFIED"),
        (body("m", channel="telegram"), "application/json", "channel: expected one of console"),
    ],
    ids=["undecodable", "missing field", "1 MB", "content type", "enum", "channel"],
)
async def test_an_invalid_message_goes_to_the_dead_letters_with_its_reason(raw: bytes, content_type: str, reason: str) -> None:
    """And what comes after it is answered."""
    async with gateway() as setting:
        await setting.send_raw(raw, "bad", content_type=content_type)
        await setting.send("good")

        assert (await setting.dead_letter()).reason.startswith(reason)
        assert (await setting.reply())["in_reply_to"] == ["good"]


@pytest.mark.parametrize("text", ["", "😀😀"])
async def test_a_message_without_words_is_answered_like_any_other(text: str) -> None:
    """It blocks nothing."""
    async with gateway() as setting:
        await setting.send("m1", text=text)

        assert (await setting.reply())["in_reply_to"] == ["m1"]


async def test_a_stop_lets_running_turns_finish_and_starts_nothing_new() -> None:
    """What waits is not acknowledged: the next replica gets it, in order."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m1")
        await until(lambda: setting.services.running)
        await setting.send("m2", "m3")

        stopping = asyncio.create_task(setting.stop())
        await setting.broker.paused.wait()
        setting.services.hold.set()
        await stopping

        assert (await setting.reply())["in_reply_to"] == ["m1"]
        assert setting.broker.acked == ["m1"]
        other = await setting.another()
        assert (await setting.reply())["in_reply_to"] in (["m2"], ["m2", "m3"])
        await other.stop(5)


async def test_a_turn_that_does_not_end_within_the_drain_is_left_for_the_next_replica() -> None:
    """It is not acknowledged, and answered later, once."""
    async with gateway() as setting:
        setting.services.hold.clear()
        await setting.send("m1")
        await until(lambda: setting.services.running)

        await setting.stop(drain_s=0.05)

        assert setting.broker.acked == []
        setting.services.hold.set()
        other = await setting.another()
        assert (await setting.reply())["in_reply_to"] == ["m1"]
        await other.stop(5)


async def test_a_turn_that_waited_for_a_slot_is_not_begun_while_stopping() -> None:
    """It would hold the stop up."""
    async with gateway(max_turns=1) as setting:
        setting.services.hold.clear()
        await setting.send("m1", conversation="c1")
        await until(lambda: setting.services.running)
        await setting.send("m2", conversation="c2")

        stopping = asyncio.create_task(setting.stop())
        await setting.broker.paused.wait()
        setting.services.hold.set()
        await stopping

        assert [turn.message_ids for turn in setting.services.asked] == [("m1",)]
