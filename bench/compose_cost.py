"""What composing one reply costs: `python -m bench.compose_cost`."""

import time

from common.taxonomy import MessageKind
from gateway.channel_limits import WHATSAPP
from gateway.compose import Choice, Form, compose

TEXT = "Sim, isso é com a Pyloto Entrega: intermediamos entregas locais. " * 4
CHOICES = tuple(Choice(f"opcao-{number}", f"Opção {number}", "Uma descrição curta") for number in range(8))
CASES = {
    "text": (TEXT, Form()),
    "list of 8": (TEXT, Form(MessageKind.LIST, CHOICES, "Ver opções")),
    "buttons that become numbered text": (TEXT, Form(MessageKind.BUTTON, (*CHOICES, *CHOICES))),
    "text of 16,000 characters": (TEXT * 62, Form()),
}
ROUNDS = 2_000


def main() -> None:
    """Print microseconds of CPU per reply for each case."""
    for name, (text, form) in CASES.items():
        started_s = time.process_time()
        for _ in range(ROUNDS):
            compose(text, form, WHATSAPP)
        print(f"{name:35} {(time.process_time() - started_s) / ROUNDS * 1e6:8.1f} µs")


if __name__ == "__main__":
    main()
