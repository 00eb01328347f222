"""What commands print, and what they ask before they delete."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import click

from mlops_new.base.errors import MlopsNewError
from mlops_new.base.progress import Progress


def reporter() -> Progress:
    """Return a function that prints a step to stderr, with the seconds since the start."""
    start = time.monotonic()

    def say(step: str) -> None:
        click.echo(f"[{time.monotonic() - start:4.1f} s] {step} ...", err=True)

    return say


def confirm_deletion(edited: Sequence[str], force: bool) -> bool:
    """True if these edited files may be deleted; asks on a terminal.

    Raises MlopsNewError if there is no terminal, and click.Abort if the answer is no.
    """
    if not edited or force:
        return True
    click.echo(
        "These files were edited and would be deleted:\n" + "\n".join(f"  {name}" for name in edited),
        err=True,
    )
    if not sys.stdin.isatty():
        raise MlopsNewError("Nothing was changed.", "Keep a copy under another name, or say --force.")
    return click.confirm("Delete them?", err=True, abort=True)


def finish(report: dict[str, Any], text: str, as_json: bool, exit_code: int = 0) -> None:
    """Print the result as JSON or as text, and exit with this code if it is not 0."""
    click.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else text)
    if exit_code:
        sys.exit(exit_code)
