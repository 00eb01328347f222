"""Options that several commands have, and `excludes`: options that cannot be given together.

`mlops_kit.cli.options` does the same for the kit, with inputs of an action and arguments too. Neither package imports the
other: the kit runs from a checkout of the actions alone, and this command without what the kit needs.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mlops_new.base.errors import UsageError

Command = Callable[..., None]


def directory_option(function: Callable[..., Any]) -> Callable[..., Any]:
    kind = click.Path(path_type=Path, exists=True, file_okay=False)
    return click.option(
        "-C",
        "--directory",
        type=kind,
        default=".",
        help="Folder of the project.  [default: the current folder]",
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def dry_run_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")(function)


def force_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--force", is_flag=True, help="Delete files that were edited without asking.")(
        function
    )


def excludes(one: str, *others: str) -> Callable[[Command], Command]:
    """Refuse `one` together with any of the others. Names as in the help: `--dry-run`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def checked(*args: Any, **values: Any) -> None:
            given = _given(click.get_current_context())
            if one in given and (beside := [other for other in others if other in given]):
                raise UsageError(f"{one} and {beside[0]} exclude each other.", "Give one of them.")
            command(*args, **values)

        return checked

    return decorate


def _given(context: click.Context) -> set[str]:
    """The options that were given; of a pair such as `--run/--no-run` the one that was typed."""
    return {
        name
        for option in context.command.params
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        for name in (
            option.opts if context.params[str(option.name)] else option.secondary_opts or option.opts
        )
    }
