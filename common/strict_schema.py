"""Turns a pydantic answer type into the strict JSON schema that LLM providers accept.

Strict mode wants every field required, no further fields, no defaults, and no keywords beside a `$ref`; optional means a
union with null. Length limits of texts are not enforced by all providers, so they become words in the description, and
pydantic checks them afterwards. Source: the provider's guide to structured outputs.
"""

from pydantic import BaseModel, JsonValue

Schema = dict[str, JsonValue]

_DROPPED = {"title", "default", "examples", "minLength", "maxLength", "uniqueItems", "discriminator"}
_IMPOSSIBLE = {"prefixItems": "a tuple", "patternProperties": "a mapping", "allOf": "an intersection"}


def strict_schema(answer_type: type[BaseModel]) -> Schema:
    """The schema, with `$defs` and descriptions kept. TypeError names a field whose type strict mode cannot express."""
    root: Schema = answer_type.model_json_schema()
    if root.get("type") != "object":
        raise TypeError(f"{answer_type.__name__}: an answer is an object, not {root.get('type', 'a union')!r}")
    definitions = root.pop("$defs", {})
    assert isinstance(definitions, dict)
    try:
        strict = _strict(root, definitions, "")
        if definitions:
            strict["$defs"] = {name: _strict(node, definitions, name) for name, node in definitions.items()}
    except TypeError as error:
        raise TypeError(f"{answer_type.__name__}.{error}") from None
    return strict


def _strict(node: JsonValue, definitions: Schema, path: str) -> Schema:
    if not isinstance(node, dict) or not node.keys() - _DROPPED - {"description"}:
        raise TypeError(f"{path}: strict mode needs a type, this field takes anything")
    if "$ref" in node:
        return _reference(node, definitions, path)
    for keyword, meaning in _IMPOSSIBLE.items():
        if keyword in node:
            raise TypeError(f"{path}: strict mode cannot express {meaning}")
    result: Schema = {key: value for key, value in node.items() if key not in _DROPPED}
    if (limits := _limits_in_words(node)) is not None:
        result["description"] = f"{result['description']} ({limits})" if "description" in result else limits
    branches = result.pop("oneOf", None) or result.get("anyOf")
    if isinstance(branches, list):
        result["anyOf"] = [_strict(branch, definitions, path) for branch in branches]
    if "items" in result:
        result["items"] = _strict(result["items"], definitions, f"{path}[]")
    if result.get("type") == "object":
        if result.get("additionalProperties") not in (None, False):
            raise TypeError(f"{path}: strict mode cannot express a mapping with free keys")
        properties = result.get("properties", {})
        assert isinstance(properties, dict)
        result["properties"] = {
            name: _strict(field, definitions, f"{path}.{name}".lstrip(".")) for name, field in properties.items()
        }
        result["required"] = list(properties)
        result["additionalProperties"] = False
    return result


def _reference(node: Schema, definitions: Schema, path: str) -> Schema:
    beside = {key: value for key, value in node.items() if key != "$ref" and key not in _DROPPED}
    if not beside:
        return {"$ref": node["$ref"]}
    # A `$ref` stands alone in strict mode: with a description beside it, what it names is written out here.
    target = definitions[str(node["$ref"]).rpartition("/")[2]]
    assert isinstance(target, dict)
    return _strict(target, definitions, path) | beside


def _limits_in_words(node: Schema) -> str | None:
    shortest, longest = node.get("minLength"), node.get("maxLength")
    words = []
    if shortest:
        words.append("not empty" if shortest == 1 else f"at least {shortest} characters")
    if longest is not None:
        words.append(f"at most {longest} characters")
    return ", ".join(words) or None
