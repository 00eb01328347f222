"""The keys that mlops.yaml may have, and the one that was probably meant by another."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel


def suggest(model: type[BaseModel], where: Sequence[str | int]) -> str:
    """A question for an unknown key at `where`, for example " Did you mean 'gates'?"; empty if nothing is similar."""
    schema = model.model_json_schema(by_alias=True)
    *parents, unknown = (str(part) for part in where)
    section = _section(schema, parents)
    if near := get_close_matches(unknown, section, n=1):
        return f" Did you mean {near[0]!r}?"
    elsewhere = [place for place in _places(schema, schema, unknown) if place]
    return f" Did you mean {'.'.join([*elsewhere[0], unknown])!r}?" if elsewhere else ""


def _section(schema: dict[str, Any], parents: Sequence[str]) -> list[str]:
    """The keys of the section that these keys lead to; of a gate, its kind is one of them."""
    nodes = [schema]
    for part in parents:
        nodes = [inner for node in nodes for inner in _inside(schema, node, part)]
    return [key for node in nodes for one in _choices(schema, node) for key in one.get("properties", {})]


def _inside(schema: dict[str, Any], node: dict[str, Any], part: str) -> Iterator[dict[str, Any]]:
    for one in _choices(schema, node):
        if part in one.get("properties", {}):
            yield one["properties"][part]
        elif isinstance(one.get("additionalProperties"), dict):
            yield one["additionalProperties"]
        elif isinstance(one.get("items"), dict):
            yield one["items"]
        elif part == one.get("properties", {}).get("kind", {}).get("const"):
            yield one


def _choices(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node without its references: itself, or each of those that it may be."""
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]  # #/$defs/Monitoring
    several = node.get("anyOf") or node.get("oneOf")
    if several:
        for one in several:
            yield from _choices(schema, one)
    else:
        yield node


def _places(schema: dict[str, Any], node: dict[str, Any], key: str) -> Iterator[list[str]]:
    """Sections that have this key, by their own keys; lists and named sections are left out."""
    for one in _choices(schema, node):
        properties = one.get("properties", {})
        if key in properties:
            yield []
        for name, inner in properties.items():
            yield from ([name, *place] for place in _places(schema, inner, key))
