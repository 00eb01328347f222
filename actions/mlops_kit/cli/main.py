"""The `mlops-kit` command."""

import os
import signal
import sys
from difflib import get_close_matches
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import NoReturn

import click

from mlops_kit import VERSION
from mlops_kit.base import notices
from mlops_kit.base.errors import FIXABLE, OUR_BUG, KitError
from mlops_kit.cli import faults
from mlops_kit.cli.output import tell

LIBRARIES_OF_TABLES = ("numpy", "pyarrow")  # which a job that reads no table is set up without
# By what people want to do, each group in the order of use: `command` of commands/GROUP/NAME.py.
COMMANDS = {
    "training": ("validate", "train", "gate", "report", "register", "fresh", "watch-data"),
    "versions": ("versions", "show", "why", "lineage", "promote", "rollback", "verify", "pull", "registry"),
    "monitoring": ("monitor", "alert", "retrain", "review", "alarm"),
    "serving": ("serve",),
    "upkeep": ("runs", "doctor", "gc"),
}
HEADINGS = {
    "training": "Train and register",
    "versions": "Versions",
    "monitoring": "Monitor",
    "serving": "Serve",
    "upkeep": "Maintain",
}
GROUPS = {name: group for group, names in COMMANDS.items() for name in names}


class LazyCommands(click.Group):
    """Imports a command only if it is called, so that it does not wait for the libraries of others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        path = f"{GROUPS[cmd_name]}.{cmd_name.replace('-', '_')}"
        module = import_module(f"mlops_kit.cli.commands.{path}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does it; the error about an unknown command names the most similar one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            similar = get_close_matches(args[0], GROUPS, n=1)
            if not similar:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{similar[0]}'?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by group, with all names in one column."""
        column = max(map(len, GROUPS))
        for group, names in COMMANDS.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            rows = [
                (name.ljust(column), command.get_short_help_str(200)) for name, command in commands if command
            ]
            with formatter.section(HEADINGS[group]):
                formatter.write_dl(rows)


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes:
  0   done
  1   failed; the message says what to do
  2   wrong usage
  3   a bug of mlops-kit
  10  done, and the answer is no: a gate failed, the data is invalid,
      the lock file is stale, an alarm fired

\b
Examples:
  mlops-kit train && mlops-kit gate && mlops-kit register
  mlops-kit promote --help""",
)
@click.option(
    "-C",
    "--directory",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Run in this folder.  [default: the current one]",
)
@click.version_option(VERSION, prog_name="mlops-kit")
@click.pass_context
def group(ctx: click.Context, directory: Path | None) -> None:
    """Train, judge, register, promote and monitor the model of a repository with an mlops.yaml."""
    if directory:
        os.chdir(directory)
    if ctx.invoked_subcommand != "doctor":  # which says it in its own words
        _warn_of_another_kit(Path.cwd())


def _warn_of_another_kit(folder: Path) -> None:
    from mlops_kit.doctor import kit_version

    required = kit_version.asked_for(folder)
    if mend := kit_version.mismatch(required):
        tell(f"mlops-kit: mlops.yaml is for kit {required}, this is {VERSION}. Fix: {mend}")


def main() -> None:
    """Run the command. Every error becomes a message and an exit code."""
    # not by SIGINT, which a script that starts a command in the background has it ignore
    signal.signal(signal.SIGTERM, _stop)
    try:
        group(standalone_mode=False, auto_envvar_prefix="MLOPS_KIT")
        sys.stdout.flush()
    except click.ClickException as error:
        said = StringIO()  # it quotes the arguments
        error.show(said)
        tell(said.getvalue().rstrip("\n"))
        sys.exit(error.exit_code)
    except KitError as error:
        _fixable(error)
    except BrokenPipeError:  # whoever read the output, for instance `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FIXABLE)
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES_OF_TABLES:
            _our_bug(error)
        tell(f"mlops-kit: this command reads tables, and {error.name} is not installed.")
        tell(
            "In a workflow, remove `tables: false` from the step `setup`. On a machine, run `uv pip install 'mlops-new[kit]'`."
        )
        sys.exit(FIXABLE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nmlops-kit: stopped; unfinished changes were undone.", err=True)
        sys.exit(FIXABLE)
    except Exception as error:  # noqa: BLE001  # the last resort: what nobody foresaw is our bug
        if fault := faults.explained(error):
            _fixable(fault)
        _our_bug(error)
    finally:
        _tell_notices()


def _tell_notices() -> None:
    for sentence in notices.take():
        tell(f"note: {sentence}")


def _fixable(error: KitError) -> NoReturn:
    tell(f"mlops-kit: {error.what}")
    if error.do:
        tell(error.do)
    sys.exit(FIXABLE)


def _stop(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _our_bug(error: Exception) -> NoReturn:
    import traceback

    tell("".join(traceback.format_exception(error)))
    click.echo(f"mlops-kit: this is our bug ({type(error).__name__}). Please report it.", err=True)
    sys.exit(OUR_BUG)
