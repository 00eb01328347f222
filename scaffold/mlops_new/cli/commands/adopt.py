"""`mlops-new adopt`"""

from pathlib import Path
from typing import Any

import click

from mlops_new.cli.options import dry_run_option, excludes, json_option
from mlops_new.cli.output import finish, reporter


@click.command
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option(
    "--entry", default="", metavar="'FILE ARGUMENT...'", help="What trains, instead of what is found."
)
@click.option("--name", default="", help="Of the model; without it the folder's.")
@click.option("--python", default="", metavar="VERSION", help="Python to train with, where no file says one.")
@click.option(
    "--kit",
    type=click.Choice(["remote", "vendored"]),
    default="remote",
    help="Where workflows take our actions from.",
)
@click.option("--apply", is_flag=True, help="Also change the files that need it, as the patches show.")
@click.option("--run/--no-run", default=True, help="Without running, the stage is what the code alone says.")
@dry_run_option
@json_option
@excludes("--dry-run", "--apply", "--run")
def command(path: Path, as_json: bool, **options: Any) -> None:
    """Make an existing repository train under DVC and the kit, without a change to its files.

    PATH is a Git repository, or a folder of one to look in. What trains - a script, a module, a notebook or
    a DVC pipeline - is found and run in a copy, to see what it reads and writes; then it becomes a stage, and
    workflows and mlops.yaml are added. They are put into Git's index, for you to read and commit.
    """
    from mlops_new.adopt import text
    from mlops_new.adopt.adopt import adopt
    from mlops_new.adopt.request import AdoptRequest

    adoption = adopt(AdoptRequest(path, **options), reporter())
    finish(text.as_json(adoption), text.summary(adoption, dry_run=options["dry_run"]), as_json)
