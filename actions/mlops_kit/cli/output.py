"""Print results, progress and warnings of a command."""

import json
import os
import re
import sys
import time
from dataclasses import asdict, is_dataclass
from typing import Any

import click

from mlops_kit.base import github_env, terminal
from mlops_kit.base.errors import SAYS_NO
from mlops_kit.base.masking import masked
from mlops_kit.base.progress import Say

COLOURS = (
    dict.fromkeys(("pass", "ok", "same", "done"), "green")
    | dict.fromkeys(("FAIL", "DIFFERS", "failed", "rejected", "refused", "crashed", "alarm", "Alarm"), "red")
    | dict.fromkeys(("can't tell", "warn", "warning", "unknown", "stopped"), "yellow")
)
# At the begin of a line or of a cell, up to the end of the cell, a colon or the end of the line.
STATUS = re.compile(rf"(?m)(?:(?<=^)|(?<=  ))(?:{'|'.join(COLOURS)})(?=  |:|$)")


def reporter() -> Say:
    """Return a function that prints a step on stderr, with the seconds since the start."""
    start = time.monotonic()

    def say(step: str) -> None:
        tell(f"[{time.monotonic() - start:5.1f} s] {step}")

    return say


def tell(text: str) -> None:
    """Print a text on stderr."""
    click.echo(_shown(text), err=True)


def show(text: str) -> None:
    """On stdout, with colours on a terminal."""
    click.echo(coloured(_shown(text)) if has_colours() else _shown(text))


def has_colours() -> bool:
    """True if stdout is a terminal that shows colours and NO_COLOR (no-color.org) is not set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str) -> str:
    """Colour each status that is a cell of a table or begins a line: green, red or yellow."""
    return STATUS.sub(lambda match: click.style(match[0], fg=COLOURS[match[0]]), text)


def _shown(text: str) -> str:
    """Without secrets, and without what would control the terminal or the runner: others wrote a part of it."""
    clean = terminal.logged if github_env.on_runner() else terminal.plain
    return clean(masked(text))


def finish(result: Any, words: str, as_json: bool, *, yes: bool = True) -> None:
    """Print the result as JSON or as text. Exits with 10 if the answer is no (`yes=False`).

    Secrets are masked.
    """
    content = asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
    if as_json:
        click.echo(terminal.plain_json(masked(in_json(content))))
    elif words:
        show(words)
    if not yes:
        sys.exit(SAYS_NO)


def in_json(content: Any) -> str:
    """Return the JSON text that `--json` prints."""
    return json.dumps(content, indent=2, ensure_ascii=False, default=_as_json)


def _as_json(value: Any) -> Any:
    """A pydantic model inside a dataclass as its fields; moments and paths as text."""
    return value.model_dump() if hasattr(value, "model_dump") else str(value)
