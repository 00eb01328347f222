"""YAML, JSON and TOML, read within bounds: no text of a few lines takes the memory or the stack of the process."""

import json
import re
import tomllib
from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.base.errors import KitError

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError

DEEPEST = 100  # levels of nesting
MOST_NODES = 1_000_000  # values of a YAML document, those of each alias counted again
LONGEST_IN_PYTHON = 1_000_000  # characters; the parser that is written in Python takes a second for 50,000
# What the parsers raise for text that they do not understand, beside their own errors.
UNREADABLE = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    AssertionError,
    RecursionError,
)
CONFLICT = re.compile(r"^(<{7} |>{7} )", re.MULTILINE)  # of Git


def parse(text: str, name: str) -> Any:
    """JSON, TOML or, with any other ending of the name, a mapping in YAML. Raises KitError naming the file."""
    if not name.endswith((".json", ".toml")):
        return parse_yaml(text, name)
    try:
        content = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
        _refuse_deep(content)
    except UNREADABLE as error:
        raise KitError(f"{name} cannot be read: {error}.", "Mend it, or run again what writes it.") from error
    return content


def _refuse_deep(content: Any) -> None:
    """Raises ValueError for more than DEEPEST levels."""
    level, depth = [content], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        inner = [
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        ]
        level, depth = [value for values in inner for value in values], depth + 1


def read(path: Path) -> dict[str, Any]:
    """The mapping of a YAML file. Raises KitError naming the line."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(
            f"{path} cannot be read: {error}.", "It must be text in UTF-8, and yours to read."
        ) from error


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping of a YAML text. Raises KitError naming the line, or the bound that it exceeds."""
    from ruamel.yaml.error import YAMLError

    try:
        content = deepcopy(_load(text))
    except YAMLError as error:
        if CONFLICT.search(text):
            raise KitError(
                f"{name} has Git's conflict markers: a merge, a rebase or a stash is not finished.",
                f"Take one side, `git checkout --ours -- {name}` or `--theirs`, then `git add {name}`. "
                "What a training makes is made again by `mlops-kit train`.",
            ) from error
        raise KitError(
            f"{name} is not YAML: {_mistake(error)}.", "Mend it there; what follows may be right."
        ) from error
    except UNREADABLE as error:
        raise KitError(f"{name} cannot be read: {error}.", "Mend it, or run again what writes it.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise KitError(
            f"{name} holds a {type(content).__name__}, not a mapping of keys.",
            "Write lines such as `key: value`.",
        )
    return content


def _mistake(error: "YAMLError") -> str:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    return f"line {mark.line + 1}, column {mark.column + 1}: {getattr(error, 'problem', None) or 'a mistake'}"


@lru_cache(maxsize=64)
def _load(text: str) -> Any:
    """Parse YAML; cached, because one command reads a lock or a version's dvc.yaml several times.

    libyaml takes a tenth of the time. Text that it refuses is parsed again in Python, which has better messages
    and accepts `{folder: s3://landing}`.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    with suppress(YAMLError):
        _refuse_large(text, pure=False)
        return YAML(typ="safe").load(text)
    if len(text) > LONGEST_IN_PYTHON:
        raise ValueError(f"it is not the YAML that libyaml reads, and {len(text):,} characters long")
    _refuse_large(text, pure=True)
    return YAML(typ="safe", pure=True).load(text)


def _refuse_large(text: str, *, pure: bool) -> None:
    """Raises ValueError for a document that is nested too deeply, or that its aliases make too large."""
    from ruamel.yaml import YAML

    anchors: dict[str, int] = {}  # the nodes behind each
    around: list[tuple[str | None, int]] = []  # anchor of each open collection, and the nodes before it
    nodes = 0
    for event in YAML(typ="safe", pure=pure).parse(text):
        kind = type(event).__name__
        anchor = getattr(event, "anchor", None)
        if kind == "AliasEvent":
            if any(anchor == opened for opened, _ in around):
                raise ValueError(f"the alias *{anchor} stands inside of what it names")
            nodes += anchors.get(str(anchor), 0)
        elif kind == "ScalarEvent":
            nodes += 1
            if anchor:
                anchors[anchor] = 1
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            around.append((anchor, nodes))
            nodes += 1
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            opened, before = around.pop()
            if opened:
                anchors[opened] = nodes - before
        if len(around) > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        if nodes > MOST_NODES:
            raise ValueError(f"it holds more than {MOST_NODES:,} values")
