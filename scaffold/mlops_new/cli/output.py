"""What commands print, and what they ask before they delete."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from mlops_new.base.errors import MlopsNewError


def reporter() -> Callable[[str], None]:
    """Return a function that prints a step to stderr, with the seconds since the start."""
    start = time.monotonic()

    def say(step: str) -> None:
        click.echo(f"[{time.monotonic() - start:4.1f} s] {step} ...", err=True)

    return say


def agreed(lost: Sequence[str], force: bool) -> bool:
    """Whether edited files may go; asks on a terminal. Raises where there is nobody to ask, or who says no."""
    if not lost or force:
        return True
    click.echo(
        "These files were edited and would be deleted:\n" + "\n".join(f"  {name}" for name in lost), err=True
    )
    if not sys.stdin.isatty():
        raise MlopsNewError("Nothing was changed.", "Keep a copy under another name, or say --force.")
    return click.confirm("Delete them?", err=True, abort=True)


def finish(report: dict[str, Any], words: str, as_json: bool, code: int = 0) -> None:
    """Prints the result, for programs or for people, and ends with the code."""
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else words)
    if code:
        sys.exit(code)
