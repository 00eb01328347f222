"""`mlops-new adopt`"""

from pathlib import Path
from typing import Any

import click

from mlops_new.cli.options import dry_run_option, excludes, json_option
from mlops_new.cli.output import finish, reporter


@click.command(
    epilog="\b\nExamples:\n  mlops-new adopt path/to/repository --dry-run\n  mlops-new adopt --entry 'train.py --epochs 3'"
)
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--entry", default="", metavar="'FILE ARGUMENT...'", help="Command that trains.  [default: what is found]"
)
@click.option("--name", default="", help="Name of the model.  [default: the folder's name]")
@click.option(
    "--python", default="", metavar="VERSION", help="Python version to train with, if no file names one."
)
@click.option(
    "--kit",
    type=click.Choice(["remote", "vendored"]),
    default="remote",
    show_default=True,
    help="Where workflows take our actions from.",
)
@click.option("--apply", is_flag=True, help="Also apply the patches to files that need a change.")
@click.option(
    "--run/--no-run",
    default=True,
    help="Run the training once in a copy, to see what it reads and writes.  [default: run]",
)
@dry_run_option
@json_option
@excludes("--dry-run", "--apply", "--run")
def command(path: Path, as_json: bool, **options: Any) -> None:
    """Bring an existing repository under DVC and the kit.

    PATH is a Git repository or a folder in one. The command finds what trains (a script, module, notebook or
    DVC pipeline) and runs it in a copy to see what it reads and writes. Then it adds a stage, workflows and
    mlops.yaml to Git's index, for you to read and commit. It changes no existing file unless you give --apply.
    """
    from mlops_new.adopt import text
    from mlops_new.adopt.adopt import adopt
    from mlops_new.adopt.request import AdoptRequest

    adoption = adopt(AdoptRequest(path, **options), reporter())
    finish(text.as_json(adoption), text.summary(adoption, dry_run=options["dry_run"]), as_json)
