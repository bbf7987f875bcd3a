"""What a service asks of an LLM, and what it gets: a task with its typed answer."""

import re
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import orjson
from pydantic import BaseModel

from common.deadline import Deadline
from common.strict_schema import strict_schema
from common.taxonomy import Source

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Task(Generic[A]):
    """One question that a service asks again and again. Its strict JSON schema is built once, here."""

    name: str
    """1 to 64 of [A-Za-z0-9_-]; the schema's name, and the label in metrics."""
    answer_type: type[A]
    model: str
    prompt_version: str
    max_output_tokens: int
    response_format: bytes = field(init=False, repr=False, compare=False)
    """The `response_format` of the request, as JSON."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.name):
            raise ValueError(f"name: expected 1 to 64 of [A-Za-z0-9_-], got {self.name!r}")
        described = {"name": self.name, "strict": True, "schema": strict_schema(self.answer_type)}
        encoded = orjson.dumps({"type": "json_schema", "json_schema": described})
        object.__setattr__(self, "response_format", encoded)


@dataclass(frozen=True, slots=True)
class Answer(Generic[A]):
    """A valid answer, and what it took. Tokens are those of all calls; input tokens include the cached ones."""

    value: A
    source: Source
    """MODEL, or REPAIRED when the first answer was not valid."""
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    latency_s: float
    attempts: int
    """Calls to the provider, failed ones included."""


class Model(Protocol):
    """Whatever answers a task's question."""

    async def ask(self, task: Task[A], *, prefix: str, user: str, deadline: Deadline, cache_key: str = "") -> Answer[A]:
        """The answer to `user`, after the system message `prefix`, which should be the same from call to call.

        Raises ModelUnavailable (the provider fails, limits us, is too slow, or its circuit is open), ModelMisbehaved
        (it refused, or gave no valid answer even after one repair) or DeadlineExceeded (no time to begin).
        """
        ...
