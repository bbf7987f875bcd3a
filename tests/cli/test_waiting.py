"""`pyloto waiting`: who waits for a person, from the real store."""

import asyncio
import json
import time
from dataclasses import replace

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.waiting import app
from common import mongo
from common.settings import StoreSettings
from common.taxonomy import State, Vertente
from fsm_service.session import Session
from fsm_service.store import SessionStore
from tests.store import embedded_url


def session(conversation: str, minutes: float, said: str) -> Session:
    """Handed over so many minutes ago."""
    at_ms = int((time.time() - minutes * 60) * 1000)
    new = Session(conversation, f"s-{conversation}", 1, "whatsapp", at_ms, at_ms, state=State.AWAITING_USER)
    moved = new.moved(State.ESCALATING, trigger="incident", turn_id="t", at_ms=at_ms)
    return replace(moved, vertente=Vertente.ENTREGA).with_exchange(said, "Uma pessoa continua daqui.")


@pytest.fixture
def mongodb() -> str:
    """A store in which two wait for a person and one does not."""
    waits = session("whatsapp:1", 12, "meu pedido sumiu, ligue 41 99999-0000")
    waits_longer = session("whatsapp:2", 190, "cadê?")
    answered = replace(session("whatsapp:3", 500, "obrigado"), state=State.COMPLETED)

    async def write() -> None:
        async with mongo.connect(StoreSettings(mongodb_url=SecretStr(embedded_url())), "fsm") as database:
            store = SessionStore(database)
            await store.prepare()
            for each in (waits, waits_longer, answered):
                await mongo.Documents(database, "sessions").delete(each.conversation_id)
                await store.save(each)

    asyncio.run(write())
    return embedded_url()


def listed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_longest_wait_comes_first(mongodb: str) -> None:
    """With since when, why, about what, and the last words without personal data."""
    lines = listed("--mongodb", mongodb)

    assert lines.index("whatsapp:2  espera há 3 h 10 min") < lines.index("whatsapp:1  espera há 12 min")
    assert "ocorrência · ENTREGA" in lines
    assert "meu pedido sumiu" in lines
    assert "99999" not in lines
    assert "whatsapp:3" not in lines


def test_only_who_has_waited_for_long(mongodb: str) -> None:
    """For who looks after the desk; as JSON for machines."""
    items = [json.loads(line) for line in listed("--mongodb", mongodb, "--longer-than", "60", "--json").splitlines()]

    assert [item["conversation"] for item in items] == ["whatsapp:2"]
    assert items[0]["reason"] == "incident"


def test_personal_data_is_shown_when_asked_for(mongodb: str) -> None:
    """An attendant may need the number."""
    assert "41 99999-0000" in listed("--mongodb", mongodb, "--unmask")
