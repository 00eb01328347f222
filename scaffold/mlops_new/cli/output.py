"""What commands print, and what they ask before they delete."""

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

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


COLOURS = (  # of lines, by how they begin
    (re.compile(r"^Warning:"), "yellow"),
    (re.compile(r"^on(?=  (?!tier=tool))"), "green"),
    (re.compile(r"^(Added|Removed|Switched|Moved)\b.*:$"), "green"),
    (re.compile(r"^.*(: yours and the template's differ\.|: yours stays, and .*)$"), "red"),
    (re.compile(r"^.* no longer parses:.*$"), "red"),
    (re.compile(r"^Mend .* first\.$"), "red"),
)


def has_colour(stream: TextIO) -> bool:
    """True for a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str) -> str:
    """The text with what is good in green, a warning in yellow, and what is wrong in red."""
    lines = []
    for line in text.splitlines():
        for pattern, colour in COLOURS:
            line = pattern.sub(click.style(r"\g<0>", fg=colour), line, count=1)
        lines.append(line)
    return "\n".join(lines)


def show(text: str) -> None:
    """Print a text to stdout, with colours on a terminal."""
    click.echo(coloured(text) if has_colour(sys.stdout) else text)


def show_error(what: str, do: str) -> None:
    """Print to stderr what happened and what to do, the first in red on a terminal."""
    name = click.style("mlops-new:", fg="red", bold=True) if has_colour(sys.stderr) else "mlops-new:"
    click.echo(f"{name} {what}", err=True)
    if do:
        click.echo(do, err=True)


def finish(report: dict[str, Any], text: str, as_json: bool, exit_code: int = 0) -> None:
    """Print the result as JSON or as text, and exit with this code if it is not 0."""
    if as_json:
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        show(text)
    if exit_code:
        sys.exit(exit_code)
