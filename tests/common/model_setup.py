"""A real OpenAIModel against a real simulator, over loopback HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from common.breaker import BreakerState
from common.deadline import Deadline
from common.model import Answer, CallOutcome, ModelSettings, OpenAIModel, Task
from common.model_wire import Usage
from simulator.config import Behaviour, Fault, Script, SimulatorConfig
from simulator.server import Simulator


class Line(StrEnum):
    """A closed set."""

    ENTREGA = "ENTREGA"
    CRM = "CRM"


class Reply(BaseModel):
    """The answer type of these tests."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(min_length=1, max_length=200)
    line: Line
    confidence: float = Field(ge=0, le=1)


TASK = Task(name="response", answer_type=Reply, model="gpt-4o-mini", prompt_version="v1", max_output_tokens=300)


@dataclass
class Seen:
    """An observer that remembers."""

    outcomes: list[CallOutcome] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    states: list[BreakerState] = field(default_factory=list)

    def call_finished(self, task: str, model: str, outcome: CallOutcome, latency_s: float, usage: Usage) -> None:
        """Remember the outcome and the tokens."""
        self.outcomes.append(outcome)
        self.usages.append(usage)

    def breaker_changed(self, task: str, state: BreakerState) -> None:
        """Remember the state."""
        self.states.append(state)


@dataclass
class Setup:
    """The model, what it talks to, and what was seen."""

    simulator: Simulator
    model: OpenAIModel
    seen: Seen

    @property
    def calls(self) -> int:
        """Calls that reached the simulator."""
        return self.simulator.stats.calls

    async def ask(self, user: str = "Oi", *, within_s: float = 5.0, prefix: str = "Contexto.") -> Answer[Reply]:
        """One question."""
        return await self.model.ask(TASK, prefix=prefix, user=user, deadline=Deadline.after(within_s))


def scripted(*faults: Fault | None, retry_after_ms: int = 1) -> SimulatorConfig:
    """The first calls get these faults (None: a good answer), all later calls a good answer."""
    scripts = [Script(fault=fault, times=1) for fault in faults]
    return SimulatorConfig(scripts=scripts, default=Behaviour(retry_after_ms=retry_after_ms))


def always(fault: Fault) -> SimulatorConfig:
    """Every call gets this fault."""
    return SimulatorConfig(default=Behaviour(rates={fault: 1.0}, retry_after_ms=1))


@asynccontextmanager
async def asking(config: SimulatorConfig | None = None, **settings: float | str | SecretStr) -> AsyncIterator[Setup]:
    """Both sides running; settings as in ModelSettings."""
    simulator = Simulator(config)
    seen = Seen()
    values = {"llm_base_url": await simulator.start(), "llm_api_key": "sk-test"} | settings
    model = OpenAIModel(ModelSettings.model_validate(values), seen)
    try:
        yield Setup(simulator, model, seen)
    finally:
        await model.close()
        await simulator.stop()
