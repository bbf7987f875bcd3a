"""`pyloto waiting`: the conversations that a person has, for attendants and who looks after their desk (in Portuguese)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text

from cli.stores import DEFAULT_MONGODB, open_stores
from cli.terminal import moment, out, print_json
from common.masking import mask_text
from fsm_service.session import Session
from gateway.outbound import REASONS

EPILOG = """Examples (`pyloto up` prints the address):

pyloto waiting --mongodb mongodb://127.0.0.1:27017

pyloto waiting --longer-than 30                         those who have waited for more than half an hour

pyloto waiting --json | jq -r .conversation

pyloto resolve whatsapp:5511999990000 --close --attendant ana
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One conversation that a person has; times in Unix milliseconds, `reason` as in the hand-off."""

    conversation: str
    since_ms: int
    last_news_ms: int
    reason: str
    vertente: str
    said: str

    def as_json(self) -> dict[str, object]:
        """For machines."""
        return {
            "conversation": self.conversation,
            "since_ms": self.since_ms,
            "last_news_ms": self.last_news_ms,
            "reason": self.reason,
            "vertente": self.vertente,
            "said": self.said,
        }


@app.command(epilog=EPILOG)
def waiting(
    mongodb: Annotated[str, typer.Option(metavar="URL", envvar="MONGODB_URL", help="The system's store.")] = DEFAULT_MONGODB,
    longer_than: Annotated[float, typer.Option(min=0, metavar="MINUTES", help="Only who has waited longer than this.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=5000, help="Most to list.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per conversation.")] = False,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show personal data in what was said in clear.")] = False,
) -> None:
    """Who waits for a person, the longest first: since when, why, about what, and what they said last."""
    now_ms = int(time.time() * 1000)
    sessions = asyncio.run(_fetch(mongodb, limit))
    seen: Callable[[str], str] = str if unmask else mask_text
    found = sorted((_waiting(session, seen) for session in sessions), key=lambda item: item.since_ms)
    found = [item for item in found if now_ms - item.since_ms >= longer_than * 60_000]
    if as_json:
        for item in found:
            print_json(item.as_json())
        return
    if not found:
        out.print("Ninguém espera por uma pessoa.")
        return
    for item in found:
        about = f"{REASONS.get(item.reason, item.reason)} · {item.vertente}"
        out.print(
            Text.assemble((item.conversation, "bold"), f"  espera há {_for(now_ms - item.since_ms)}  ", (about, "yellow"))
        )
        out.print(
            Text(f"    desde {moment(item.since_ms)}; última novidade há {_for(now_ms - item.last_news_ms)}", style="dim")
        )
        out.print(Text(f"    {item.said or '(sem texto)'}"), soft_wrap=True)
    if len(sessions) == limit:
        out.print(f"Pode haver mais: --limit {limit * 10}")


async def _fetch(mongodb_url: str, limit: int) -> list[Session]:
    async with open_stores(mongodb_url) as stores:
        return await stores.sessions.with_person(limit)


def _waiting(session: Session, seen: Callable[[str], str]) -> Waiting:
    move = session.handed_over
    return Waiting(
        conversation=session.conversation_id,
        since_ms=move.at_ms if move else session.updated_at_ms,
        last_news_ms=session.updated_at_ms,
        reason=move.trigger if move else "",
        vertente=session.vertente.value,
        said=seen(session.recent[-1].customer_text.replace("\n", " / ")) if session.recent else "",
    )


def _for(milliseconds: int) -> str:
    """A length of time as one says it: 40 s, 12 min, 3 h 05 min, 2 d 4 h."""
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min" if minutes else f"{seconds} s"
