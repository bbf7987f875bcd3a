"""A chat completion request from outside: checked, and refused in the provider's words."""

from dataclasses import dataclass

import orjson
from pydantic import JsonValue

from simulator.instances import Schema

_ROLES = {"system", "developer", "user", "assistant", "tool"}


class RequestRefused(Exception):  # noqa: N818 - it is an answer, not a failure of ours
    """Answered with `status` and the provider's error body."""

    def __init__(self, message: str, param: str | None = None, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = {401: "invalid_request_error", 429: "requests", 500: "server_error"}.get(status, "invalid_request_error")
        self.body = orjson.dumps({"error": {"message": message, "type": kind, "param": param, "code": code}})


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What the simulator needs of a request."""

    model: str
    prompt: str
    """All messages joined, in order."""
    last_user_message: str
    task: str
    """Name of the schema; `text` when none was asked."""
    schema: Schema | None
    strict: bool
    any_object: bool
    """`json_object` was asked: any object will do."""
    cache_key: str
    output_limit: int | None
    """Most tokens that may come back."""


def parse(raw: bytes) -> ChatRequest:
    """Read and check the body; RequestRefused names the parameter that is wrong."""
    try:
        body: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise RequestRefused("The body of the request must be a JSON object.")
    if body.get("stream"):
        raise RequestRefused("The simulator does not stream: leave out 'stream'.", "stream", code="unsupported_value")
    if body.get("n") not in (None, 1):
        raise RequestRefused("The simulator gives one choice: leave out 'n'.", "n", code="unsupported_value")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RequestRefused("you must provide a model parameter", "model")
    prompt, last_user_message = _messages(body.get("messages"))
    task, schema, strict, any_object = _format(body.get("response_format"))
    cache_key = body.get("prompt_cache_key")
    return ChatRequest(
        model=model,
        prompt=prompt,
        last_user_message=last_user_message,
        task=task,
        schema=schema,
        strict=strict,
        any_object=any_object,
        cache_key=cache_key if isinstance(cache_key, str) else "",
        output_limit=_limit(body, "max_completion_tokens") or _limit(body, "max_tokens"),
    )


def _messages(messages: JsonValue) -> tuple[str, str]:
    if not isinstance(messages, list) or not messages:
        raise RequestRefused("Invalid 'messages': expected a non-empty array of messages.", "messages")
    texts, last_user_message = [], ""
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if not isinstance(message, dict):
            raise RequestRefused(f"Invalid type for '{where}': expected an object.", where)
        role = message.get("role")
        if role not in _ROLES:
            raise RequestRefused(f"Invalid value: {role!r}. Supported values are: {sorted(_ROLES)}.", f"{where}.role")
        text = _content(message.get("content"), f"{where}.content")
        texts.append(text)
        if role == "user":
            last_user_message = text
    return "\n".join(texts), last_user_message


def _content(content: JsonValue, where: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part.get("text", "") if isinstance(part, dict) else None for part in content]
        if all(isinstance(part, str) for part in parts):
            return "".join(str(part) for part in parts)
    raise RequestRefused(f"Invalid type for '{where}': expected a string or an array of text parts.", where)


def _format(wanted: JsonValue) -> tuple[str, Schema | None, bool, bool]:
    if wanted is None:
        return "text", None, False, False
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if not isinstance(wanted, dict) or kind not in ("text", "json_object", "json_schema"):
        raise RequestRefused(f"Invalid value: {kind!r}.", "response_format.type")
    if kind != "json_schema":
        return ("text" if kind == "text" else "json_object"), None, False, kind == "json_object"
    described = wanted.get("json_schema")
    if not isinstance(described, dict):
        raise RequestRefused("Missing required parameter.", "response_format.json_schema")
    name, schema = described.get("name"), described.get("schema")
    if (
        not isinstance(name, str)
        or not 0 < len(name) <= 64
        or not name.isascii()
        or not name.replace("_", "").replace("-", "").isalnum()
    ):
        raise RequestRefused(f"Invalid name {name!r}: expected 1 to 64 of [a-zA-Z0-9_-].", "response_format.json_schema.name")
    if not isinstance(schema, dict):
        raise RequestRefused("Missing required parameter.", "response_format.json_schema.schema")
    return name, schema, described.get("strict") is True, False


def _limit(body: dict[str, JsonValue], key: str) -> int | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RequestRefused(f"Invalid '{key}': expected a positive integer, got {value!r}.", key)
    return value
