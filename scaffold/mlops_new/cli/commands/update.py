"""mlops-new update."""

from pathlib import Path

import click

from mlops_new.base.errors import SAYS_NO
from mlops_new.cli.options import directory_option, dry_run_option, excludes, json_option
from mlops_new.cli.output import finish


@click.command()
@click.option("--to", metavar="VERSION", help="Not the newest version of the template but this one.")
@click.option(
    "--check", is_flag=True, help="Only say whether there is a newer one; then the exit code is 10."
)
@directory_option
@dry_run_option
@json_option
@excludes("--check", "--to", "--dry-run")
def command(to: str | None, check: bool, directory: Path, dry_run: bool, as_json: bool) -> None:
    """Move to a newer version of the template; tiers stay as they are.

    Your edits are kept: where you and the template changed the same lines, both are shown. The same by Copier
    alone: copier update --defaults
    """
    from mlops_new.grow import grow, text

    with grow.open_project(directory.resolve()) as project:
        version, newer = project.project.template, grow.find_version(project, to)
        if version == newer or check:
            finish({"at": version, "newer": newer}, text.compare_versions(version, newer), as_json,
                   SAYS_NO if version != newer else 0)  # fmt: skip
            return
        with grow.try_update(project, version=newer, dry=dry_run) as trial:
            if not dry_run:
                trial.apply()
            what = f"the template from {version} to {newer}"
            summary = text.summary(trial, f"Moved {what}", f"Would move {what}", f"Update {what}")
    finish(text.as_json(trial, at=version, newer=newer), summary, as_json, text.exit_code(trial))
