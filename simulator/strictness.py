"""What a provider refuses in a schema with `strict: true`, said in the provider's words."""

from pydantic import JsonValue

from simulator.instances import Instances, Schema

_DEEPEST = 10
_UNSUPPORTED = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default")


def problem_of(root: Schema) -> str | None:
    """The first thing that strict mode refuses, or None. Source: the provider's guide to structured outputs."""
    if root.get("type") != "object" or "anyOf" in root:
        return "schema must be a JSON Schema of 'type: \"object\"' without a top-level 'anyOf'."
    definitions = root.get("$defs")
    nodes: list[tuple[str, JsonValue]] = [("", root)]
    if isinstance(definitions, dict):
        nodes += [(f"$defs.{name}", node) for name, node in definitions.items()]
    for path, node in nodes:
        problem = _problem_in(Instances(root), node, path, 0)
        if problem is not None:
            return problem
    return None


def _problem_in(schemas: Instances, node: JsonValue, path: str, depth: int) -> str | None:
    where = f"In context=({path!r}), "
    if not isinstance(node, dict):
        return f"{where}expected a schema object, got {node!r}."
    if depth > _DEEPEST:
        return f"{where}the schema is nested deeper than {_DEEPEST} levels."
    refused = next((word for word in _UNSUPPORTED if word in node), None)
    if refused is not None:
        return f"{where}{refused!r} is not permitted."
    if "$ref" in node:
        return _problem_of_reference(schemas, node, where)
    if "type" not in node and not {"anyOf", "enum", "const"} & node.keys():
        return f"{where}schema must have a 'type' key."
    if node.get("type") == "object":
        problem = _problem_of_object(node, where)
        if problem is not None:
            return problem
    if node.get("type") == "array" and not isinstance(node.get("items"), dict):
        return f"{where}array schema missing items."
    for name, child in _children(node):
        problem = _problem_in(schemas, child, f"{path}.{name}".strip("."), depth + 1)
        if problem is not None:
            return problem
    return None


def _problem_of_object(node: Schema, where: str) -> str | None:
    if node.get("additionalProperties") is not False:
        return f"{where}'additionalProperties' is required to be supplied and to be false."
    properties, required = node.get("properties"), node.get("required")
    names = set(properties) if isinstance(properties, dict) else set()
    listed = {str(name) for name in required} if isinstance(required, list) else set()
    if names != listed:
        missing = min(names ^ listed)
        return (
            f"{where}'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing or extra: {missing!r}."
        )
    return None


def _problem_of_reference(schemas: Instances, node: Schema, where: str) -> str | None:
    try:
        schemas.resolve(node)
    except ValueError as error:
        return f"{where}{error}."
    return None


def _children(node: dict[str, JsonValue]) -> list[tuple[str, JsonValue]]:
    properties, branches = node.get("properties"), node.get("anyOf")
    children: list[tuple[str, JsonValue]] = []
    if isinstance(properties, dict):
        children += [(f"properties.{name}", child) for name, child in properties.items()]
    if isinstance(branches, list):
        children += [(f"anyOf.{number}", child) for number, child in enumerate(branches)]
    if isinstance(node.get("items"), dict):
        children.append(("items", node["items"]))
    return children
