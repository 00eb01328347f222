"""Metrics and parameters, in whichever of three forms a pipeline has them."""

from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_kit.base.errors import KitError

if TYPE_CHECKING:
    from ruamel.yaml.error import YAMLError

import json
import re
import tomllib

CONFLICT = re.compile(r"^(<{7} |>{7} )", re.MULTILINE)


def parse(text: str, name: str) -> Any:
    """JSON, TOML or, with any other ending of the name, a mapping in YAML. Raises KitError naming the file."""
    try:
        if name.endswith(".json"):
            return json.loads(text)
        return tomllib.loads(text) if name.endswith(".toml") else parse_yaml(text, name)
    except (ValueError, RecursionError) as error:
        raise KitError(f"{name} cannot be read: {error}.", "Mend it, or run again what writes it.") from error


def read(path: Path) -> dict[str, Any]:
    """The mapping of a YAML file. Raises KitError naming the line."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(
            f"{path} cannot be read: {error}.", "It must be text in UTF-8, and yours to read."
        ) from error


def parse_yaml(text: str, name: str) -> dict[str, Any]:
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
    except RecursionError as error:
        raise KitError(
            f"{name} is nested too deeply to be read.", "Look at it, or run again what writes it."
        ) from error
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
        return YAML(typ="safe").load(text)
    return YAML(typ="safe", pure=True).load(text)
