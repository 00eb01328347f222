"""What options of a command demand of each other, refused before anything is done.

`mlops_kit.cli.options` does the same for the kit, with inputs of an action and arguments too. Neither package imports the
other: the kit runs from a checkout of the actions alone, and this command without what the kit needs.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from mlops_new.errors import Misused

Command = Callable[..., None]


def excludes(one: str, *others: str) -> Callable[[Command], Command]:
    """Beside `one` none of the others is taken. Names as in the help: `--dry-run`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def checked(*args: Any, **values: Any) -> None:
            given = _given(click.get_current_context())
            if one in given and (beside := [other for other in others if other in given]):
                raise Misused(f"{one} and {beside[0]} exclude each other.", "Give one of them.")
            command(*args, **values)

        return checked

    return decorate


def _given(context: click.Context) -> set[str]:
    """What was typed; of a pair such as `--run/--no-run` the one that holds."""
    return {
        name
        for option in context.command.params
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        for name in (
            option.opts if context.params[str(option.name)] else option.secondary_opts or option.opts
        )
    }
