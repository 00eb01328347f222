"""Which two packages cannot be installed together, from what uv says."""

import re

from mlops_kit.base.errors import KitError
from mlops_kit.base.processes import ProcessError

LINES = 12  # of uv's words
NAME = r"([A-Za-z0-9][\w.-]*?)"
VERSIONED = re.compile(rf"(?<![\w.-]){NAME}(?:\[[\w,-]+\])?(?=[=<>!~]=?\d|[=<>!~]{{2}})")
NEEDS = re.compile(rf"(?<![\w.-]){NAME}(?:\[[\w,-]+\])?(?:[=<>!~][^\s,]*(?:,[=<>!~]+\S+?)*)? depends on")


def conflict(error: ProcessError, pinned: frozenset[str], pinned_by: str, engine_file: str) -> KitError:
    """The error for a person: the package of the engine, the one that the lock pins, and uv's own words."""
    said = " ".join(error.last_words(LINES).split())
    if "No solution found" not in said:
        return KitError(
            f"The environment of the engine could not be made: {error.last_words()}",
            "Can uv reach the package index from here? `uv pip download` needs the same one.",
        )
    locked = next((name for name in VERSIONED.findall(said) if normal(name) in pinned), "")
    needing = (name for name in NEEDS.findall(said) if name != "you" and normal(name) != normal(locked))
    other = next(needing, "") or next((name for name in VERSIONED.findall(said) if name != locked), "")
    what = "The engine and the model's libraries do not fit into one environment"
    pair = f": {other} and {locked} exclude each other" if other and locked else ""
    return KitError(
        f"{what}{pair}.\n{error.last_words(LINES)}",
        f"{pinned_by} pins {locked or 'the libraries'}, {engine_file} names what the engine needs. Change one of the "
        "two, and train again if it is the lock.",
    )


def normal(name: str) -> str:
    """The package's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()
