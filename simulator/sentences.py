"""Harmless Portuguese text for generated string fields: no price, no promise, no name."""

SENTENCES = (
    "Certo, vou te ajudar com isso.",
    "Obrigado pela mensagem! Como posso ajudar?",
    "Entendi o que você precisa.",
    "Posso explicar como a Pyloto funciona.",
    "Me conta um pouco mais sobre o que você procura?",
    "Vou encaminhar isso para a nossa equipe.",
    "Que bom falar com você!",
    "Anotado por aqui.",
    "Você quer saber mais sobre qual das nossas áreas?",
    "Estou à disposição para tirar dúvidas.",
)

FORMATS = {
    "date-time": "2026-01-15T12:00:00Z",
    "date": "2026-01-15",
    "time": "12:00:00Z",
    "duration": "PT1M",
    "email": "pessoa@exemplo.com.br",
    "hostname": "exemplo.com.br",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://exemplo.com.br/",
}


def text(choice: int, shortest: int = 0, longest: int | None = None) -> str:
    """A sentence by number, of a length within the limits."""
    sentence = SENTENCES[choice % len(SENTENCES)]
    while len(sentence) < shortest:
        sentence += " " + SENTENCES[choice % len(SENTENCES)]
    return sentence if longest is None else sentence[:longest]
