"""mlops-new update."""

from pathlib import Path

import click

from mlops_new.base.errors import SAYS_NO
from mlops_new.cli.options import directory_option, dry_run_option, excludes, json_option
from mlops_new.cli.output import finish


@click.command(epilog="\b\nExamples:\n  mlops-new update --check\n  mlops-new update")
@click.option("--to", metavar="VERSION", help="Version of the template.  [default: the newest]")
@click.option(
    "--check", is_flag=True, help="Only tell whether there is a newer version; exit with 10 if there is."
)
@directory_option
@dry_run_option
@json_option
@excludes("--check", "--to", "--dry-run")
def command(to: str | None, check: bool, directory: Path, dry_run: bool, as_json: bool) -> None:
    """Update to a newer version of the template.

    Tiers stay as they are, and your edits are kept. If you and the template changed the same lines, both sides
    are printed. Copier does the same: copier update --defaults
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
