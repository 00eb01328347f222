"""What `--help` says, of every command."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from mlops_kit.cli.main import COMMANDS, GROUPS, HEADINGS, group

NARROW = 80  # columns of a terminal
IMPERATIVE = re.compile(
    r"(Calibrate|Check|Delete|Download|Explain|Find|Judge|List|Look|Open|Put|Raise|Register|Replay|Serve|Show|Start|"
    r"Sync|Trace|Train|Write),? "
)


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command and subcommand, with its whole name."""
    top = click.Context(group, info_name="mlops-kit", terminal_width=NARROW)
    yield "mlops-kit", group, top
    for name in GROUPS:
        command = group.get_command(top, name)
        assert command
        context = click.Context(command, parent=top, info_name=name)
        yield f"mlops-kit {name}", command, context
        for part, one in command.commands.items() if isinstance(command, click.Group) else ():
            yield f"mlops-kit {name} {part}", one, click.Context(one, parent=context, info_name=part)


EVERY = list(commands())
NAMED = pytest.mark.parametrize(("name", "command", "context"), EVERY, ids=[name for name, *_ in EVERY])


def test_the_commands_are_grouped_and_no_first_line_is_cut() -> None:
    said = EVERY[0][1].get_help(EVERY[0][2])
    assert HEADINGS.keys() == COMMANDS.keys()
    places = [said.index(f"\n{heading}:\n") for heading in HEADINGS.values()]
    assert places == sorted(places)
    for names in COMMANDS.values():
        for name in names:
            (line,) = re.findall(rf"(?m)^  {name} +(.+)$", said)
            assert line.endswith("."), line
    assert "..." not in said.replace("[ARGS]...", "")


@NAMED
def test_a_first_line_is_an_order_that_fits_its_column(
    name: str, command: click.Command, context: click.Context
) -> None:
    first, _, rest = (command.help or "").partition("\n")
    assert first.endswith(".") and (not rest or rest.startswith("\n")), first
    if context.parent:
        assert IMPERATIVE.match(first), first
        assert len(first) <= NARROW - 2 - 2 - max(map(len, GROUPS)) - 2, first


@NAMED
def test_an_option_says_its_value_and_its_default(
    name: str, command: click.Command, context: click.Context
) -> None:
    for option in command.params:
        if not isinstance(option, click.Option):
            continue
        record = option.get_help_record(context)
        assert record and option.help, f"{name} {option.name}"
        assert option.help[0].isupper(), option.help
        if not option.is_flag or option.secondary_opts:
            assert "[default: " in record[1] or "[required]" in record[1], f"{name} {record}"
            assert (
                not re.search(r"\b(TEXT|PATH|DIRECTORY|FILENAME|INTEGER( RANGE)?)$", record[0])
                or option.metavar
            ), f"{name} {record}"


@NAMED
def test_help_ends_with_one_or_two_examples_that_parse(
    name: str, command: click.Command, context: click.Context
) -> None:
    _, title, examples = command.get_help(context).rpartition("\n  Example")
    assert title, name
    lines = examples.splitlines()
    assert lines[0] in (":", "s:") and 2 <= len(lines) <= 3, examples
    for line in lines[1:]:
        for call in line.split(" < ")[0].split(" && "):
            words = shlex.split(call)
            words = words[words.index("mlops-kit") :]
            if name != "mlops-kit":
                assert f"{call.strip()} ".find(f"{name} ") >= 0, call
            _parses(words[1:])


def _parses(words: list[str]) -> None:
    """Raises if Click would refuse the call."""
    at: click.Command = group
    context: click.Context | None = None
    while isinstance(at, click.Group):
        context = click.Context(at, parent=context)
        _, inner, words = at.resolve_command(context, words)
        assert inner
        at = inner
    if words != ["--help"]:
        at.make_context(at.name, words, parent=context)


def test_a_misspelt_command_is_named_with_the_one_that_was_meant() -> None:
    done = CliRunner().invoke(group, ["gat"])
    assert done.exit_code == 2 and "No such command 'gat'. Did you mean 'gate'?" in done.output
