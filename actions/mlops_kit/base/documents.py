"""Metrics and parameters, in whichever of three forms a pipeline has them."""

import json
import tomllib
from typing import Any

from mlops_kit.base.errors import KitError
from mlops_kit.project.contract import parse_yaml


def parse(text: str, name: str) -> Any:
    """JSON, TOML or, with any other ending of the name, a mapping in YAML. Raises KitError naming the file."""
    try:
        if name.endswith(".json"):
            return json.loads(text)
        return tomllib.loads(text) if name.endswith(".toml") else parse_yaml(text, name)
    except ValueError as error:
        raise KitError(f"{name} cannot be read: {error}.", "Mend it, or run again what writes it.") from error
