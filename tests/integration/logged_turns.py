"""Sends messages full of personal data through the whole system, and logs to stdout: a process of its own for test_logs.

(structlog keeps a logger's stream from its first use on, so a test among others cannot have one of its own.)
"""

import asyncio
import sys

from common import observability
from common.settings import Settings
from simulator.config import Behaviour, Fault, SimulatorConfig
from tests.integration.whole import Whole, whole

PHONE, CPF, EMAIL, NAME = "5511987654321", "123.456.789-09", "ana.maria@exemplo.com.br", "Ana Maria Quitéria"
TEXT = f"sou {NAME}, cpf {CPF}, fone +55 (11) 98765-4321, {EMAIL}. vocês fazem entrega na zona sul?"
CONFIGS = (
    SimulatorConfig(),
    SimulatorConfig(default=Behaviour(rates={Fault.OVERLAY: 1.0}, overlay={"text": "Custa R$ 25,00.", "intent": TEXT[:60]})),
    *(SimulatorConfig(default=Behaviour(rates={fault: 1.0})) for fault in (Fault.NOT_JSON, Fault.REFUSAL, Fault.SERVER_ERROR)),
)


async def converse(system: Whole, number: int) -> None:
    """Personal data in every field; one message is not valid."""
    await system.send(
        f"{number}: {TEXT}",
        message_id=f"{number}.{PHONE}",
        conversation_id=f"whatsapp:{PHONE}",
        sender_id=PHONE,
        sender_name=NAME,
    )
    await system.reply()
    await system.send(TEXT, message_id=f"not-valid-{number}", kind=TEXT)
    await system.send(
        f"{TEXT} {number}", message_id=f"{number}", conversation_id=f"{EMAIL}/{number}", sender_name=f"{EMAIL} {CPF}"
    )
    await system.reply()


async def main() -> None:
    """One conversation per way in which the model can behave."""
    observability.setup("test", Settings.model_validate({"log_level": "debug"}), sys.stdout)
    async with whole() as system:
        for number, config in enumerate(CONFIGS):
            for model in system.models.values():
                model.config = config
            await converse(system, number)


if __name__ == "__main__":
    asyncio.run(main())
