"""The form of a reply, as callers of the message-type service get it."""

import time
from dataclasses import replace

import pytest
from pydantic import JsonValue

from common.deadline import Deadline
from common.errors import InvalidInput, Unavailable
from common.taxonomy import Action
from protos.conversation.v1 import conversation_pb2 as pb
from protos.msgtype.v1 import msgtype_pb2
from simulator.config import Behaviour, Fault, SimulatorConfig
from simulator.server import Simulator
from tests.institution import shipped
from tests.msgtype_service.test_form import TURN
from tests.services import msgtype_service
from tests.store import nowhere_url

MENU = shipped().menus["principal"]


def proposing(**fields: JsonValue) -> Simulator:
    """The model proposes these fields."""
    return Simulator(SimulatorConfig(default=Behaviour(rates={Fault.OVERLAY: 1.0}, overlay=fields)))


async def test_without_a_model_the_menu_of_the_documents_is_chosen() -> None:
    """With every option as it was written."""
    async with msgtype_service() as service:
        response = await service.select(TURN)

    assert response.kind == pb.MESSAGE_KIND_LIST
    assert [option.id for option in response.options] == [option.id for option in MENU.options]
    assert response.provenance.source == pb.SOURCE_FALLBACK


async def test_a_proposal_from_the_catalogue_is_taken() -> None:
    """The model picks, the documents say the words."""
    site = shipped().media["site"]
    async with msgtype_service(proposing(kind="CTA_URL", media_id="site")) as service:
        response = await service.select(TURN)

    assert response.kind == pb.MESSAGE_KIND_CTA_URL
    assert (response.media.url, response.media.title) == (site.url, site.title)
    assert response.provenance.source == pb.SOURCE_MODEL


async def test_an_address_that_a_model_invents_never_leaves() -> None:
    """Plain text goes out."""
    async with msgtype_service(proposing(kind="IMAGE", media_id="https://evil.example/x.jpg")) as service:
        response = await service.select(TURN)

    assert response.kind == pb.MESSAGE_KIND_TEXT
    assert not response.HasField("media")


async def test_an_option_that_a_model_invents_never_leaves() -> None:
    """The rest of the menu does."""
    proposal = proposing(kind="LIST", menu_id="principal", option_ids=["gratis", MENU.options[0].id])
    async with msgtype_service(proposal) as service:
        response = await service.select(TURN)

    assert [option.id for option in response.options] == [MENU.options[0].id]


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.SERVER_ERROR, Fault.CUT_JSON, Fault.REFUSAL])
async def test_when_the_model_fails_the_documents_menu_is_chosen_in_time(fault: Fault) -> None:
    """Within the caller's deadline."""
    async with msgtype_service(Simulator(SimulatorConfig(default=Behaviour(rates={fault: 1.0})))) as service:
        started_s = time.monotonic()
        response = await service.select(TURN, within_s=1.0)
        took_s = time.monotonic() - started_s

    assert response.menu_id == MENU.id
    assert took_s < 1.0


async def test_a_repeated_turn_gets_the_stored_form_and_costs_nothing() -> None:
    """With options and media as they were."""
    simulator = Simulator()
    async with msgtype_service(simulator) as service:
        first = await service.select(TURN)
        second = await service.select(TURN)

    assert simulator.stats.calls == 1
    assert (first.repeated_call, second.repeated_call) == (False, True)
    assert (first.kind, list(first.options), first.button_label) == (second.kind, list(second.options), second.button_label)


async def test_no_model_is_asked_where_only_text_fits() -> None:
    """A hand-off has no menu."""
    simulator = Simulator()
    async with msgtype_service(simulator) as service:
        response = await service.select(replace(TURN, determination=replace(TURN.determination, action=Action.HAND_OFF)))

    assert response.kind == pb.MESSAGE_KIND_TEXT
    assert simulator.stats.calls == 0


async def test_bad_input_names_the_field() -> None:
    """By its path in the request."""
    async with msgtype_service() as service:
        with pytest.raises(InvalidInput) as refused:
            await service.caller.call(
                service.stub.SelectMessageType,
                msgtype_pb2.SelectMessageTypeRequest(),
                deadline=Deadline.after(5),
                name="SelectMessageType",
            )

    assert refused.value.field == "turn.turn_id"


async def test_without_its_store_the_service_is_unavailable() -> None:
    """The gateway then sends plain text."""
    async with msgtype_service(mongodb_url=nowhere_url(), mongodb_timeout_s=0.1) as service:
        with pytest.raises(Unavailable, match="forms"):
            await service.select(TURN)
