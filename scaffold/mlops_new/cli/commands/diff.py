"""mlops-new diff."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, json_option
from mlops_new.cli.output import finish


@click.command(epilog="\b\nExamples:\n  mlops-new diff\n  mlops-new diff --to 0.2.0")
@click.option("--to", metavar="VERSION", help="Version of the template.  [default: the newest]")
@directory_option
@json_option
def command(to: str | None, directory: Path, as_json: bool) -> None:
    """Print what `mlops-new update` would change.

    The output is a patch, as `git diff` prints it.
    """
    from mlops_new.grow import grow, text

    with (
        grow.open_project(directory.resolve()) as project,
        grow.try_update(project, version=grow.find_version(project, to), dry=True) as trial,
    ):
        patch = trial.diff()
    finish(text.as_json(trial, patch=patch), patch.rstrip("\n"), as_json)
