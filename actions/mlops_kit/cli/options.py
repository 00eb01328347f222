"""Decorators for options: exclusions, examples, `--json`."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mlops_kit.forge import runner

Command = Callable[..., None]


def excludes(option: str, *others: str) -> Callable[[Command], Command]:
    """Refuse a call that has `option` and one of the others. Names as in the help: `--from`, of an argument `VERSION`."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def checked(*args: Any, **values: Any) -> None:
            options = _given_options(click.get_current_context())
            if option in options and (beside := [other for other in others if other in options]):
                raise click.UsageError(f"{option} and {beside[0]} exclude each other: give one of them.")
            command(*args, **values)

        return checked

    return decorate


def _given_options(context: click.Context) -> set[str]:
    return {
        name
        for parameter in context.command.params
        if _is_given(parameter, context)
        for name in _names(parameter, context.params[str(parameter.name)])
    }


def _is_given(parameter: click.Parameter, context: click.Context) -> bool:
    """True if the caller set the parameter. An action passes every input, so a default from there does not count."""
    source = context.get_parameter_source(str(parameter.name))
    if source is ParameterSource.ENVIRONMENT:
        return bool(context.params[str(parameter.name)] != parameter.get_default(context))
    return source is ParameterSource.COMMANDLINE


def _names(parameter: click.Parameter, value: Any) -> list[str]:
    if isinstance(parameter, click.Argument):
        return [parameter.human_readable_name]
    return parameter.secondary_opts if parameter.secondary_opts and not value else parameter.opts


def left_by_a_job(context: click.Context, parameter: click.Parameter, folder: Path | None) -> Path | None:
    """Callback of an option: the folder must exist, except on a runner, where a killed job may have left none."""
    if folder and not folder.is_dir() and not runner.on_runner():
        raise click.BadParameter(f"Directory '{folder}' does not exist.", context, parameter)
    return folder


def examples(*commands: str) -> str:
    """The end of a command's help: one or two calls that can be pasted."""
    title = "Example:" if len(commands) == 1 else "Examples:"
    return "\b\n" + "\n".join([title, *(f"  {one}" for one in commands)])


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)
