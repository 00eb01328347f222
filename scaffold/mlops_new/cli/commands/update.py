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

    with grow.standing(directory.resolve()) as here:
        at, newer = here.project.template, grow.version(here, to)
        if at == newer or check:
            words = (
                f"{at}, nothing newer." if at == newer else f"{at}; {newer} is there: mlops-new diff, update"
            )
            finish({"at": at, "newer": newer}, words, as_json, code=SAYS_NO if at != newer else 0)
            return
        with grow.moved(here, newer) as trial:
            if not dry_run:
                trial.apply()
            what = f"the template from {at} to {newer}"
            said = text.in_words(trial, f"{'Would move' if dry_run else 'Moved'} {what}:", f"Update {what}")
    finish(text.report(trial, at=at, newer=newer), said, as_json, code=text.code(trial))
