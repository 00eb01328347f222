"""The `mlops-new` command."""

import gc
import signal
import sys
from importlib import import_module
from pathlib import Path

import click

from mlops_new.base.errors import MlopsNewError
from mlops_new.cli.output import show_error
from mlops_new.cli.words import COMMANDS, expect_no_command

CREATE = "NAME"  # the command without a word of its own; a valid name has no capitals


class CommandOrName(click.Group):
    """A group that takes a first word which is no command, and looks like none, for the name of a repository.

    It imports a command when that is called, so that none waits for the libraries of another.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*COMMANDS, CREATE, *ctx.help_option_names, "--version"):
            if (
                args and not ctx.resilient_parsing
            ):  # before the options of `create` are read, which would complain about those of a command
                expect_no_command(args[0])
            args = [CREATE, *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in (*COMMANDS, CREATE):
            return None
        module = import_module(f"mlops_new.cli.commands.{'create' if cmd_name == CREATE else cmd_name}")
        command: click.Command = module.command
        return command

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[NAME] [OPTIONS]")
        formatter.write_usage(ctx.command_path, "COMMAND ...", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        create = self.get_command(ctx, CREATE)
        assert create
        create.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    cls=CommandOrName,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExamples:\n"
    "  mlops-new my-project --train\n"
    "  mlops-new churn --data churn.csv --target churned --dry-run\n\n"
    "Exit codes: 0 done, 1 something you can fix, 2 wrong usage, 3 our bug, 10 the answer is no.",
)
@click.version_option(package_name="mlops-new")
def command() -> None:
    """Make a machine-learning repository that trains from the first minute, or change one.

    NAME is a path. Its last part names the folder, the package, the model and the tags; in the last three,
    underscores become hyphens (my_model: my-model@v0.1.0). Inside a project, write a path: ./NAME.
    Without --data the repository holds the embedded starter data: will this flight be late?
    """


def main() -> None:
    """Run the command, and turn every result and every error into an exit code and a message."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    gc.disable()  # a search for garbage would take a fifth of a short run, and find none
    try:
        sys.exit(command(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MlopsNewError as error:
        show_error(error.what, error.do)
        sys.exit(error.code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nmlops-new: stopped; nothing half-written is left.", err=True)
        sys.exit(1)
    except (
        OSError,
        UnicodeError,
    ) as error:  # a full disk, a file that is not ours to read, bytes that are no text
        where = getattr(error, "filename", None) or Path.cwd()
        says = getattr(error, "strerror", None) or str(error)
        click.echo(f"mlops-new: {where}: {says}.", err=True)
        click.echo("Is there room on the disk, and is the file yours to read and write?", err=True)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # an error that is not handled elsewhere is our bug
        import traceback

        traceback.print_exc()
        click.echo(f"mlops-new: this is our bug ({type(error).__name__}). Please report it.", err=True)
        sys.exit(3)
    finally:
        # Ctrl-C while Python ends must not change the exit code
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # no search at the end either
