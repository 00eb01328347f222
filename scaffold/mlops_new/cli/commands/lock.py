"""mlops-new lock."""

from pathlib import Path

import click

from mlops_new.cli.options import directory_option, json_option
from mlops_new.cli.output import finish


@click.command()
@directory_option
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Make missing lock files from the tested versions.

    Each folder with a constraints.txt and no uv.lock gets one. Files that exist are not changed.
    """
    from mlops_new.base.processes import require
    from mlops_new.create import environment

    require("uv")
    made = environment.lock_missing(directory.resolve())
    lines = [*(f"Made {name}." for name in made), "Commit it." if len(made) == 1 else "Commit them."]
    finish({"made": made}, "\n".join(lines) if made else "No lock file is missing.", as_json)
