"""The store goes away between the writes that open a turn: none of its messages is answered by another turn as well."""

from common.errors import StoreUnavailable
from common.mongo import Database
from gateway.inbound import JSON, Inbound
from gateway.store import TurnStore, turn_to_document
from gateway.turn_record import SavedAnswer, TurnRecord, open_turn
from protos.conversation.v1 import messages_pb2 as pb
from tests.gateway.setting import gateway, until


class AwayInBetween(TurnStore):
    """Takes the turn of the first burst, and is away before its further messages can be claimed."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failed = False

    async def open(self, turn: TurnRecord) -> bool:
        """Fails half-way, once."""
        if len(turn.message_keys) > 1 and not self.failed:
            self.failed = True
            await self._turns.insert(turn_to_document(turn))
            raise StoreUnavailable("insert turns: away")
        return await super().open(turn)


async def test_of_two_answers_to_one_turn_the_first_is_kept() -> None:
    """Two replicas may compute one; both send the same."""
    async with gateway() as setting:
        turn = open_turn([Inbound("m1", "ana", "console", "1", "", "oi", "", "", 0)], JSON, 1)
        first = SavedAnswer(pb.OutboundMessage(reply_id="reply-1", text="um"), None, (), b"")
        second = SavedAnswer(pb.OutboundMessage(reply_id="reply-1", text="dois"), None, (), b"")

        assert await setting.store.open(turn)
        assert await setting.store.save_answer(turn, first) == first
        assert await setting.store.save_answer(turn, second) == first

        assert (await setting.store.turns_of([turn.key]))[turn.key].answer == first


async def test_a_message_that_was_grouped_but_not_yet_claimed_stays_in_its_turn() -> None:
    """The burst is answered once, and a repetition of its second message gets the same reply."""
    async with gateway(AwayInBetween) as setting:
        setting.services.hold.clear()
        await setting.send("m0")
        await until(lambda: setting.services.running)
        await setting.send("m1", "m2")
        setting.services.hold.set()
        _, burst = await setting.replied(2)

        await setting.send("m2")
        repeated = await setting.reply()

        assert burst["in_reply_to"] == ["m1", "m2"]
        assert repeated["reply_id"] == burst["reply_id"]
