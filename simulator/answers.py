"""The text of an answer: an instance of the asked schema, chosen by a hash of the prompt, or spoilt as a fault says."""

import json
import zlib
from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from simulator import sentences
from simulator.conduct import Conduct
from simulator.config import Fault
from simulator.instances import INVENTED, Instances, Schema, fields_of
from simulator.request import ChatRequest, RequestRefused
from simulator.strictness import problem_of

_VARIANTS = 64
"""How many different instances a schema has without a hint; they are built once each."""
_REFUSAL = "Desculpe, não posso ajudar com isso."
_HINT_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Text:
    """What comes back in `message`."""

    content: str | None
    refusal: str | None = None
    finish_reason: str = "stop"


class Answers:
    """Writes answers; keeps for each schema what can be computed once."""

    def __init__(self, seed: int, *, plausible: bool) -> None:
        self._seed = seed
        self._plausible = plausible
        self._schemas: dict[str, _Known] = {}

    def write(self, request: ChatRequest, conduct: Conduct) -> Text:
        """The answer to the request; RequestRefused when the schema is not one that a strict provider takes."""
        if conduct.fault is Fault.REFUSAL:
            return Text(None, refusal=_REFUSAL)
        if isinstance(conduct.answer, str):
            content = conduct.answer
        elif conduct.answer is not None:
            content = orjson.dumps(conduct.answer).decode()
        else:
            content = self._generated(request, conduct)
        if conduct.fault is Fault.CUT_JSON:
            return Text(content[: len(content) * 2 // 3], finish_reason="length")
        return Text(content)

    def _generated(self, request: ChatRequest, conduct: Conduct) -> str:
        number = zlib.crc32(request.prompt.encode(), self._seed & 0xFFFFFFFF)
        if conduct.fault is Fault.NOT_JSON or (request.schema is None and not request.any_object):
            return sentences.text(number)
        if request.schema is None:
            return orjson.dumps({"texto": sentences.text(number)}).decode()
        known = self._known(request.task, request.schema, request.strict)
        hint = hint_in(request.last_user_message) if self._plausible else None
        if conduct.fault is None and hint is None and not conduct.overlay:
            return known.variant(number % _VARIANTS)
        value = known.instances.generate(number, hint, invent_enum=conduct.fault is Fault.INVENTED_ENUM)
        fields = fields_of(request.schema)
        if isinstance(value, dict):
            value = value | {name: said for name, said in conduct.overlay.items() if name in fields}
        content = orjson.dumps(value).decode()
        no_enum = conduct.fault is Fault.INVENTED_ENUM and INVENTED not in content
        if (conduct.fault is Fault.SCHEMA_MISS or no_enum) and isinstance(value, dict):
            return orjson.dumps({"inesperado": True, **dict(list(value.items())[1:])}).decode()
        return content

    def _known(self, name: str, schema: Schema, strict: bool) -> "_Known":
        known = self._schemas.get(name)
        if known is None or known.schema != schema or known.strict != strict:
            problem = problem_of(schema) if strict else None
            if problem is not None:
                raise RequestRefused(f"Invalid schema for response_format {name!r}: {problem}", "response_format")
            known = self._schemas[name] = _Known(schema, strict)
            try:
                known.variant(0)
            except ValueError as error:
                raise RequestRefused(f"Invalid schema for response_format {name!r}: {error}", "response_format") from error
        return known


class _Known:
    """A schema that passed the checks, with its variants written out."""

    def __init__(self, schema: Schema, strict: bool) -> None:
        self.schema = schema
        self.strict = strict
        self.instances = Instances(schema)
        self._variants: dict[int, str] = {}

    def variant(self, number: int) -> str:
        if number not in self._variants:
            self._variants[number] = orjson.dumps(self.instances.generate(number)).decode()
        return self._variants[number]


def hint_in(message: str) -> JsonValue:
    """The object that follows a key `"hint"` in the message, or None.

    A customer's text inside a JSON block cannot fake it: its quotation marks are escaped there.
    """
    start = message.find('"hint"')
    while start >= 0:
        after = message[start + len('"hint"') :].lstrip()
        if after.startswith(":"):
            try:
                value: JsonValue = _HINT_DECODER.raw_decode(after[1:].lstrip())[0]
            except json.JSONDecodeError:
                value = None
            if isinstance(value, dict):
                return value
        start = message.find('"hint"', start + 1)
    return None
